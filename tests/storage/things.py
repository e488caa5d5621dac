"""Sample entities and tables for the tests of the repository layer."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from apps.storage.connection import Store
from apps.storage.entity import Entity, Expiry, Instant, Naming, Stored, TimeForm
from apps.storage.repository import Repository
from apps.storage.table import Index, Key, Table, number

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class State(StrEnum):
    NEW = "new"
    WORN = "worn"


class Part(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    weight: Decimal | None = None


class Thing(Entity):
    """One of everything that the domains store, under a key of text and time."""

    naming: ClassVar[Naming] = Naming.CAMEL
    times: ClassVar[TimeForm] = TimeForm.MILLISECONDS
    derived: ClassVar[Mapping[str, str]] = {"stateKey": "{state}#{title}"}

    thing_id: str
    made_at: Instant = NOON
    owner: str | None = None
    queue: str | None = None
    state: State = State.NEW
    title: str | None = None
    price: Decimal | None = None
    amount: int = 0
    tags: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    part: Part | None = None
    seen_at: Annotated[Instant | None, Stored(time=TimeForm.ISO)] = None
    extra: Mapping[str, Any] = {}
    text: Annotated[str, Stored(compressed=True)] = ""
    expires_at: Expiry | None = None


THINGS = Table(
    name="Things",
    partition_key=Key("thingId"),
    sort_key=number("madeAt"),
    indexes=(
        Index(name="owner-index", partition_key=Key("owner"), sort_key=Key("stateKey"), include=("title", "expiresAt")),
        Index(name="queue-index", partition_key=Key("queue"), sort_key=number("madeAt")),
    ),
    ttl="expiresAt",
)


class Things(Repository[Thing]):
    entity = Thing
    table = THINGS
    noun = "thing"


class Book(Entity):
    """Its key follows from its fields, as in a single table for many kinds."""

    derived: ClassVar[Mapping[str, str]] = {
        "PK": "SHELF#{shelf}",
        "SK": "{genre}#{serial}",
        "place": "{shelf}#{serial}",
    }

    shelf: str
    genre: str
    serial: str
    title: str = ""


BOOKS = Table(name="Books", partition_key=Key("PK"), sort_key=Key("SK"))


class Books(Repository[Book]):
    entity = Book
    table = BOOKS
    noun = "book"


def some_id() -> str:
    """A partition that no other test uses."""
    return secrets.token_hex(8)


def row(thing_id: str, count: int, **fields: Any) -> list[Thing]:
    """Things of one partition, a second apart."""
    return [
        Thing(
            thing_id=thing_id, made_at=NOON + timedelta(seconds=second), amount=second, title=f"t{second:03}", **fields
        )
        for second in range(count)
    ]


def raw(store: Store, thing: Thing) -> dict[str, Any]:
    """What is really stored."""
    repository = Things(store)
    key = repository.key((thing.thing_id, thing.made_at))
    answer = store.client.get_item(TableName=store.physical(THINGS), Key=key, ConsistentRead=True)
    return dict(answer["Item"])


class Fickle(Store):
    """A store that leaves part of its batches undone for some rounds, as DynamoDB may under load."""

    def __init__(self, *, like: Store, rounds: int) -> None:
        super().__init__(environment=like.environment, prefix=like.prefix, endpoint=like.endpoint, region="eu-west-1")
        self.rounds = rounds
        self.sizes: list[int] = []

    def call(self, operation: str, *, table: str, **request: Any) -> dict[str, Any]:
        if operation not in {"batch_get_item", "batch_write_item"}:
            return super().call(operation, table=table, **request)
        (physical, asked), *_ = request["RequestItems"].items()
        is_read = operation == "batch_get_item"
        entries = asked["Keys"] if is_read else asked
        self.sizes.append(len(entries))
        undone: list[Any] = []
        if self.rounds:
            self.rounds -= 1
            entries, undone = entries[::2], entries[1::2]
        done = super().call(
            operation, table=table, RequestItems={physical: {**asked, "Keys": entries} if is_read else entries}
        )
        left = {physical: {**asked, "Keys": undone} if is_read else undone} if undone else {}
        return {**done, "UnprocessedKeys" if is_read else "UnprocessedItems": left}
