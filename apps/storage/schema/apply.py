"""Bring tables about as they are declared: create what is missing, add what can be added, explain the rest.

Every table is looked at again after each step until nothing is left to do. So a second run does nothing, two runs at
once help each other, and a run that broke off is finished by the next.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from enum import StrEnum
from threading import Event
from typing import Any

from botocore.exceptions import ClientError

from apps.errors import DomainError
from apps.storage.connection import Store
from apps.storage.errors import StoreUnavailable, error_code
from apps.storage.schema.describe import RealIndex, RealTable, describe, describe_structure
from apps.storage.schema.plan import ON_DEMAND, Action, Step, differences, lacking, steps, wanted_tags
from apps.storage.table import Index, Key, Table

TABLES_AT_ONCE = 8
SETTLE_SECONDS = 3600.0  # DynamoDB fills a new index on a large table for that long and longer
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 3.0

# Another change to this table is under way; it ends by itself.
_BUSY = frozenset({"ResourceInUseException", "LimitExceededException", "ContinuousBackupsUnavailableException"})


class Status(StrEnum):
    """What became of a table."""

    CREATED = "created"
    EXISTS = "exists"
    UPDATED = "updated"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What setup did, or with a plan would do, to one table.

    `changes` says it in words; `notes` are things found that a person should know; `error` says why it failed.
    """

    table: Table
    physical: str
    status: Status
    duration_ms: int
    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    error: str | None = None
    unsupported: tuple[str, ...] = ()


def set_up(
    store: Store, tables: Sequence[Table], *, plan_only: bool = False, tell: Callable[[Outcome], None] | None = None
) -> tuple[Outcome, ...]:
    """Set up tables in parallel, in the order given; `tell` hears of each as soon as it is done.

    With `plan_only` nothing is changed. What goes wrong with one table is in its outcome and stops no other.
    """
    work = plan if plan_only else set_up_one
    stop = Event()
    outcomes: dict[str, Outcome] = {}
    with ThreadPoolExecutor(max_workers=TABLES_AT_ONCE) as pool:
        try:
            for future in as_completed([pool.submit(work, store, table, stop=stop) for table in tables]):
                outcome = future.result()
                outcomes[outcome.table.name] = outcome
                if tell is not None:
                    tell(outcome)
        except BaseException:
            stop.set()  # Ctrl-C must not wait for DynamoDB
            pool.shutdown(cancel_futures=True)
            raise
    return tuple(outcomes[table.name] for table in tables)


def drop_changed_indexes(store: Store, table: Table) -> tuple[str, ...]:
    """Drop the indexes that are not as declared, for `set_up` to build anew; returns their names.

    DynamoDB cannot change an index. On an embedded engine building one takes no time, and nobody else reads it.
    """
    real = describe_structure(store, table)
    changed = [
        index.name
        for index in table.indexes
        if real is not None
        and (found := real.indexes.get(index.name)) is not None
        and not _is_as_declared(index, found)
    ]
    for name in changed:
        drop = [{"Delete": {"IndexName": name}}]
        store.call("update_table", table=table.name, TableName=store.physical(table), GlobalSecondaryIndexUpdates=drop)
    return tuple(changed)


def _is_as_declared(index: Index, found: RealIndex) -> bool:
    declared = None if index.include is None else tuple(sorted(index.include))
    return found.keys == index.keys and found.include == declared


def plan(store: Store, table: Table, *, stop: Event | None = None) -> Outcome:
    """What `set_up_one` would do."""
    del stop
    return _timed(store, table, lambda: _planned(store, table))


def set_up_one(store: Store, table: Table, *, stop: Event | None = None) -> Outcome:
    """Create or complete one table and wait until it and its indexes are ACTIVE."""
    return _timed(store, table, lambda: _Setup(store, table, stop or Event()).run())


def _timed(store: Store, table: Table, work: Callable[[], Mapping[str, Any]]) -> Outcome:
    started = time.monotonic()
    try:
        found = work()
    except DomainError as error:
        found = {"status": Status.FAILED, "error": error.message}
    except ClientError as error:
        said = error.response.get("Error", {}).get("Message", "")
        found = {"status": Status.FAILED, "error": f"DynamoDB refuses ({error_code(error)}): {said}"}
    duration_ms = round((time.monotonic() - started) * 1000)
    return Outcome(table=table, physical=store.physical(table), duration_ms=duration_ms, **found)


def _planned(store: Store, table: Table) -> dict[str, Any]:
    real = describe(store, table)
    if real is None:
        indexes = f" with {', '.join(index.name for index in table.indexes)}" if table.indexes else ""
        return {"status": Status.CREATED, "changes": (f"create{indexes}",)}
    return _judged(store, table, real, changes=steps(differences(table, real, environment=store.environment)))


def _judged(
    store: Store, table: Table, real: RealTable, *, changes: Iterable[Step], created: bool = False
) -> dict[str, Any]:
    left = [difference for difference in differences(table, real, environment=store.environment) if not difference.step]
    blocking = " ".join(str(difference) for difference in left if difference.blocks)
    done = tuple(str(step) for step in changes)
    status = Status.CREATED if created else Status.UPDATED if done else Status.EXISTS
    return {
        "status": Status.FAILED if blocking else status,
        "error": blocking or None,
        "changes": done,
        "notes": tuple(str(difference) for difference in left if not difference.blocks),
        "unsupported": lacking(table, real, environment=store.environment),
    }


