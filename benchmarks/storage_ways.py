"""The ways to DynamoDB that the benchmark compares, each with the same seven operations.

A way stores orders of its own under its own name, and reads those that all of them share. Every operation takes a
running number, so that no two calls of a write are alike:

`get` one order; `put` a new one, unless it is there; `update` an order that is open and give it back as it is then;
`query` all 1000 of one owner; `batch_get` 100 by their keys; `batch_write` 25; `transact` updates of two that are open.
"""

import os
from collections.abc import Iterable, Sequence
from typing import Any

from apps.storage.conditions import Query, Update, attribute
from apps.storage.connection import DataPlaneName, Store
from apps.storage.transaction import Transaction
from benchmarks.storage_orders import ORDERS, OWNER, Order, Orders, first, name, order, plain

REGION = "eu-west-1"
READ, WRITTEN = 100, 25
SET_PAID = "SET #paid = :paid ADD #version :one"
IS_OPEN = "#status = :open AND attribute_exists(#owner)"
UPDATE_NAMES = {"#paid": "paid", "#version": "version", "#status": "status", "#owner": "owner"}

# Nobody's: local engines accept any, and no library may look for others.
os.environ |= {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Way:
    """One library; calls are blocking unless `repeat` says otherwise."""

    name = ""
    changes = 1  # how often each of the three orders was changed after every operation was called once

    def __init__(self, endpoint: str, table: str) -> None:
        """`endpoint` is the engine's address, `table` the physical name."""
        self.endpoint = endpoint
        self.table = table

    def repeat(self, operation: str, numbers: Iterable[int]) -> Any:
        """Call an operation once for each number; the last answer."""
        call, answer = getattr(self, operation), None
        for number in numbers:
            answer = call(number)
        return answer

    def prepare(self, numbers: Iterable[int]) -> None:
        """Make what `put` will store for these numbers, and `batch_write` for any: not part of what is measured."""
        self.fresh = {number: self.made(order(f"new-{number:08}", self.name)) for number in numbers}
        self.batch = [self.made(order(f"batch-{number:04}", self.name)) for number in range(WRITTEN)]

    def made(self, entity: Order) -> Any:
        """An order as this way is given it: a dict of Python values, a model, an entity."""
        return first(entity)

    def seen(self, answer: Any) -> list[dict[str, Any]]:
        """The answer of a reading operation as Python values."""
        return [self.item(item) for item in (answer if isinstance(answer, list) else [answer])]

    def item(self, item: Any) -> dict[str, Any]:
        """One item as Python values."""
        return {key: value for key, value in item.items() if value is not None}

    def close(self) -> None:
        """Give connections back."""


class Resource(Way):
    """boto3's resource: what everything else is compared with."""

    name = "boto3 resource"

    def __init__(self, endpoint: str, table: str) -> None:
        super().__init__(endpoint, table)
        import boto3  # noqa: PLC0415

        self.resource: Any = boto3.resource("dynamodb", region_name=REGION, endpoint_url=endpoint)
        self.orders = self.resource.Table(table)

    def get(self, _: int) -> Any:
        return self.orders.get_item(Key={"owner": OWNER, "order_id": name(7)})["Item"]

    def put(self, number: int) -> None:
        self.orders.put_item(
            Item=self.fresh[number],
            ConditionExpression="attribute_not_exists(#owner)",
            ExpressionAttributeNames={"#owner": "owner"},
        )

    def update(self, number: int) -> Any:
        return self.orders.update_item(**self._update(name(0), number), ReturnValues="ALL_NEW")["Attributes"]

    def query(self, _: int) -> Any:
        from boto3.dynamodb.conditions import Key  # noqa: PLC0415

        return self.orders.query(KeyConditionExpression=Key("owner").eq(OWNER))["Items"]

    def batch_get(self, _: int) -> Any:
        keys = [{"owner": OWNER, "order_id": name(number)} for number in range(READ)]
        return self.resource.batch_get_item(RequestItems={self.table: {"Keys": keys}})["Responses"][self.table]

    def batch_write(self, _: int) -> None:
        with self.orders.batch_writer() as batch:
            for item in self.batch:
                batch.put_item(Item=item)

    def transact(self, number: int) -> None:
        self.resource.meta.client.transact_write_items(
            TransactItems=[
                {"Update": {"TableName": self.table, **self._update(name(which), number)}} for which in (1, 2)
            ]
        )

    def _update(self, order_id: str, number: int) -> dict[str, Any]:
        return {
            "Key": {"owner": self.name, "order_id": order_id},
            "UpdateExpression": SET_PAID,
            "ConditionExpression": IS_OPEN,
            "ExpressionAttributeNames": UPDATE_NAMES,
            "ExpressionAttributeValues": {":paid": number, ":one": 1, ":open": "open"},
        }

    def item(self, item: Any) -> dict[str, Any]:
        place = {**item["place"], "floor": int(item["place"]["floor"])}
        return {**item, **{key: int(item[key]) for key in ("total", "paid", "attempts", "version")}, "place": place}


class Client(Way):
    """boto3's client with DynamoDB's own JSON in and out: nothing becomes a Python value."""

    name = "boto3 client"

    def __init__(self, endpoint: str, table: str) -> None:
        super().__init__(endpoint, table)
        import boto3  # noqa: PLC0415
        from boto3.dynamodb.types import TypeDeserializer, TypeSerializer  # noqa: PLC0415

        self.client: Any = boto3.client("dynamodb", region_name=REGION, endpoint_url=endpoint)
        self.encode, self.decode = TypeSerializer().serialize, TypeDeserializer().deserialize
        self.resource = Resource.item

    def made(self, entity: Order) -> Any:
        return {key: self.encode(value) for key, value in first(entity).items()}

    def get(self, _: int) -> Any:
        return self.client.get_item(TableName=self.table, Key={"owner": {"S": OWNER}, "order_id": {"S": name(7)}})[
            "Item"
        ]

    def put(self, number: int) -> None:
        self.client.put_item(
            TableName=self.table,
            Item=self.fresh[number],
            ConditionExpression="attribute_not_exists(#owner)",
            ExpressionAttributeNames={"#owner": "owner"},
        )

    def update(self, number: int) -> Any:
        return self.client.update_item(**self._update(name(0), number), ReturnValues="ALL_NEW")["Attributes"]

    def query(self, _: int) -> Any:
        return self.client.query(
            TableName=self.table,
            KeyConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":owner": {"S": OWNER}},
        )["Items"]

    def batch_get(self, _: int) -> Any:
        keys = [{"owner": {"S": OWNER}, "order_id": {"S": name(number)}} for number in range(READ)]
        return self.client.batch_get_item(RequestItems={self.table: {"Keys": keys}})["Responses"][self.table]

    def batch_write(self, _: int) -> None:
        self.client.batch_write_item(RequestItems={self.table: [{"PutRequest": {"Item": item}} for item in self.batch]})

    def transact(self, number: int) -> None:
        self.client.transact_write_items(
            TransactItems=[{"Update": self._update(name(which), number)} for which in (1, 2)]
        )

    def _update(self, order_id: str, number: int) -> dict[str, Any]:
        return {
            "TableName": self.table,
            "Key": {"owner": {"S": self.name}, "order_id": {"S": order_id}},
            "UpdateExpression": SET_PAID,
            "ConditionExpression": IS_OPEN,
            "ExpressionAttributeNames": UPDATE_NAMES,
            "ExpressionAttributeValues": {":paid": {"N": str(number)}, ":one": {"N": "1"}, ":open": {"S": "open"}},
        }

    def item(self, item: Any) -> dict[str, Any]:
        return self.resource(self, {key: self.decode(value) for key, value in item.items()})  # type: ignore[arg-type]


