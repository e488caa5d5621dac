"""The questions that a repository answers, in DynamoDB's terms."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, cached_property
from itertools import islice
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError

from apps.storage.conditions import Condition, Query, SortKey
from apps.storage.connection import Store
from apps.storage.entity import Entity
from apps.storage.errors import ItemNotFound, Throttled, UnreadableItem
from apps.storage.items.codec import Codec
from apps.storage.items.kinds import Item, KeyValue, Kind
from apps.storage.items.size import may_be_key
from apps.storage.items.values import decode_number, is_number
from apps.storage.page import Count, Cursor, Page, open_cursor
from apps.storage.plane import backoff
from apps.storage.requests.asking import counting, fingerprint, request_of
from apps.storage.requests.paging import READ_BUDGET_ITEMS, Pages, Walk
from apps.storage.table import Table

E = TypeVar("E", bound=Entity)
T = TypeVar("T")

__all__ = ["BATCH_TRIES", "KEYS_A_BATCH_GET", "READ_BUDGET_ITEMS", "Item", "KeyValue", "Reader", "utc_now"]

KEYS_A_BATCH_GET = 100
BATCH_TRIES = 9
_LAST_INSTANT: Final = int(datetime.max.replace(tzinfo=UTC).timestamp())


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


class Reader(Generic[E]):
    """The reading half of a repository: entities of one kind in one table.

    Where templates make the table's keys, it may hold other kinds too: these are passed over.
    """

    entity: type[E]
    table: Table
    noun: str = "item"

    def __init__(self, store: Store, *, clock: Callable[[], datetime] = utc_now) -> None:
        """`clock` decides what has expired."""
        self.store = store
        self.clock = clock

    @cached_property
    def kind(self) -> Kind[E]:
        """What is known of this kind's keys, shared by all repositories of this entity."""
        return _kind(self.entity, self.table)

    @cached_property
    def codec(self) -> Codec[E]:
        """The compiled codec, shared in the same way."""
        return self.kind.codec

    # --- keys and questions from fields ------------------------------------------------------------------------------

    def at(self, **fields: Any) -> KeyValue:
        """The key of the entity with these fields: `shops.get(shops.at(domain="a.example"))`.

        Raises `TypeError` that names missing and unknown fields, and `UnfitKey` for a value that cannot stand in a key.
        """
        return self.kind.at(fields)

    def fields_of(self, key: KeyValue) -> dict[str, Any]:
        """The fields that a table key tells, in their own types. Raises `ValueError` for a key of another kind."""
        return self.kind.fields_of(self._key(key))

    def where(
        self,
        index: str | None = None,
        /,
        *,
        sort: SortKey | None = None,
        descending: bool = False,
        filter: Condition | None = None,  # noqa: A002  (the name it has in a query)
        **fields: Any,
    ) -> Query:
        """A question to the table, or to an index, from fields.

        All fields of the partition key must be given; those of the sort key from the first on, as far as wanted: all of
        them ask for one key, some for what begins so, none for all of this kind. `sort` is a range of the next field of
        the sort key. Raises `TypeError` that names missing and unknown fields, and `UnfitKey` like `at`.
        """
        partition, asked = self.kind.question(index, fields, sort)
        return Query(partition=partition, index=index, sort=asked, descending=descending, filter=filter)

    # --- one, or some by key -----------------------------------------------------------------------------------------

    def get(self, key: KeyValue, *, consistent: bool = False) -> E:
        """The entity with this key. Raises `ItemNotFound`, also for one that has expired."""
        found = self.find(key, consistent=consistent)
        if found is None:
            missing = ItemNotFound(f"There is no such {self.noun}.")
            raise missing.at(table=self.table.name, operation="get_item", key=self._key(key))
        return found

    def find(self, key: KeyValue, *, consistent: bool = False) -> E | None:
        """The entity with this key, or None. Raises `UnreadableItem` where what is stored there does not fit its type.

        A key that cannot exist (empty, too long, no number where one belongs, of another kind) needs no request.
        """
        json = self._key(key)
        if not self._may_exist(json):
            return None
        answer = self._call("get_item", Key=json, ConsistentRead=consistent)
        return self._read(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Iterable[KeyValue], *, consistent: bool = False) -> list[E]:
        """The entities that exist among these keys, in the keys' order; 100 keys a request, none left unanswered."""
        identity = self.kind.identity
        wanted = self.kind.possible_keys(keys)
        pending_keys = list(wanted.values())
        found: dict[Any, E] = {}
        read = self._read if self.kind.is_marked or self.table.ttl else self._decoded
        physical = self.store.physical(self.table)
        for start in range(0, len(pending_keys), KEYS_A_BATCH_GET):
            batch = pending_keys[start : start + KEYS_A_BATCH_GET]
            pending: Item = {physical: {"Keys": batch, "ConsistentRead": consistent}}
            for _ in self._tries("get"):
                answer = self.store.call("batch_get_item", table=self.table.name, RequestItems=pending)
                for item in answer["Responses"].get(physical, ()):
                    entity = read(item)
                    if entity is not None:
                        found[identity(item)] = entity
                pending = answer.get("UnprocessedKeys") or {}
                if not pending:
                    break
        return [found[one] for one in wanted if one in found]

    # --- many by question --------------------------------------------------------------------------------------------

    def page(
        self, query: Query, *, limit: int = 50, cursor: str | None = None, budget: int = READ_BUDGET_ITEMS
    ) -> Page[E]:
        """One page of a query's answer, from the start or from a cursor of a neighbouring page.

        Reads `limit` items and one more, to know whether there is a next page; where a filter, other kinds or expired
        items stand between, it reads on until the page is full or `budget` items were looked at (without a filter, at
        least one full page). Raises `BadCursor` for a cursor that is not this question's, and `ValueError` for a limit
        or a budget below 1.
        """
        return self.page_of(
            query, lambda item: self._read(item, query.index), limit=limit, cursor=cursor, budget=budget
        )

    def page_of(
        self, query: Query, decode: Callable[[Item], T | None], *, limit: int, cursor: str | None, budget: int
    ) -> Page[T]:
        """A page of whatever `decode` makes of the items (DynamoDB's JSON); None passes one over."""
        if limit < 1:
            raise ValueError(f"a page has at least one item, not {limit}")
        if budget < 1:
            raise ValueError(f"a page needs a budget of at least one item, not {budget}")
        request = request_of(query, self.kind)
        if request is None:
            return Page(items=[])
        keys = dict.fromkeys((*self.table.keys, *(self.table.index(query.index).keys if query.index else ())))
        pages = Pages(
            ask=self._query,
            request=request,
            question=fingerprint(self.store.physical(self.table), request, self.kind, descending=query.descending),
            keys=tuple(keys),
            decode=decode,
            descending=query.descending,
        )
        return pages.page(
            limit=limit, cursor=cursor, budget=budget if query.filter is not None else max(budget, limit + 1)
        )

    def stream(self, query: Query, *, consistent: bool = False) -> Iterator[E]:
        """Every entity of the answer, page after page to its end; for work that really wants all of them."""
        walk = self._walk(query, **({"ConsistentRead": True} if consistent else {}))
        if walk is not None:
            for _, entity in walk.found(lambda item: self._read(item, query.index)):
                yield entity

    def leaf(self, *, limit: int) -> list[E]:
        """The first `limit` entities of the table in no useful order: a scan that reads only what it returns.

        In a table of several kinds it looks at 1,000 items, or `limit` of them, at most.
        """
        walk = Walk(self._scan, {}, budget=max(limit, READ_BUDGET_ITEMS))
        return [entity for _, entity in islice(walk.found(self._read, wanted=limit), limit)]

    def leafed(self, *, limit: int = 50, cursor: str | None = None) -> Page[E]:
        """One page of the whole table in the store's own order: a scan that reads only what it shows, and one more.

        It goes forward only: no page has a previous one. In a table of several kinds it looks at 1,000 items, or
        `limit` and one, at most. Raises `BadCursor` for a cursor that is not of this table's leafing.
        """
        question = f"leaf#{self.store.physical(self.table)}#{self.entity.__name__}"
        start = {"ExclusiveStartKey": open_cursor(cursor, question).key} if cursor else {}
        walk = Walk(self._scan, start, budget=max(limit + 1, READ_BUDGET_ITEMS))
        found: list[E] = []
        place, has_more = walk.last, False
        for item, entity in walk.found(self._read, wanted=limit + 1):
            if len(found) == limit:
                has_more = True
                break
            found.append(entity)
            place = {key.name: item[key.name] for key in self.table.keys}
        onward = place if has_more else walk.last
        return Page(
            items=found,
            next=None if onward is None else Cursor(onward, backward=False).sign(question),
            examined=walk.examined,
            exhausted_budget=not has_more and walk.last is not None,
        )

    def keys(self, query: Query, *, limit: int) -> list[KeyValue]:
        """The table keys of the first `limit` answers that have not expired: all that an index of keys can tell."""
        walk = self._walk(query)
        if walk is None:
            return []
        found: Iterator[tuple[Item, KeyValue]] = walk.found(self._key_in, wanted=limit)
        return [key for _, key in islice(found, limit)]

    def count(self, query: Query, *, cap: int | None = None) -> Count:
        """How many answer the query, as the store counts them: nothing of them is sent.

        Without a cap it is exact, and reads them all. With one it stops there: a list that says "1000+" needs no more.
        Under a filter it then looks at 1,000 items, or `cap` and one, at most. Expired items count until they are
        deleted. Raises `ValueError` for a cap below 1.
        """
        if cap is not None and cap < 1:
            raise ValueError(f"a count is capped at 1 or more, not at {cap}")
        request = request_of(query, self.kind)
        if request is None:
            return Count(0)
        budget = None if cap is None else max(cap + 1, READ_BUDGET_ITEMS)
        walk = Walk(self._query, counting(request, self.kind), budget=budget)
        total, step = 0, cap and cap + 1
        while walk.may_go_on and (cap is None or total <= cap):
            answer = walk.step(step)
            total += sum(map(self.kind.owns, answer["Items"])) if self.kind.is_marked else int(answer["Count"])
            if cap is not None and step is not None:
                step = cap + 1 - total if total == walk.examined else 2 * step
        is_capped = walk.last is not None or (cap is not None and total > cap)
        return Count(total if cap is None else min(total, cap), is_capped=is_capped)

    # --- inside ------------------------------------------------------------------------------------------------------

    def key(self, value: KeyValue) -> Item:
        """A key in DynamoDB's JSON.

        Raises `TypeError` where the number of parts is not the table's, and `ItemNotFound` for a key of another kind or
        one that cannot exist: nothing of this kind can be there, to be read or to be changed.
        """
        json = self._key(value)
        if not self._may_exist(json):
            raise ItemNotFound(f"There is no such {self.noun}.")
        return json

    def _key(self, value: KeyValue) -> Item:
        return self.kind.table_key(value)

    def _may_exist(self, key: Item) -> bool:
        return may_be_key(key) and self.kind.owns(key)

    def _read(self, item: Item, index: str | None = None) -> E | None:
        """The entity in an item, or None where it is of another kind, or its time is up: DynamoDB deletes late."""
        if self.kind.is_marked and not self.kind.owns(item):
            return None
        ttl = self.table.ttl
        if ttl is not None and ttl in item:
            expires_at = _epoch_seconds(item[ttl])
            if expires_at is None:  # DynamoDB pays no heed to it either
                item = {name: value for name, value in item.items() if name != ttl}
            elif expires_at <= self.clock().timestamp():
                return None
        return self._decoded(item, projected=index is not None and self.table.index(index).include is not None)

    def _decoded(self, item: Item, *, projected: bool = False) -> E:
        """The entity in an item of this kind. Raises `UnreadableItem` where it is not as the entity takes it."""
        try:
            return self.codec.decode(item, projected=projected)
        except ValidationError as error:
            places = sorted({".".join(map(str, fault["loc"])) for fault in error.errors(include_input=False)})
            unreadable = UnreadableItem(
                f"What is stored of this {self.noun} is not as it should be: {', '.join(places)}."
            )
            unreadable.remedies = ("Correct or delete the item, or update Rungs where a later release wrote it.",)
            key = {part.name: item[part.name] for part in self.table.keys if part.name in item}
            raise unreadable.at(table=self.table.name, operation="read", key=key) from error

    def _is_expired(self, item: Mapping[str, Any]) -> bool:
        ttl = self.table.ttl
        if ttl is None or ttl not in item:
            return False
        expires_at = _epoch_seconds(item[ttl])
        return expires_at is not None and expires_at <= self.clock().timestamp()

    def _key_in(self, item: Item) -> KeyValue | None:
        """The table key of an item, as text in its stored form, or None where it is of another kind or has expired."""
        if not self.kind.owns(item) or self._is_expired(item):
            return None
        parts = tuple(str(next(iter(item[key.name].values()))) for key in self.table.keys)
        return parts[0] if len(parts) == 1 else parts

    def _walk(self, query: Query, **more: Any) -> Walk | None:
        """The answer to a query, to be read from its start; None where no item can have such keys."""
        request = request_of(query, self.kind)
        if request is None:
            return None
        return Walk(self._query, {**request, "ScanIndexForward": not query.descending, **more})

    def _query(self, **request: Any) -> Item:
        return self._call("query", **request)

    def _scan(self, **request: Any) -> Item:
        return self._call("scan", **request)

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
        ).at(table=self.table.name, operation=f"batch_{verb}_item")


def _epoch_seconds(json: Mapping[str, Any]) -> Decimal | int | None:
    """The time in an expiry (DynamoDB's JSON); None for what is no time: a text, a NULL, a number beyond all years."""
    text = json.get("N")
    if not is_number(text):
        return None
    seconds = decode_number(str(text))
    return seconds if seconds <= _LAST_INSTANT else None


@cache
def _kind(entity: type[E], table: Table) -> Kind[E]:
    return Kind(Codec(entity, table), table)
