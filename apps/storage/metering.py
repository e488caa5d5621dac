"""What a block of code cost the store: requests and capacity units, as the store itself counted them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol

# Only these count as writes for metering; everything else that reports capacity reads.
WRITES = frozenset({"put_item", "update_item", "delete_item", "batch_write_item", "transact_write_items"})
METERED = WRITES | {"get_item", "query", "scan", "batch_get_item", "transact_get_items"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what came of it: `answer` is None where it raised, `seconds` the wait with all retries.

    `table` is the declared name (several joined by `+` for a transaction), `operation` boto3's method name.
    """

    operation: str
    table: str
    request: Mapping[str, Any]
    answer: Mapping[str, Any] | None
    seconds: float

    @property
    def writes(self) -> bool:
        """Whether its capacity units are WCU."""
        return self.operation in WRITES

    @property
    def consumed(self) -> list[Mapping[str, Any]]:
        """DynamoDB's ConsumedCapacity, one entry a table; empty where the answer tells none."""
        told = (self.answer or {}).get("ConsumedCapacity", [])
        return told if isinstance(told, list) else [told]


class Observer(Protocol):
    """Whoever wants to see every exchange with the store."""

    def saw(self, exchange: Exchange) -> None:
        """Called once for each, in the thread that made it."""


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

    def saw(self, exchange: Exchange) -> None:
        """Add one finished request and the capacity it consumed, or one that failed."""
        with self._lock:  # one meter may be fed from several threads of the pool
            if exchange.answer is None:
                self.failed[exchange.operation, exchange.table] += 1
                return
            self.requests[exchange.operation, exchange.table] += 1
            for part in exchange.consumed:
                total = float(part.get("CapacityUnits", 0))
                if exchange.writes:
                    self.write_units += total
                else:
                    self.read_units += total
                physical = str(part.get("TableName", exchange.table))
                self.units[physical, ""] += part.get("Table", {}).get("CapacityUnits", total)
                for index, share in part.get("GlobalSecondaryIndexes", {}).items():
                    self.units[physical, index] += share.get("CapacityUnits", 0)


_observers: ContextVar[tuple[Observer, ...]] = ContextVar("observers", default=())


@contextmanager
def metering() -> Iterator[Cost]:
    """Count what the code inside asks of the store, in this thread or task and in the pool threads it uses."""
    cost = Cost()
    with observed_by(cost):
        yield cost


@contextmanager
def observed_by(observer: Observer) -> Iterator[None]:
    """Show `observer` every exchange of the code inside, in this thread or task and in the pool threads it uses."""
    token = _observers.set((*_observers.get(), observer))
    try:
        yield
    finally:
        _observers.reset(token)


def observers() -> tuple[Observer, ...]:
    """Who is watching here, outermost first."""
    return _observers.get()
