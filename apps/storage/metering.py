"""What a block of code cost the store: requests and capacity units, as the store itself counted them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import Any


@dataclass(slots=True)
class Cost:
    """Running totals; units are DynamoDB's RCU and WCU.

    `requests` counts by `(operation, table)` what was answered, and `failed` what was not or was refused, such as a
    write whose condition failed; `units` counts by `(physical table, index or "")`. DynamoDB does not tell what a
    refused condition cost.
    """

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    failed: Counter[tuple[str, str]] = field(default_factory=Counter)
    read_units: float = 0.0
    write_units: float = 0.0
    units: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def total_requests(self) -> int:
        """Requests of every kind."""
        return sum(self.requests.values())

    def count(self, *operations: str) -> int:
        """Requests of these operations (`"get_item"`, `"query"` ...) over all tables."""
        return sum(number for (operation, _), number in self.requests.items() if operation in operations)

    def note(self, operation: str, table: str, consumed: list[Mapping[str, Any]], *, writes: bool) -> None:
        """Add one finished request and the capacity it consumed."""
        with self._lock:  # one meter may be fed from several threads of the pool
            self.requests[operation, table] += 1
            for part in consumed:
                total = float(part.get("CapacityUnits", 0))
                if writes:
                    self.write_units += total
                else:
                    self.read_units += total
                physical = str(part.get("TableName", table))
                self.units[physical, ""] += part.get("Table", {}).get("CapacityUnits", total)
                for index, share in part.get("GlobalSecondaryIndexes", {}).items():
                    self.units[physical, index] += share.get("CapacityUnits", 0)

    def note_failure(self, operation: str, table: str) -> None:
        """Add one request that raised an error."""
        with self._lock:
            self.failed[operation, table] += 1


_meters: ContextVar[tuple[Cost, ...]] = ContextVar("meters", default=())


@contextmanager
def metering() -> Iterator[Cost]:
    """Count what the code inside asks of the store, in this thread or task and in the pool threads it uses."""
    cost = Cost()
    token = _meters.set((*_meters.get(), cost))
    try:
        yield cost
    finally:
        _meters.reset(token)


def active_meters() -> tuple[Cost, ...]:
    """The meters that are counting here, outermost first."""
    return _meters.get()