class _Setup:
    """One table on its way from what it is to what is declared."""

    def __init__(self, store: Store, table: Table, stop: Event) -> None:
        self.store = store
        self.table = table
        self.stop = stop
        self.physical = store.physical(table)
        self.deadline = time.monotonic() + SETTLE_SECONDS
        self.done: list[Step] = []

    def run(self) -> dict[str, Any]:
        created = describe_structure(self.store, self.table) is None and self.create()
        while True:
            real = self.settled()
            todo = [step for step in self.differences(real) if step not in self.done]
            if not todo:
                # Tags and recovery may lag behind on AWS: what was just done is taken at its word.
                return _judged(self.store, self.table, real, changes=() if created else self.done, created=created)
            if any(
                difference.blocks for difference in differences(self.table, real, environment=self.store.environment)
            ):
                return _judged(self.store, self.table, real, changes=self.done)
            self.take(todo[0], real)

    def differences(self, real: RealTable) -> tuple[Step, ...]:
        return steps(differences(self.table, real, environment=self.store.environment))

    def create(self) -> bool:
        try:
            self.call("create_table", **creation(self.table, self.physical, environment=self.store.environment))
        except ClientError as error:
            if error_code(error) != "ResourceInUseException":
                raise
            return False  # somebody else creates it at this moment
        return True

    def settled(self) -> RealTable:
        """Wait until the table and its indexes are ACTIVE."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            real = describe_structure(self.store, self.table)
            if real is not None and real.is_settled:
                complete = describe(self.store, self.table)
                if complete is not None:
                    return complete
            self.rest(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def take(self, step: Step, real: RealTable) -> None:
        """Do one step; where another change is under way, leave it for the next round."""
        try:
            self.perform(step, real)
        except (ClientError, StoreUnavailable) as error:
            cause = error if isinstance(error, ClientError) else error.__cause__
            if isinstance(cause, ClientError) and error_code(cause) in _BUSY:
                self.rest(1.0)
                return
            if self.is_done_by_somebody_else(step):
                return
            raise
        self.done.append(step)

    def is_done_by_somebody_else(self, step: Step) -> bool:
        real = describe(self.store, self.table)
        return real is not None and step not in self.differences(real)

    def perform(self, step: Step, real: RealTable) -> None:
        match step.action:
            case Action.ADD_INDEX:
                index = self.table.index(step.target)
                definitions = dict.fromkeys((*real.definitions, *index.keys))
                self.update(
                    AttributeDefinitions=_definitions(definitions),
                    GlobalSecondaryIndexUpdates=[{"Create": _index(index)}],
                )
            case Action.BILL_ON_DEMAND:
                self.update(BillingMode=ON_DEMAND)
            case Action.ENABLE_TTL:
                enabled = {"Enabled": True, "AttributeName": step.target}
                self.call("update_time_to_live", TableName=self.physical, TimeToLiveSpecification=enabled)
            case Action.ENABLE_RECOVERY:
                recovery = {"PointInTimeRecoveryEnabled": True}
                self.call(
                    "update_continuous_backups", TableName=self.physical, PointInTimeRecoverySpecification=recovery
                )
            case Action.TAG:
                name, _, value = step.target.partition("=")
                self.call("tag_resource", ResourceArn=real.arn, Tags=[{"Key": name, "Value": value}])
            case Action.PROTECT:
                self.update(DeletionProtectionEnabled=True)

    def update(self, **change: Any) -> None:
        self.call("update_table", TableName=self.physical, **change)

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        return self.store.call(operation, table=self.table.name, **request)

    def rest(self, seconds: float) -> None:
        if time.monotonic() > self.deadline:
            raise StoreUnavailable(
                f"{self.physical} is still being changed by DynamoDB; run manage.py setup_tables again later."
            )
        if self.stop.wait(seconds):
            raise StoreUnavailable("Stopped; DynamoDB finishes what it has begun.")


def creation(table: Table, physical: str, *, environment: str) -> dict[str, Any]:
    """The CreateTable request for a declared table."""
    request: dict[str, Any] = {
        "TableName": physical,
        "KeySchema": _schema(table.keys),
        "AttributeDefinitions": _definitions(table.key_attributes()),
        "BillingMode": ON_DEMAND,
        "Tags": [{"Key": name, "Value": value} for name, value in wanted_tags(environment).items()],
        "DeletionProtectionEnabled": environment == "prod",
    }
    if table.indexes:
        request["GlobalSecondaryIndexes"] = [_index(index) for index in table.indexes]
    return request


def _index(index: Index) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": "ALL" if index.include is None else "KEYS_ONLY"}
    if index.include:
        projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.include)}
    return {"IndexName": index.name, "KeySchema": _schema(index.keys), "Projection": projection}


def _schema(keys: Sequence[Key]) -> list[dict[str, str]]:
    return [{"AttributeName": key.name, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)]


def _definitions(keys: Iterable[Key]) -> list[dict[str, str]]:
    return [{"AttributeName": key.name, "AttributeType": key.type.value} for key in keys]
