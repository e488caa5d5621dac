"""What a question really asks of the store: index, conditions, what is read against what is returned, and the cost."""

import base64
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from apps.storage.metering import Cost, Exchange, aligned, counted, observed_by, plain
from apps.storage.requests.reading import Reader
from apps.storage.table import Table

LONGEST_TEXT = 40
LONGEST_LINE = 240
KEYS_SHOWN = 3
PARTS_SHOWN = 4
_PLACEHOLDER = re.compile(r"[#:]\w+")
_NAME = re.compile(r"#\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request.

    `key`, `filter` and `condition` are readable expressions; bytes, and so every secret, show only their length.
    `index` is empty for the table itself. `examined` is how many items the store read, `returned` how many answered (a
    count tells how many it counted); a get reads what it returns. `changes` names the attributes that a write sets or
    removes. `answered` is False where the request failed or its condition refused it.
    """

    operation: str
    table: str
    index: str = ""
    key: str = ""
    filter: str = ""
    condition: str = ""
    changes: tuple[str, ...] = ()
    limit: int | None = None
    descending: bool = False
    consistent: bool = False
    projected: bool = False
    counts_only: bool = False
    continued: bool = False
    examined: int = 0
    returned: int = 0
    read_units: float = 0.0
    write_units: float = 0.0
    answered: bool = True

    @property
    def is_scan(self) -> bool:
        """Whether it reads a table from its start rather than by key."""
        return self.operation == "scan"

    @property
    def notes(self) -> tuple[str, ...]:
        """What else is worth knowing, in single words."""
        said = {
            "SCAN": self.is_scan,
            "failed": not self.answered,
            "consistent": self.consistent,
            "descending": self.descending,
            "projected": self.projected,
            "count": self.counts_only,
            "continued": self.continued,
        }
        return tuple(note for note, holds in said.items() if holds)


@dataclass(slots=True)
class Explanation:
    """The requests behind a question, in their order, with their totals; `answer` is what the question returned."""

    steps: list[Step] = field(default_factory=list)
    cost: Cost = field(default_factory=Cost)
    answer: Any = None

    def saw(self, exchange: Exchange) -> None:
        """Add one request."""
        self.cost.saw(exchange)
        self.steps.append(_step(exchange))

    @property
    def would_scan(self) -> bool:
        """Whether any request was a scan."""
        return any(step.is_scan for step in self.steps)

    @property
    def reads_more_than_it_returns(self) -> bool:
        """Whether the store read, and charged for, items that a filter then threw away."""
        return self.examined > self.returned

    @property
    def examined(self) -> int:
        """How many items the store read."""
        return sum(step.examined for step in self.steps)

    @property
    def returned(self) -> int:
        """How many items answered."""
        return sum(step.returned for step in self.steps)

    @property
    def indexes(self) -> tuple[str, ...]:
        """The indexes used, each once."""
        return tuple(dict.fromkeys(step.index for step in self.steps if step.index))

    def as_dict(self) -> dict[str, Any]:
        """Steps and totals as JSON takes them."""
        return {
            "steps": [{**asdict(step), "changes": list(step.changes), "scan": step.is_scan} for step in self.steps],
            "requests": len(self.steps),
            "read_units": self.cost.read_units,
            "write_units": self.cost.write_units,
            "examined": self.examined,
            "returned": self.returned,
            "indexes": list(self.indexes),
            "would_scan": self.would_scan,
            "reads_more_than_it_returns": self.reads_more_than_it_returns,
        }

    def __str__(self) -> str:
        if not self.steps:
            return "No request."
        headings = ("", "operation", "table", "index", "limit", "read", "returned", "RCU", "WCU", "notes")
        rows = [_row(number, step) for number, step in enumerate(self.steps, 1)]
        details = [f"{number}  {text}" for number, step in enumerate(self.steps, 1) if (text := _details(step))]
        total = f"{self.cost}: read {counted(self.examined, 'item')}, returned {self.returned}"
        return "\n".join([aligned(headings, rows), *details, total])


def explain(question: Callable[[], Any]) -> Explanation:
    """Ask a question for real and say what that meant for the store: `explain(lambda: users.listed("a"))`.

    A stream is read to its end. What the question raises is raised. Raises `TypeError` for a question that must be
    awaited: put that inside `explaining()`.
    """
    with explaining() as explanation:
        answer = question()
        if inspect.isawaitable(answer):
            if inspect.iscoroutine(answer):
                answer.close()
            raise TypeError("this question must be awaited: do that inside `with explaining()`")
        explanation.answer = list(answer) if isinstance(answer, Iterator) else answer
    return explanation


@contextmanager
def explaining() -> Iterator[Explanation]:
    """Say what the code inside asks of the store, in this thread or task and in the pool threads it uses."""
    explanation = Explanation()
    with observed_by(explanation):
        yield explanation


def _step(exchange: Exchange) -> Step:
    request, answer = exchange.request, exchange.answer or {}
    found, single = _items(answer), _single(request, exchange.table)
    writes = [*_writes(exchange)] or [single]
    index = exchange.index
    return Step(
        operation=exchange.operation,
        table=exchange.table,
        index=index,
        key=_joined(key for key, _, _ in writes) or _batch(request),
        filter=_readable(request.get("FilterExpression", ""), request),
        condition=_joined(condition for _, condition, _ in writes if condition),
        changes=tuple(dict.fromkeys(name for _, _, changes in writes for name in changes)),
        limit=request.get("Limit"),
        descending=request.get("ScanIndexForward") is False,
        consistent=_is_consistent(exchange),
        projected="ProjectionExpression" in request or (bool(index) and _is_projected(exchange.table, index)),
        counts_only=request.get("Select") == "COUNT",
        continued="ExclusiveStartKey" in request,
        examined=int(answer.get("ScannedCount", found)),
        returned=int(answer.get("Count", found)),
        read_units=sum(share.read_units for share in exchange.shares),
        write_units=sum(share.write_units for share in exchange.shares),
        answered=exchange.answer is not None,
    )


def _items(answer: Mapping[str, Any]) -> int:
    """How many items a get, a batch get or a reading transaction brought."""
    responses = answer.get("Responses", ())
    if isinstance(responses, Mapping):
        return sum(len(items) for items in responses.values())
    return sum("Item" in part for part in (answer, *responses))


Told = tuple[str, str, tuple[str, ...]]
"""Key, condition and changed attributes."""


def _single(request: Mapping[str, Any], table: str) -> Told:
    key = _readable(request.get("KeyConditionExpression", ""), request) or _key(request.get("Key", {}))
    changes = tuple(
        dict.fromkeys(_readable(name, request) for name in _NAME.findall(request.get("UpdateExpression", "")))
    )
    if "Item" in request:
        keys = {name for known in _declared(table) for name in (part.name for part in known.keys)}
        key = _key({name: json for name, json in request["Item"].items() if name in keys})
        changes = tuple(name for name in request["Item"] if name not in keys)
    return key, _readable(request.get("ConditionExpression", ""), request), changes


def _writes(exchange: Exchange) -> Iterator[Told]:
    """The parts of a transaction, each with its kind and table."""
    for item in exchange.request.get("TransactItems", ()):
        for kind, part in item.items():
            table = exchange.logical(part["TableName"])
            key, condition, changes = _single(part, table)
            yield f"{kind} {table} {key}".rstrip(), condition and f"{table}: {condition}", changes


def _batch(request: Mapping[str, Any]) -> str:
    """What a batch asks for: its first keys, or how many writes of a kind."""
    told: list[str] = []
    for asked in request.get("RequestItems", {}).values():
        if isinstance(asked, Mapping):
            told += [_key(key) for key in asked.get("Keys", ())]
        else:
            kinds = [next(iter(part)) for part in asked]
            told += [f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)]
    return _joined(told)


def _joined(parts: Iterable[str]) -> str:
    told = list(parts)
    more = len(told) - KEYS_SHOWN
    return "; ".join(told[:KEYS_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _is_consistent(exchange: Exchange) -> bool:
    batches = exchange.request.get("RequestItems", {}).values()
    return (
        exchange.operation == "transact_get_items"
        or bool(exchange.request.get("ConsistentRead"))
        or any(isinstance(asked, Mapping) and asked.get("ConsistentRead") for asked in batches)
    )


def _declared(table: str) -> Iterator[Table]:
    """The tables of this name that repositories are written for."""
    kinds = list(Reader.__subclasses__())
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        found = getattr(kind, "table", None)
        if isinstance(found, Table) and found.name == table:
            yield found


def _is_projected(table: str, index: str) -> bool:
    declared = (known for found in _declared(table) for known in found.indexes if known.name == index)
    return any(known.include is not None for known in declared)


def _row(number: int, step: Step) -> tuple[str, ...]:
    return (
        str(number),
        step.operation,
        step.table,
        step.index,
        "" if step.limit is None else str(step.limit),
        str(step.examined),
        str(step.returned),
        plain(step.read_units),
        plain(step.write_units),
        ", ".join(step.notes),
    )


def _details(step: Step) -> str:
    told = {"key": step.key, "filter": step.filter, "changes": ", ".join(step.changes), "if": step.condition}
    return _cut("  ".join(f"{word} {text}" for word, text in told.items() if text), LONGEST_LINE)


# --- expressions ------------------------------------------------------------------------------------------------------


def _readable(expression: str, request: Mapping[str, Any]) -> str:
    """An expression with names and values in the place of what stands for them."""
    names: Mapping[str, str] = request.get("ExpressionAttributeNames", {})
    values: Mapping[str, Any] = request.get("ExpressionAttributeValues", {})

    def said(match: re.Match[str]) -> str:
        placeholder = match[0]
        if placeholder in values:
            return _value(values[placeholder])
        return names.get(placeholder, placeholder)

    return _PLACEHOLDER.sub(said, expression)


def _key(key: Mapping[str, Any]) -> str:
    return " AND ".join(f"{name} = {_value(value)}" for name, value in key.items())


def _value(json: Mapping[str, Any]) -> str:
    """A value in DynamoDB's JSON as people read it, cut where it is long; bytes are never shown."""
    letter, value = next(iter(json.items()))
    if letter == "S":
        return repr(_cut(value, LONGEST_TEXT))
    if letter in {"B", "BS"}:
        return _bytes(value) if letter == "B" else f"{{{_some(_bytes(part) for part in value)}}}"
    if letter in {"SS", "NS"}:
        return f"{{{_some(_value({letter[0]: part}) for part in value)}}}"
    if letter == "L":
        return f"[{_some(_value(part) for part in value)}]"
    if letter == "M":
        return f"{{{_some(f'{name}: {_value(part)}' for name, part in value.items())}}}"
    return {"NULL": "null", "BOOL": str(value).lower()}.get(letter, str(value))


def _bytes(value: bytes | str) -> str:
    size = len(base64.b64decode(value)) if isinstance(value, str) else len(value)
    return f"<{counted(size, 'byte')}>"


def _some(parts: Iterable[str]) -> str:
    shown = list(parts)
    return ", ".join(shown[:PARTS_SHOWN]) + (
        f", and {len(shown) - PARTS_SHOWN} more" if len(shown) > PARTS_SHOWN else ""
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
