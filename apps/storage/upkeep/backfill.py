"""Work over every item of a kind: to bring it to the present schema version, or to seal its secrets with today's key.

The table is read page by page, whole. After each page a checkpoint says how far the work has come, so that it goes on
there after it was stopped or killed; doing a page twice does no harm, and neither do two at once. An item is written
only if nobody wrote it since it was read; else it is read again.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, ValidationError

from apps.errors import DomainError
from apps.storage.entity import Entity, Instant
from apps.storage.errors import (
    Contention,
    ItemNotFound,
    ItemTooLarge,
    SecretUnreadable,
    StaleVersion,
    StoreUnavailable,
    error_code,
    may_be_written,
)
from apps.storage.items.codec import Codec, Json, decode_any, encode_any
from apps.storage.items.size import MOST_BYTES, item_bytes
from apps.storage.items.upgrades import NewerItem
from apps.storage.plane import backoff
from apps.storage.repository import Repository
from apps.storage.requests.writing import Writer
from apps.storage.tables import CHECKPOINTS
from apps.storage.unique import places

ITEMS_A_PAGE = 200
FAILURES_KEPT = 100
STALE_TRIES = 6
# What an upgrade, which is a domain's own code, may well raise for an item that it did not expect.
_FAULTS_OF_ITEMS = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)


class Failure(BaseModel):
    """An item that could not be rewritten."""

    model_config = ConfigDict(frozen=True)

    key: str
    reason: str


class Checkpoint(Entity):
    """How far a task has come; `position` is the key after which it goes on, in DynamoDB's JSON.

    `goal` says what the task aims at: a checkpoint of another goal is of no use. `failures` are the first hundred.
    """

    task: str
    goal: str
    position: Mapping[str, Any] | None = None
    pages: int = 0
    looked_at: int = 0
    written: int = 0
    failed: int = 0
    failures: tuple[Failure, ...] = ()
    started_at: Instant
    updated_at: Instant
    finished_at: Instant | None = None


class Checkpoints(Repository[Checkpoint]):
    """How far long work has come."""

    entity = Checkpoint
    table = CHECKPOINTS
    noun = "checkpoint"


class Change(Protocol):
    """What is done to the items that are due for it."""

    verb: str

    def goal(self, codec: Codec[Any]) -> str:
        """What it aims at, in words that change when the aim does."""

    def is_due(self, codec: Codec[Any], item: Json) -> bool:
        """Whether this item must be rewritten."""

    def remade(self, codec: Codec[Any], item: Json) -> Json:
        """The item as it should be. Raises whatever says why this one cannot be made so."""


class Upgrading:
    """Brings items to the present schema version."""

    verb = "backfill"

    def goal(self, codec: Codec[Any]) -> str:
        """The version that this release writes."""
        return f"schema version {codec.schema.current if codec.schema else 1}"

    def is_due(self, codec: Codec[Any], item: Json) -> bool:
        """Whether it is in another version; that of a later release then fails."""
        return codec.schema is not None and codec.schema.of(item) != codec.schema.current

    def remade(self, codec: Codec[Any], item: Json) -> Json:
        """As this release stores it; what the entity does not declare stays as the upgrades left it."""
        upgraded = codec.schema.upgraded(item) if codec.schema else item
        declared = {*codec.by_stored, *codec.derived}
        kept = {name: value for name, value in upgraded.items() if name not in declared}
        return kept | codec.encode(codec.decode(item))


def sweep(
    repository: Writer[Any],
    change: Change,
    *,
    dry_run: bool = False,
    rate: float | None = None,
    restart: bool = False,
    tell: Callable[[Checkpoint], None] = lambda _: None,
) -> Checkpoint:
    """Rewrite every item that is due, and return how it went; `tell` hears after each page.

    `rate` is the most items to write a second. `restart` forgets an earlier checkpoint; `dry_run` neither uses nor
    writes one, nor any item. Raises `StoreUnavailable` where the store fails: the checkpoint is kept.
    """
    checkpoints = Checkpoints(repository.store, clock=repository.clock)
    at = _start(repository, change, None if dry_run or restart else checkpoints)
    pace = _Pace(rate)
    for items, position in pages_of(repository, at.position):
        outcomes = [_outcome(repository, change, item, dry_run=dry_run, pace=pace) for item in items]
        failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        now = repository.clock()
        at = at.evolve(
            position=position,
            pages=at.pages + 1,
            looked_at=at.looked_at + len(items),
            written=at.written + outcomes.count(True),
            failed=at.failed + len(failures),
            failures=(*at.failures, *failures)[:FAILURES_KEPT],
            updated_at=now,
            finished_at=now if position is None else None,
        )
        if not dry_run:
            checkpoints.put_many([at])
        tell(at)
    return at


def _start(repository: Writer[Any], change: Change, checkpoints: Checkpoints | None) -> Checkpoint:
    task = f"{change.verb} {repository.table.name}.{repository.entity.__name__}"
    goal = change.goal(repository.codec)
    found = checkpoints.find(task, consistent=True) if checkpoints else None
    if found is not None and found.goal == goal and found.finished_at is None:
        return found
    now = repository.clock()
    return Checkpoint(task=task, goal=goal, started_at=now, updated_at=now)


def pages_of(
    repository: Writer[Any], start: Mapping[str, Any] | None = None
) -> Iterator[tuple[list[Json], Json | None]]:
    """The kind's own items page by page, each with the key after which the next page begins; None after the last."""
    request: Json = {"TableName": repository.store.physical(repository.table), "Limit": ITEMS_A_PAGE}
    position = dict(start) if start else None
    while True:
        if position:
            request["ExclusiveStartKey"] = position
        answer = repository.store.call("scan", table=repository.table.name, ConsistentRead=True, **request)
        position = answer.get("LastEvaluatedKey")
        yield [item for item in answer["Items"] if repository.kind.owns(item)], position
        if position is None:
            return


