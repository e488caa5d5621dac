"""One write as a value: the same request is sent alone or inside a transaction, and explains its own failure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from apps.errors import DomainError

Kind = Literal["Put", "Update", "Delete", "ConditionCheck"]
OPERATIONS: Mapping[Kind, str] = {"Put": "put_item", "Update": "update_item", "Delete": "delete_item"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A conditional write to one item.

    `request` holds boto3's arguments; `explain` turns the item found when the condition failed (DynamoDB's JSON, or
    None) into the domain error to raise.
    """

    kind: Kind
    table: str
    request: Mapping[str, Any]
    explain: Callable[[Mapping[str, Any] | None], DomainError]

    def otherwise(self, error: DomainError) -> "Write":
        """The same write with an error of the caller's own for a failed condition."""
        return Write(kind=self.kind, table=self.table, request=self.request, explain=lambda _: error)
