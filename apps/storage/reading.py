"""The questions that a repository answers, in DynamoDB's terms."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import cache, cached_property
from typing import Any, Generic, TypeVar

from apps.storage import backoff
from apps.storage.codec import Codec
from apps.storage.conditions import Expressions, Query, sort_text
from apps.storage.connection import Store
from apps.storage.entity import Entity
from apps.storage.errors import ItemNotFound, Throttled
from apps.storage.page import Cursor, Page, open_cursor
from apps.storage.size import may_be_key
from apps.storage.table import Key, Table

E = TypeVar("E", bound=Entity)
KeyValue = str | int | tuple[str | int, ...]
Item = dict[str, Any]

KEYS_A_BATCH_GET = 100
BATCH_TRIES = 9
READ_BUDGET_ITEMS = 1000


class Reader(Generic[E]):
    """The reading half of a repository: entities of one kind in one table."""

    entity: type[E]
    table: Table
    noun: str = "item"

    def __init__(self, store: Store, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`clock` decides what has expired."""
        self.store = store
        self.clock = clock

    @cached_property
    def codec(self) -> Codec[E]:
        """The compiled codec, shared by all repositories of this entity."""
        return _codec(self.entity, self.table)

    def get(self, key: KeyValue, *, consistent: bool = False) -> E:
        """The entity with this key. Raises `ItemNotFound`, also for one that has expired."""
        found = self.find(key, consistent=consistent)
        if found is None:
            raise ItemNotFound(f"There is no such {self.noun}.")
        return found

    def find(self, key: KeyValue, *, consistent: bool = False) -> E | None:
        """The entity with this key, or None. A key that cannot exist (an empty one, a long one) needs no request."""
        json = self.key(key)
        if not may_be_key(json):
            return None
        answer = self._call("get_item", Key=json, ConsistentRead=consistent)
        return self._read(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Iterable[KeyValue], *, consistent: bool = False) -> list[E]:
        """The entities that exist among these keys, in the keys' order; 100 keys a request, none left unanswered."""
        wanted = {self._identity(key): key for key in map(self.key, keys) if may_be_key(key)}
        pending_keys = list(wanted.values())
        found: dict[tuple[Any, ...], E] = {}
        physical = self.store.physical(self.table)
        for start in range(0, len(pending_keys), KEYS_A_BATCH_GET):
            batch = pending_keys[start : start + KEYS_A_BATCH_GET]
            pending: Item = {physical: {"Keys": batch, "ConsistentRead": consistent}}
            for _ in self._tries("get"):
                answer = self.store.call("batch_get_item", table=self.table.name, RequestItems=pending)
                for item in answer["Responses"].get(physical, ()):
                    entity = self._read(item)
                    if entity is not None:
                        found[self._identity(item)] = entity
                pending = answer.get("UnprocessedKeys") or {}
                if not pending:
                    break
        return [found[identity] for identity in wanted if identity in found]

    def page(
        self, query: Query, *, limit: int = 50, cursor: str | None = None, budget: int = READ_BUDGET_ITEMS
    ) -> Page[E]:
        """One page of a query's answer, from the start or from a cursor of a neighbouring page.

        Reads `limit` items and one more, to know whether there is a next page. Under a filter it reads on until the
        page is full or `budget` items were looked at. Raises `BadCursor` for a cursor that is not this question's, and
        `ValueError` for a limit below 1.
        """
        if limit < 1:
            raise ValueError(f"a page has at least one item, not {limit}")
        request = self._query_request(query)
        question = self._fingerprint(query)
        start = open_cursor(cursor, question) if cursor else None
        backward = start is not None and start.backward
        request["ScanIndexForward"] = query.descending is backward
        if start is not None and start.key:
            request["ExclusiveStartKey"] = start.key
        items, examined, stopped_at = self._gather(
            request, limit=limit, budget=budget, filtered=query.filter is not None
        )
        shown = items[:limit]
        # In reading order: `far` is where this page ends and another goes on, `near` where it began.
        far = self._position(shown[-1], query) if len(items) > limit else stopped_at
        near = self._near(start, shown, stopped_at, query)
        ahead, behind = (near, far) if backward else (far, near)
        if backward:
            shown.reverse()
        return Page(
            items=[entity for item in shown if (entity := self._read(item, query.index)) is not None],
            next=None if ahead is None else Cursor(ahead, backward=False).sign(question),
            previous=None if behind is None else Cursor(behind, backward=True).sign(question),
            examined=examined,
            exhausted_budget=stopped_at is not None and len(items) <= limit,
        )

    def stream(self, query: Query, *, consistent: bool = False) -> Iterator[E]:
        """Every entity of the answer, page after page to its end; for work that really wants all of them."""
        request = self._query_request(query)
        request["ScanIndexForward"] = not query.descending
        if consistent:
            request["ConsistentRead"] = True
        while True:
            answer = self._call("query", **request)
            for item in answer["Items"]:
                entity = self._read(item, query.index)
                if entity is not None:
                    yield entity
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def leaf(self, *, limit: int) -> list[E]:
        """The first `limit` entities of the table in no useful order: a scan that reads only what it returns."""
        answer = self._call("scan", Limit=limit)
        return [entity for item in answer["Items"] if (entity := self._read(item)) is not None]

    def keys(self, query: Query, *, limit: int) -> list[KeyValue]:
        """The table keys of the first `limit` answers; all that an index without attributes can tell."""
        request = {**self._query_request(query), "ScanIndexForward": not query.descending, "Limit": limit}
        found = (
            tuple(next(iter(item[key.name].values())) for key in self.table.keys)
            for item in self._call("query", **request)["Items"]
        )
        return [parts[0] if len(parts) == 1 else parts for parts in found]

    def count(self, query: Query) -> int:
        """How many items answer the query; reads them all, but sends none."""
        request = {**self._query_request(query), "Select": "COUNT"}
        total = 0
        while True:
            answer = self._call("query", **request)
            total += int(answer["Count"])
            if "LastEvaluatedKey" not in answer:
                return total
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    # --- inside ------------------------------------------------------------------------------------------------------

    def key(self, value: KeyValue) -> Item:
        """A key in DynamoDB's JSON. Raises `TypeError` where the number of parts is not the table's."""
        parts = value if isinstance(value, tuple) else (value,)
        if len(parts) != len(self.table.keys):
            raise TypeError(f"the key of {self.table.name} has {len(self.table.keys)} parts, not {len(parts)}")
        return {key.name: self._key_part(key, part) for key, part in zip(self.table.keys, parts, strict=True)}

    def _key_part(self, key: Key, value: Any) -> Item:
        field = self.codec.by_stored.get(key.name)
        # Text is taken for the stored form: that is what `keys` gives.
        if field is not None and (isinstance(value, Enum) or not isinstance(value, str)):
            return field.encode(value) or {}
        return {str(key.type): str(value)}

    def _read(self, item: Item, index: str | None = None) -> E | None:
        """The entity in an item, or None where its time is up: DynamoDB deletes late."""
        ttl = self.table.ttl
        if ttl is not None and ttl in item and int(item[ttl]["N"]) <= self.clock().timestamp():
            return None
        projected = index is not None and self.table.index(index).include is not None
        return self.codec.decode(item, projected=projected)

    def _identity(self, item: Mapping[str, Any]) -> tuple[Any, ...]:
        parts = (next(iter(item[key.name].items())) for key in self.table.keys)
        return tuple(Decimal(value) if letter == "N" else value for letter, value in parts)

    def _query_request(self, query: Query) -> Item:
        keys = self.table.index(query.index).keys if query.index else self.table.keys
        to = Expressions(self.codec)
        text = f"{to.name(keys[0].name)} = {to.value(self._key_part(keys[0], query.partition))}"
        if query.sort is not None:
            name = to.name(keys[1].name)
            values = [to.value(self._key_part(keys[1], value)) for value in query.sort.values]
            text += " AND " + sort_text(name, query.sort.operator, values)
        request: Item = {"KeyConditionExpression": text}
        if query.index is not None:
            request["IndexName"] = query.index
        if query.filter is not None:
            request["FilterExpression"] = to.condition(query.filter)
        return {**request, **to.request()}

    def _gather(
        self, request: Item, *, limit: int, budget: int, filtered: bool
    ) -> tuple[list[Item], int, dict[str, Any] | None]:
        """Raw items, how many were looked at, and where the budget ran out (None where it did not)."""
        items: list[Item] = []
        examined = 0
        while True:
            room = budget - examined if filtered else limit + 1 - len(items)
            answer = self._call("query", **request, Limit=max(1, min(room, limit + 1)))
            items += answer["Items"]
            examined += int(answer["ScannedCount"])
            last = answer.get("LastEvaluatedKey")
            if last is None or len(items) > limit:
                return items, examined, None
            if filtered and examined >= budget:
                return items, examined, last
            request["ExclusiveStartKey"] = last

    def _near(self, start: Cursor | None, shown: Sequence[Item], stopped_at: Item | None, query: Query) -> Item | None:
        """Where this page began, in reading order, for the way back; None at the list's end, {} for all of the list."""
        if start is None or not start.key:
            return None
        if shown:
            return self._position(shown[0], query)
        # Nothing is left here. The cursor's own item may still be there, so the way back starts beyond it.
        return stopped_at or {}

    def _position(self, item: Item, query: Query) -> Item:
        keys = {*self.table.keys, *(self.table.index(query.index).keys if query.index else ())}
        return {key.name: item[key.name] for key in keys}

    def _fingerprint(self, query: Query) -> str:
        text = repr(
            (self.store.physical(self.table), query.index, query.partition, query.sort, query.descending, query.filter)
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def _call(self, operation: str, **request: Any) -> Item:
        return self.store.call(operation, table=self.table.name, TableName=self.store.physical(self.table), **request)

    def _tries(self, verb: str) -> Iterator[int]:
        """Attempts at a batch, with growing, jittered waits between them. Raises `Throttled` after the last."""
        for attempt in range(BATCH_TRIES):
            if attempt:
                backoff.rest(attempt)
            yield attempt
        raise Throttled(
            f"The store left part of a batch {verb} on {self.table.name} undone {BATCH_TRIES} times. Try again later.",
            retry_after_seconds=10,
        )


@cache
def _codec(entity: type[E], table: Table) -> Codec[E]:
    return Codec(entity, table)
