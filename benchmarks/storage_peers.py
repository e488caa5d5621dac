"""Other libraries for DynamoDB as ways of the benchmark; each is imported only where it is measured."""

import asyncio
from collections.abc import Iterable
from typing import Any

from benchmarks.storage_orders import OWNER, Order, first, name
from benchmarks.storage_ways import IS_OPEN, READ, REGION, SET_PAID, UPDATE_NAMES, Way


class PynamoDB(Way):
    """Models of PynamoDB."""

    name = "PynamoDB"

    def __init__(self, endpoint: str, table: str) -> None:
        super().__init__(endpoint, table)
        from pynamodb.attributes import (  # noqa: PLC0415
            BooleanAttribute,
            MapAttribute,
            NumberAttribute,
            UnicodeAttribute,
        )
        from pynamodb.connection import Connection  # noqa: PLC0415
        from pynamodb.models import Model  # noqa: PLC0415
        from pynamodb.transactions import TransactWrite  # noqa: PLC0415

        class Place(MapAttribute):  # type: ignore[type-arg]
            street = UnicodeAttribute()
            city = UnicodeAttribute()
            postcode = UnicodeAttribute()
            floor = NumberAttribute()

        class Order(Model):
            class Meta:
                table_name = table
                region = REGION
                host = endpoint

            owner = UnicodeAttribute(hash_key=True)
            order_id = UnicodeAttribute(range_key=True)
            status = UnicodeAttribute()
            title = UnicodeAttribute()
            notes = UnicodeAttribute()
            currency = UnicodeAttribute()
            total = NumberAttribute()
            paid = NumberAttribute()
            attempts = NumberAttribute()
            is_gift = BooleanAttribute()
            ordered_at = UnicodeAttribute()
            place: Any = Place()  # type: ignore[no-untyped-call]
            version = NumberAttribute()

        self.model: Any = Order
        self.place: Any = Place
        self.transaction: Any = TransactWrite
        self.connection: Any = Connection(region=REGION, host=endpoint)

    def made(self, entity: Order) -> Any:
        values = first(entity)
        return self.model(**{**values, "place": self.place(**values["place"])})

    def get(self, _: int) -> Any:
        return self.model.get(OWNER, name(7))

    def put(self, number: int) -> None:
        self.fresh[number].save(condition=self.model.owner.does_not_exist())

    def update(self, number: int) -> Any:
        changed = self.model(self.name, name(0))
        changed.update(actions=self._actions(number), condition=self._is_open())
        return changed

    def query(self, _: int) -> Any:
        return list(self.model.query(OWNER))

    def batch_get(self, _: int) -> Any:
        return list(self.model.batch_get([(OWNER, name(number)) for number in range(READ)]))

    def batch_write(self, _: int) -> None:
        with self.model.batch_write() as batch:
            for order in self.batch:
                batch.save(order)

    def transact(self, number: int) -> None:
        with self.transaction(connection=self.connection) as transaction:
            for which in (1, 2):
                order = self.model(self.name, name(which))
                transaction.update(order, actions=self._actions(number), condition=self._is_open())

    def _actions(self, number: int) -> list[Any]:
        return [self.model.paid.set(number), self.model.version.add(1)]

    def _is_open(self) -> Any:
        return (self.model.status == "open") & self.model.owner.exists()

    def item(self, item: Any) -> dict[str, Any]:
        return {**item.attribute_values, "place": dict(item.place.attribute_values)}