class Rungs(Way):
    """Repositories and entities."""

    data_plane: DataPlaneName = "fast"
    name = "Rungs"

    def __init__(self, endpoint: str, table: str) -> None:
        super().__init__(endpoint, table)
        self.store = Store(
            environment="dev",
            prefix="bench",
            names={ORDERS.name: table},
            endpoint=endpoint,
            region=REGION,
            data_plane=self.data_plane,
        )
        self.orders = Orders(self.store)

    def made(self, entity: Order) -> Any:
        return entity

    def get(self, _: int) -> Any:
        return self.orders.get((OWNER, name(7)))

    def put(self, number: int) -> None:
        self.orders.add(self.fresh[number])

    def update(self, number: int) -> Any:
        return self.orders.update(
            (self.name, name(0)), Update(set={"paid": number}), condition=attribute("status").equals("open")
        )

    def query(self, _: int) -> Any:
        return list(self.orders.stream(Query(partition=OWNER)))

    def batch_get(self, _: int) -> Any:
        return self.orders.get_many([(OWNER, name(number)) for number in range(READ)])

    def batch_write(self, _: int) -> None:
        self.orders.put_many(self.batch)

    def transact(self, number: int) -> None:
        is_open = attribute("status").equals("open")
        Transaction(
            self.store,
            *(
                self.orders.updating((self.name, name(which)), Update(set={"paid": number}), condition=is_open)
                for which in (1, 2)
            ),
        ).commit()

    def item(self, item: Any) -> dict[str, Any]:
        return plain(item)


class RungsOnBoto3(Rungs):
    """The same over boto3's client as it is."""

    data_plane: DataPlaneName = "boto3"
    name = "Rungs (boto3)"


def ways(names: Sequence[type[Way]], endpoint: str, table: str) -> tuple[list[Way], list[str]]:
    """The ways that can be had here, and the names of those whose library is not installed."""
    found: list[Way] = []
    absent: list[str] = []
    for way in names:
        try:
            found.append(way(endpoint, table))
        except ModuleNotFoundError:
            absent.append(way.name)
    return found, absent