class _Pace:
    """Spreads writes over time."""

    def __init__(self, rate: float | None) -> None:
        self.seconds = 1 / rate if rate else 0.0
        self.next = 0.0

    def wait(self) -> None:
        """Return when the next item may be written."""
        now = time.monotonic()
        if self.next > now:
            time.sleep(self.next - now)
        self.next = max(now, self.next) + self.seconds


def _outcome(repository: Writer[Any], change: Change, item: Json, *, dry_run: bool, pace: _Pace) -> bool | Failure:
    """Whether the item was, or in a dry run would be, written; why it could not be."""
    key = {key.name: item[key.name] for key in repository.table.keys}
    try:
        return _rewrite(repository, change, item, key=key, dry_run=dry_run, pace=pace)
    except StoreUnavailable as error:
        if not isinstance(error, SecretUnreadable | NewerItem):
            raise  # the store's trouble, not this item's
        return Failure(key=_text(key), reason=error.message)
    except DomainError as error:
        return Failure(key=_text(key), reason=error.message)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]  # what is stored there is nobody's business
        return Failure(key=_text(key), reason=f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
    except _FAULTS_OF_ITEMS as error:
        return Failure(key=_text(key), reason=f"{type(error).__name__}: {error}")


def _rewrite(
    repository: Writer[Any], change: Change, item: Json | None, *, key: Json, dry_run: bool, pace: _Pace
) -> bool:
    for attempt in range(STALE_TRIES):
        if item is None or _is_expired(repository, item) or not change.is_due(repository.codec, item):
            return False
        fresh = _remade(repository.codec, change, item, key=key)
        if dry_run:
            return True
        pace.wait()
        done = (
            _save(repository, item)
            if _moves_guards(repository, item, fresh)
            else _put(repository, fresh, instead_of=item)
        )
        if done:
            return True
        backoff.rest(attempt)
        item = repository.store.call(
            "get_item",
            table=repository.table.name,
            TableName=repository.store.physical(repository.table),
            Key=key,
            ConsistentRead=True,
        ).get("Item")
        if done is None and item is not None and _plain(item) == _plain(fresh):
            return True  # the first try was carried out, and its answer lost
    raise Contention


def _remade(codec: Codec[Any], change: Change, item: Json, *, key: Json) -> Json:
    version = codec.stored("version")
    written = int(item[version]["N"]) if version in item else 0
    fresh = change.remade(codec, item) | {version: {"N": str(written + 1)}}
    if any(decode_any(fresh.get(name, {"NULL": True})) != decode_any(value) for name, value in key.items()):
        raise ValueError("an upgrade must not change the key of an item")
    if item_bytes(fresh) > MOST_BYTES:
        raise ItemTooLarge(f"This item would take more than the {MOST_BYTES // 1024} KB that the store keeps.")
    # Bytes may have come in base64, and go out as bytes.
    return {name: encode_any(value) for name, value in _plain(fresh).items()}


def _moves_guards(repository: Writer[Any], item: Json, fresh: Json) -> bool:
    """Whether the item has other unique values afterwards, so that it cannot be written alone."""
    if not repository.entity.unique:
        return False
    codec, table = repository.codec, repository.table
    had = places(table, repository.entity, codec.guarded_in(item))
    return had.keys() != places(table, repository.entity, codec.decode(fresh).__dict__).keys()


def _save(repository: Writer[Any], item: Json) -> bool | None:
    """Whether the item was written with its guards. None where somebody wrote it meanwhile."""
    if not isinstance(repository, Repository):
        raise TypeError(f"{type(repository).__name__} cannot write guards")
    try:
        repository.save(repository.codec.decode(item))
    except (StaleVersion, ItemNotFound):
        return None
    return True


def _put(repository: Writer[Any], fresh: Json, *, instead_of: Json) -> bool | None:
    """Whether the item was replaced: only if nobody wrote it since it was read. None where that is not certain."""
    stored = repository.codec.stored("version")
    request: Json = {
        "Item": fresh,
        "ConditionExpression": "attribute_not_exists(#version) AND attribute_exists(#key)",
        "ExpressionAttributeNames": {"#version": stored, "#key": repository.table.partition_key.name},
    }
    if stored in instead_of:
        request["ConditionExpression"] = "#version = :version AND attribute_exists(#key)"
        request["ExpressionAttributeValues"] = {":version": instead_of[stored]}
    physical = repository.store.physical(repository.table)
    key = {key.name: fresh[key.name] for key in repository.table.keys}
    try:
        repository.store.call("put_item", table=repository.table.name, key=key, TableName=physical, **request)
    except (Contention, ClientError) as error:
        if isinstance(error, ClientError) and error_code(error) != "ConditionalCheckFailedException":
            raise
        return None if may_be_written(error) else False
    return True


def _is_expired(repository: Writer[Any], item: Json) -> bool:
    """Whether its time is up: DynamoDB deletes it soon."""
    ttl = repository.table.ttl
    return ttl is not None and "N" in item.get(ttl, {}) and int(item[ttl]["N"]) <= repository.clock().timestamp()


def _plain(item: Json) -> Json:
    return {name: decode_any(value) for name, value in item.items()}


def _text(key: Json) -> str:
    return ", ".join(f"{name}={decode_any(value)}" for name, value in key.items())
