"""Several writes, to any tables, all or none; and several items read as of one moment."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from botocore.exceptions import ClientError

from apps.errors import DomainError
from apps.storage.connection import Store
from apps.storage.errors import (
    Contention,
    ItemTooLarge,
    StoreError,
    StoreUnavailable,
    Throttled,
    may_be_written,
    outcome_unknown,
)
from apps.storage.plane import backoff
from apps.storage.writes import Write

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
R = TypeVar("R")

MOST_ITEMS = 100
TRIES = 6


class Transaction:
    """Collects writes made by repositories (`adding`, `saving`, `updating` ...) and commits them together."""

    def __init__(self, store: Store, *writes: Write, token: str | None = None) -> None:
        """Start with these writes; `include` adds more, with the same limit.

        `token` (1 to 36 characters) makes the same transaction of another attempt, or another process, count once: the
        store remembers it for ten minutes. Without one every `commit` has its own.
        """
        self.store = store
        self.token = token
        self.writes: list[Write] = []
        self._places: dict[Any, int] = {}
        self.include(*writes)

    def include(self, *writes: Write) -> None:
        """Add writes, each with what goes with it (guards).

        Raises `ValueError` past DynamoDB's 100: larger work goes in steps that can be repeated.
        """
        for part in (part for write in writes for part in write.each()):
            at = (part.table, tuple(sorted(map(str, part.key.items()))))
            place = self._places.setdefault(at, len(self.writes))
            if place == len(self.writes):
                self.writes.append(part)
            else:
                self.writes[place] = _handed_over(self.writes[place], part)
        if len(self.writes) > MOST_ITEMS:
            raise ValueError(f"a transaction holds at most {MOST_ITEMS} writes, not {len(self.writes)}")

    def commit(self) -> None:
        """Write all, or raise the error of the first write whose condition failed and write none.

        The errors of other failed writes are that error's `others`. A transaction that meets another write, or a busy
        store, is repeated a few times before `Contention` or `Throttled`. A request whose answer was lost is repeated
        under the same token, so that everything happens once; where no try is answered and something in it adds to
        numbers or lists, that is `OutcomeUnknown`, unless the caller's own `token` makes it safe to commit again.
        Without writes there is nothing to do.
        """
        if not self.writes:
            return
        token = self.token or str(uuid.uuid4())
        items = [
            {write.kind: {**write.request, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}
            if "ConditionExpression" in write.request
            else {write.kind: dict(write.request)}
            for write in self.writes
        ]
        table = _joined(write.table for write in self.writes)
        uncertain = False
        for attempt in range(TRIES):
            try:
                self.store.call("transact_write_items", table=table, TransactItems=items, ClientRequestToken=token)
            except StoreUnavailable as error:
                # The caller's next commit has another token: what it adds would be added twice.
                uncertain |= may_be_written(error.__cause__)
                if uncertain and self.token is None and not self._is_repeatable:
                    raise outcome_unknown(table=table, operation="transact_write_items") from error
                raise
            except ClientError as error:
                passing = self._passing(error, table)
                # A cancelled transaction is over, and only a new token starts it afresh; but one whose answer was lost
                # may be stored under the old token, and a new one would do it twice.
                uncertain |= may_be_written(error)
                if not uncertain:
                    token = self.token or str(uuid.uuid4())
                backoff.rest(attempt)
            else:
                return
        if uncertain and self.token is None and not self._is_repeatable:
            raise outcome_unknown(table=table, operation="transact_write_items") from passing
        raise passing

    @property
    def _is_repeatable(self) -> bool:
        return all(write.repeatable for write in self.writes)

    def _passing(self, error: ClientError, table: str) -> DomainError:
        """The domain error behind a cancellation that may pass by itself; raises those behind any other."""
        reasons: list[Any] = error.response.get("CancellationReasons", [])
        refused = [self._refusal(write, reason) for write, reason in zip(self.writes, reasons, strict=False)]
        errors = [found for found in refused if found is not None]
        if errors:
            errors[0].others = tuple(errors[1:])
            raise errors[0] from error
        return _passing({str(reason.get("Code")) for reason in reasons}, error, "transact_write_items", table)

    def _refusal(self, write: Write, reason: Mapping[str, Any]) -> DomainError | None:
        if reason.get("Code") == "ConditionalCheckFailed":
            return write.refused(reason.get("Item"))
        too_large: StoreError | None = None
        if reason.get("Code") == "ValidationError" and "Item size" in str(reason.get("Message")):
            too_large = ItemTooLarge(f"An item of {write.table} is larger than DynamoDB's 400 KB.")
        elif reason.get("Code") == "ItemCollectionSizeLimitExceeded":
            too_large = ItemTooLarge("The items of one partition exceed what the store allows.")
        return too_large and too_large.at(table=write.table, operation="transact_write_items", key=write.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Generic[R]):
    """A question for one item, to be asked together with others; made by a repository's `reading`."""

    table: str
    request: Mapping[str, Any]
    read: Callable[[dict[str, Any]], R | None]


