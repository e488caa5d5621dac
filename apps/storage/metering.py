"""What a block of code cost the store: requests and capacity units, as the store itself counted them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol

# Only these count as writes for metering; everything else that reports capacity reads.
WRITES = frozenset({"put_item", "update_item", "delete_item", "batch_write_item", "transact_write_items"})
METERED = WRITES | {"get_item", "query", "scan", "batch_get_item", "transact_get_items"}


@dataclass(frozen=True, slots=True)
class Share:
    """What one request consumed at one table (`index` is empty), or at one of its indexes."""

    table: str
    physical: str
    index: str
    read_units: float
    write_units: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what came of it: `answer` is None where it raised, `seconds` the wait with all retries.

    `table` is the declared name (several joined by `+` for a transaction), `operation` boto3's method name, `error`
    what was raised, where that is known.
    """

    operation: str
    table: str
    request: Mapping[str, Any]
    answer: Mapping[str, Any] | None
    seconds: float
    error: BaseException | None = None

    @property
    def writes(self) -> bool:
        """Whether its capacity units are WCU."""
        return self.operation in WRITES

    @property
    def index(self) -> str:
        """The index that was asked, or nothing for a table."""
        return str(self.request.get("IndexName", ""))

    @property
    def consumed(self) -> list[Mapping[str, Any]]:
        """DynamoDB's ConsumedCapacity, one entry a table; empty where the answer tells none."""
        told = (self.answer or {}).get("ConsumedCapacity", [])
        return told if isinstance(told, list) else [told]

    @property
    def shares(self) -> list[Share]:
        """What it consumed by table and index, in the order of the answer."""
        found = []
        for part in self.consumed:
            physical = str(part.get("TableName", self.table))
            places = {"": part.get("Table", part), **part.get("GlobalSecondaryIndexes", {})}
            for index, told in places.items():
                units = self._units(told)
                if any(units):
                    found.append(Share(self.logical(physical), physical, index, *units))
        return found

    def logical(self, physical: str) -> str:
        """The declared name of one of the tables that this request touched."""
        if "+" not in self.table:
            return self.table
        names, tables = self.table.split("+"), _tables(self.request)
        known = {found: name for found in tables for name in names if found.endswith(f"-{name}")}
        left = [name for name in names if name not in known.values()]
        # Renamed tables stand in the order in which the request touches them.
        known |= zip((found for found in tables if found not in known), left, strict=False)
        return known.get(physical, physical)

    def _units(self, told: Mapping[str, Any]) -> tuple[float, float]:
        # A transaction that was repeated under its token tells that it only read.
        if "ReadCapacityUnits" in told or "WriteCapacityUnits" in told:
            return float(told.get("ReadCapacityUnits", 0)), float(told.get("WriteCapacityUnits", 0))
        units = float(told.get("CapacityUnits", 0))
        return (0.0, units) if self.writes else (units, 0.0)


def _tables(request: Mapping[str, Any]) -> list[str]:
    """The physical tables of a batch or a transaction, each once, in the request's order."""
    inside = (part for item in request.get("TransactItems", ()) for part in item.values())
    return list(dict.fromkeys([*request.get("RequestItems", ()), *(str(part["TableName"]) for part in inside)]))


class Observer(Protocol):
    """Whoever wants to see every exchange with the store."""

    def saw(self, exchange: Exchange) -> None:
        """Called once for each, in the thread that made it; several threads may call it at once."""


@dataclass(slots=True)
class Line:
    """A part of a cost: what was answered, what failed or was refused, and units."""

    requests: int = 0
    failed: int = 0
    read_units: float = 0.0
    write_units: float = 0.0

    def add(self, other: "Line") -> None:
        """Count the other one in."""
        self.requests += other.requests
        self.failed += other.failed
        self.read_units += other.read_units
        self.write_units += other.write_units


Place = tuple[str, str, str]
"""Operation, declared table, index (empty for the table itself)."""