class Pydynox(Way):
    """Models of pydynox, and its client where a model does not give the new item back."""

    name = "pydynox"

    def __init__(self, endpoint: str, table: str) -> None:
        super().__init__(endpoint, table)
        from pydynox import DynamoDBClient, Model, ModelConfig, SyncBatchWriter  # noqa: PLC0415
        from pydynox.attributes import (  # noqa: PLC0415
            BooleanAttribute,
            MapAttribute,
            NumberAttribute,
            StringAttribute,
        )

        client = DynamoDBClient(region=REGION, access_key="local", secret_key="local", endpoint_url=endpoint)  # noqa: S106

        class Order(Model):
            model_config = ModelConfig(table=table, client=client)
            owner = StringAttribute(partition_key=True)
            order_id = StringAttribute(sort_key=True)
            status = StringAttribute()
            title = StringAttribute()
            notes = StringAttribute()
            currency = StringAttribute()
            total = NumberAttribute()
            paid = NumberAttribute()
            attempts = NumberAttribute()
            is_gift = BooleanAttribute()
            ordered_at = StringAttribute()
            place = MapAttribute()
            version = NumberAttribute()

        self.client: Any = client
        self.model: Any = Order
        self.writer: Any = SyncBatchWriter

    def get(self, _: int) -> Any:
        return self.model.sync_get(owner=OWNER, order_id=name(7))

    def put(self, number: int) -> None:
        self.model(**self.fresh[number]).sync_save(condition=self.model.owner.not_exists())

    def update(self, number: int) -> Any:
        return self.client.sync_update_item(self.table, **self._update(name(0), number), return_values="ALL_NEW")

    def query(self, _: int) -> Any:
        return list(self.model.sync_query(partition_key=OWNER))

    def batch_get(self, _: int) -> Any:
        return self.model.sync_batch_get([{"owner": OWNER, "order_id": name(number)} for number in range(READ)])

    def batch_write(self, _: int) -> None:
        with self.writer(self.client, self.table) as batch:
            for values in self.batch:
                batch.put(values)

    def transact(self, number: int) -> None:
        self.client.sync_transact_write(
            [{"type": "update", "table": self.table, **self._update(name(which), number)} for which in (1, 2)]
        )

    def _update(self, order_id: str, number: int) -> dict[str, Any]:
        return {
            "key": {"owner": self.name, "order_id": order_id},
            "update_expression": SET_PAID,
            "condition_expression": IS_OPEN,
            "expression_attribute_names": UPDATE_NAMES,
            "expression_attribute_values": {":paid": number, ":one": 1, ":open": "open"},
        }

    def item(self, item: Any) -> dict[str, Any]:
        return dict(item if isinstance(item, dict) else item.to_dict())


class Aiodynamo(Way):
    """aiodynamo on aiohttp; each block of calls runs on its event loop."""

    name = "aiodynamo"

    def __init__(self, endpoint: str, table: str) -> None:
        super().__init__(endpoint, table)
        import aiodynamo.client  # noqa: F401, PLC0415
        import aiohttp  # noqa: F401, PLC0415

        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(self.connect())

    async def connect(self) -> None:
        """Open a session on the running loop."""
        import aiohttp  # noqa: PLC0415
        from aiodynamo.client import Client  # noqa: PLC0415
        from aiodynamo.credentials import Key, StaticCredentials  # noqa: PLC0415
        from aiodynamo.http.aiohttp import AIOHTTP  # noqa: PLC0415
        from yarl import URL  # noqa: PLC0415

        self.session = aiohttp.ClientSession()
        self.client: Any = Client(
            http=AIOHTTP(self.session),
            credentials=StaticCredentials(Key("local", "local")),
            region=REGION,
            endpoint=URL(self.endpoint),
            numeric_type=int,
        )

    def repeat(self, operation: str, numbers: Iterable[int]) -> Any:
        async def calls() -> Any:
            call, answer = getattr(self, operation), None
            for number in numbers:
                answer = await call(number)
            return answer

        return self.loop.run_until_complete(calls())

    async def get(self, _: int) -> Any:
        return await self.client.get_item(self.table, {"owner": OWNER, "order_id": name(7)})

    async def put(self, number: int) -> None:
        from aiodynamo.expressions import F  # noqa: PLC0415

        await self.client.put_item(self.table, self.fresh[number], condition=F("owner").does_not_exist())

    async def update(self, number: int) -> Any:
        from aiodynamo.models import ReturnValues  # noqa: PLC0415

        change, condition = self._update(number)
        return await self.client.update_item(
            self.table,
            {"owner": self.name, "order_id": name(0)},
            change,
            return_values=ReturnValues.all_new,
            condition=condition,
        )

    async def query(self, _: int) -> Any:
        from aiodynamo.expressions import HashKey  # noqa: PLC0415

        return [item async for item in self.client.query(self.table, HashKey("owner", OWNER))]

    async def batch_get(self, _: int) -> Any:
        from aiodynamo.models import BatchGetRequest  # noqa: PLC0415

        keys = [{"owner": OWNER, "order_id": name(number)} for number in range(READ)]
        return (await self.client.batch_get({self.table: BatchGetRequest(keys)})).items[self.table]

    async def batch_write(self, _: int) -> None:
        from aiodynamo.models import BatchWriteRequest  # noqa: PLC0415

        await self.client.batch_write({self.table: BatchWriteRequest(items_to_put=self.batch)})

    async def transact(self, number: int) -> None:
        from aiodynamo.operations import Update  # noqa: PLC0415

        change, condition = self._update(number)
        await self.client.transact_write_items(
            [Update(self.table, {"owner": self.name, "order_id": name(which)}, change, condition) for which in (1, 2)]
        )

    def _update(self, number: int) -> tuple[Any, Any]:
        from aiodynamo.expressions import F  # noqa: PLC0415

        change = F("paid").set(number) & F("version").add(1)
        return change, F("status").equals("open") & F("owner").exists()

    def close(self) -> None:
        self.loop.run_until_complete(self.session.close())
        self.loop.close()