@overload
def read_together(store: Store, first: Reading[A], /) -> tuple[A | None]: ...
@overload
def read_together(store: Store, first: Reading[A], second: Reading[B], /) -> tuple[A | None, B | None]: ...
@overload
def read_together(
    store: Store, first: Reading[A], second: Reading[B], third: Reading[C], /
) -> tuple[A | None, B | None, C | None]: ...
@overload
def read_together(
    store: Store, first: Reading[A], second: Reading[B], third: Reading[C], fourth: Reading[D], /
) -> tuple[A | None, B | None, C | None, D | None]: ...
@overload
def read_together(store: Store, /, *readings: Reading[Any]) -> tuple[Any, ...]: ...


def read_together(store: Store, /, *readings: Reading[Any]) -> tuple[Any, ...]:
    """These items as they all were at one moment, None for each that is not there.

    Up to 100 of any tables, at twice the units of a consistent read. Raises `ValueError` for more, `Contention` where
    transactions keep writing them.
    """
    if len(readings) > MOST_ITEMS:
        raise ValueError(f"at most {MOST_ITEMS} items can be read together, not {len(readings)}")
    if not readings:
        return ()
    items = [{"Get": dict(reading.request)} for reading in readings]
    table = _joined(reading.table for reading in readings)
    for attempt in range(TRIES):
        try:
            answer = store.call("transact_get_items", table=table, TransactItems=items)
        except ClientError as error:
            codes = {str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])}
            passing = _passing(codes, error, "transact_get_items", table)
            backoff.rest(attempt)
        else:
            found = (part.get("Item") for part in answer["Responses"])
            return tuple(
                None if item is None else reading.read(item) for reading, item in zip(readings, found, strict=True)
            )
    raise passing


def _passing(codes: set[str], error: ClientError, operation: str, table: str) -> DomainError:
    passing: StoreError
    if codes & {"ThrottlingError", "ProvisionedThroughputExceeded"}:
        passing = Throttled("The store is busy. Try again in a moment.", retry_after_seconds=2)
    elif "TransactionConflict" in codes:
        passing = Contention()
    else:
        raise error
    passing.__cause__ = error
    return passing.at(table=table, operation=operation)


def _handed_over(one: Write, other: Write) -> Write:
    """Two writes to one guard as one: what the first lets go the second takes. Raises `ValueError` for other pairs."""
    if one.takes_after and other.takes_after:
        raise other.explain(None)
    claim, release = (one, other) if one.takes_after else (other, one)
    if claim.takes_after is None or not release.lets_go:
        raise ValueError(f"a transaction can write an item of {one.table} only once: {dict(one.key)}")
    return claim.takes_after(release.lets_go)


def _joined(tables: Iterable[str]) -> str:
    return "+".join(dict.fromkeys(tables))
