"""One write as a value: the same request is sent alone or inside a transaction, and explains its own failure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from apps.errors import DomainError
from apps.storage.errors import StoreError

Kind = Literal["Put", "Update", "Delete", "ConditionCheck"]
OPERATIONS: Mapping[Kind, str] = {"Put": "put_item", "Update": "update_item", "Delete": "delete_item"}


def never(_stored: Mapping[str, Any] | None) -> bool:
    """That a repeated request cannot be told from another's: what failed, failed."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A conditional write to one item.

    `key` is the item's (DynamoDB's JSON), `request` holds boto3's arguments; `explain` turns the item found when the
    condition failed (DynamoDB's JSON, or None) into the domain error to raise. `also` are the writes that must happen
    with it or not at all, such as its guards. `is_done` tells by the item found whether a repeated request failed only
    because the first one, whose answer was lost, had been carried out; `repeatable` is False where a second one could
    not tell and would do harm. A write that lets go a guard names who did in `lets_go`; one that takes it is made by
    `takes_after` as a hand-over from that one, where both are in one transaction.
    """

    kind: Kind
    table: str
    key: Mapping[str, Any]
    request: Mapping[str, Any]
    explain: Callable[[Mapping[str, Any] | None], DomainError]
    also: tuple["Write", ...] = ()
    is_done: Callable[[Mapping[str, Any] | None], bool] = never
    repeatable: bool = True
    lets_go: str = ""
    takes_after: Callable[[str], "Write"] | None = None

    def refused(self, found: Mapping[str, Any] | None) -> DomainError:
        """The error for a failed condition, which names where it happened."""
        error = self.explain(found)
        if isinstance(error, StoreError):
            error.at(table=self.table, operation=OPERATIONS.get(self.kind, "transact_write_items"), key=self.key)
        return error

    def otherwise(self, error: DomainError) -> "Write":
        """The same write with an error of the caller's own for a failed condition."""
        return replace(self, explain=lambda _: error)

    def with_also(self, *writes: "Write") -> "Write":
        """The same write, and these with it."""
        return replace(self, also=(*self.also, *writes))

    def each(self) -> tuple["Write", ...]:
        """It and every write that goes with it."""
        return (self, *(part for write in self.also for part in write.each()))