@dataclass(slots=True)
class Cost:
    """Running totals; units are DynamoDB's RCU and WCU, `seconds` the sum of all waits.

    `requests` counts by `(operation, table)` what was answered, and `failed` what was not or was refused, such as a
    write whose condition failed; `units` counts by `(physical table, index or "")`, and `lines` everything by
    `(operation, table, index or "")`. DynamoDB does not tell what a refused condition cost.
    """

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    failed: Counter[tuple[str, str]] = field(default_factory=Counter)
    read_units: float = 0.0
    write_units: float = 0.0
    units: Counter[tuple[str, str]] = field(default_factory=Counter)
    lines: dict[Place, Line] = field(default_factory=dict)
    seconds: float = 0.0
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    @property
    def total_requests(self) -> int:
        """Requests of every kind that were answered."""
        return sum(self.requests.values())

    @property
    def total_failed(self) -> int:
        """Requests of every kind that failed or were refused."""
        return sum(self.failed.values())

    @property
    def scans(self) -> int:
        """Scans, answered or not: they read a table from its start, whoever needs what."""
        line = self.of(operation="scan")
        return line.requests + line.failed

    def count(self, *operations: str) -> int:
        """Answered requests of these operations (`"get_item"`, `"query"` ...) over all tables."""
        return sum(number for (operation, _), number in self.requests.items() if operation in operations)

    def of(self, *, operation: str | None = None, table: str | None = None, index: str | None = None) -> Line:
        """The part that one operation, declared table or index had in it; an `index` of `""` is the table itself."""
        found = Line()
        for place, line in list(self.lines.items()):
            if all(asked is None or asked == is_ for asked, is_ in zip((operation, table, index), place, strict=True)):
                found.add(line)
        return found

    def saw(self, exchange: Exchange) -> None:
        """Add one finished request and the capacity it consumed, or one that failed."""
        asked, answered = (exchange.operation, exchange.table), exchange.answer is not None
        with self._lock:  # one meter may be fed from several threads of the pool
            self.seconds += exchange.seconds
            (self.requests if answered else self.failed)[asked] += 1
            self._line((*asked, exchange.index)).add(Line(requests=answered, failed=not answered))
            for share in exchange.shares:
                self.read_units += share.read_units
                self.write_units += share.write_units
                self.units[share.physical, share.index] += share.read_units + share.write_units  # type: ignore[assignment]
                spent = Line(read_units=share.read_units, write_units=share.write_units)
                self._line((exchange.operation, share.table, share.index)).add(spent)

    def __add__(self, other: "Cost") -> "Cost":
        total = Cost()
        for cost in (self, other):
            total.requests.update(cost.requests)
            total.failed.update(cost.failed)
            total.units.update(cost.units)
            total.read_units += cost.read_units
            total.write_units += cost.write_units
            total.seconds += cost.seconds
            for place, line in list(cost.lines.items()):
                total._line(place).add(line)
        return total

    def __str__(self) -> str:
        parts = [counted(self.total_requests, "request"), f"{plain(self.read_units)} RCU"]
        parts.append(f"{plain(self.write_units)} WCU")
        parts += [f"{self.total_failed} failed"] if self.total_failed else []
        parts += [counted(self.scans, "scan")] if self.scans else []
        return ", ".join(parts)

    def table(self) -> str:
        """The same by operation, table and index, as lines of text for people."""
        rows = [
            (
                *place,
                str(line.requests),
                str(line.failed or ""),
                plain(line.read_units),
                plain(line.write_units),
            )
            for place, line in sorted(self.lines.items())
        ]
        return aligned(("operation", "table", "index", "requests", "failed", "RCU", "WCU"), rows)

    def _line(self, place: Place) -> Line:
        return self.lines.setdefault(place, Line())


_observers: ContextVar[tuple[Observer, ...]] = ContextVar("observers", default=())
_permanent: tuple[Observer, ...] = ()
_permanent_lock = Lock()


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


def observe_always(observer: Observer) -> Callable[[], None]:
    """Show `observer` every exchange of this process from now on; call what is returned to end that."""
    global _permanent  # noqa: PLW0603  (one list a process, swapped as a whole so that readers need no lock)

    def end() -> None:
        global _permanent  # noqa: PLW0603
        with _permanent_lock:
            _permanent = tuple(known for known in _permanent if known is not observer)

    with _permanent_lock:
        _permanent = (*(known for known in _permanent if known is not observer), observer)
    return end


def observers() -> tuple[Observer, ...]:
    """Who is watching here: first those that see everything, then those of the blocks around, outermost first."""
    return (*_permanent, *_observers.get())


def plain(units: float) -> str:
    """Units as people write them: `2.5`, `3`."""
    return f"{units:.2f}".rstrip("0").rstrip(".")


def counted(number: int, noun: str) -> str:
    """`1 request`, `2 requests`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def aligned(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of text under their headings, as lines; columns in which nothing stands are left out."""
    kept = [column for column in range(len(headings)) if any(row[column] for row in rows)]
    lines = [[row[column] for column in kept] for row in (headings, *rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(kept))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
