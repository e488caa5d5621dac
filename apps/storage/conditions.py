"""Conditions, key conditions and updates as values; rendering them to DynamoDB's expressions is at the end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.storage.codec import Codec

MOST_ALTERNATIVES = 100


class Condition:
    """Something that must hold of a stored item; combine with `&`, `|` and `~`."""

    def __and__(self, other: "Condition") -> "Condition":
        return _Joined("AND", (self, other))

    def __or__(self, other: "Condition") -> "Condition":
        return _Joined("OR", (self, other))

    def __invert__(self) -> "Condition":
        return _Not(self)


@dataclass(frozen=True, slots=True)
class _Comparison(Condition):
    name: str
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class _Function(Condition):
    function: str
    name: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class _OneOf(Condition):
    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Joined(Condition):
    word: str
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class _Not(Condition):
    part: Condition


@dataclass(frozen=True, slots=True)
class Attribute:
    """A field of the entity, by its Python name, to say something about; made with `attribute(name)`."""

    name: str

    def equals(self, value: Any) -> Condition:
        """It has this value."""
        return _Comparison(self.name, "=", value)

    def differs(self, value: Any) -> Condition:
        """It has another value, or none."""
        return _Comparison(self.name, "<>", value)

    def below(self, value: Any) -> Condition:
        """It is less than the value."""
        return _Comparison(self.name, "<", value)

    def at_most(self, value: Any) -> Condition:
        """It is less than the value, or equal."""
        return _Comparison(self.name, "<=", value)

    def above(self, value: Any) -> Condition:
        """It is greater than the value."""
        return _Comparison(self.name, ">", value)

    def at_least(self, value: Any) -> Condition:
        """It is greater than the value, or equal."""
        return _Comparison(self.name, ">=", value)

    def one_of(self, *values: Any) -> Condition:
        """It has one of these values. Raises `ValueError` for none, or more than the 100 that DynamoDB takes."""
        if not 1 <= len(values) <= MOST_ALTERNATIVES:
            raise ValueError(f"one_of takes 1 to {MOST_ALTERNATIVES} values, not {len(values)}")
        return _OneOf(self.name, values)

    def exists(self) -> Condition:
        """It is stored at all."""
        return _Function("attribute_exists", self.name)

    def missing(self) -> Condition:
        """It is not stored."""
        return _Function("attribute_not_exists", self.name)

    def begins_with(self, prefix: str) -> Condition:
        """Its text begins so."""
        return _Function("begins_with", self.name, (prefix,))


def attribute(name: str) -> Attribute:
    """Start a condition on a field: `attribute("status").equals(Status.PENDING)`."""
    return Attribute(name)


@dataclass(frozen=True, slots=True)
class SortKey:
    """What a query asks of the sort key; made by the functions below."""

    operator: str
    values: tuple[Any, ...]


def begins_with(prefix: str) -> SortKey:
    """Sort keys that begin with `prefix`."""
    return SortKey("begins_with", (prefix,))


def between(low: Any, high: Any) -> SortKey:
    """Sort keys from `low` to `high`, both included."""
    return SortKey("BETWEEN", (low, high))


def at_most(value: Any) -> SortKey:
    """Sort keys up to and including `value`."""
    return SortKey("<=", (value,))


def sort_text(name: str, operator: str, values: Sequence[str]) -> str:
    """The key condition on the sort key `name`, with placeholders for its values."""
    if operator == "begins_with":
        return f"begins_with({name}, {values[0]})"
    if operator == "BETWEEN":
        return f"{name} BETWEEN {values[0]} AND {values[1]}"
    return f"{name} {operator} {values[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question to a table, or to one of its indexes: one partition, a range of sort keys, an order, a filter.

    Partition and sort values are Python values of the fields they are keys of.
    """

    partition: Any
    index: str | None = None
    sort: SortKey | None = None
    descending: bool = False
    filter: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What a partial update does, by field.

    None in `set` removes; `add` counts up; `default` sets only what is missing; `append` extends lists.
    """

    set: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, Any] = field(default_factory=dict)
    default: Mapping[str, Any] = field(default_factory=dict)
    append: Mapping[str, Any] = field(default_factory=dict)
    remove: tuple[str, ...] = ()


class Expressions:
    """Collects the names and values of one request's expressions."""

    def __init__(self, codec: Codec[Any]) -> None:
        """`codec` gives stored names and forms."""
        self.codec = codec
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def name(self, stored: str) -> str:
        """The placeholder of a stored attribute."""
        for placeholder, known in self.names.items():
            if known == stored:
                return placeholder
        placeholder = f"#{len(self.names)}"
        self.names[placeholder] = stored
        return placeholder

    def value(self, json: Any) -> str:
        """The placeholder of a value in DynamoDB's JSON."""
        placeholder = f":{len(self.values)}"
        self.values[placeholder] = json
        return placeholder

    def field(self, name: str) -> str:
        """The placeholder of a field."""
        return self.name(self.codec.stored(name))

    def compared(self, name: str, value: Any) -> str:
        """The placeholder of a value in the form of the field it is compared with."""
        return self.value(self.codec.encode_value(name, value))

    def condition(self, condition: Condition) -> str:
        """The text of a condition."""
        return _RENDER[type(condition)](self, condition)

    def update(self, update: Update, *, derived: Mapping[str, str | None]) -> str:
        """The text of an update; `derived` are stored attributes that follow from it (None: to be removed)."""
        sets, removes = [], [self.field(name) for name in update.remove]
        for name, value in update.set.items():
            if value is None:
                removes.append(self.field(name))
            else:
                sets.append(f"{self.field(name)} = {self.compared(name, value)}")
        for stored, text in derived.items():
            if text is None:
                removes.append(self.name(stored))
            else:
                sets.append(f"{self.name(stored)} = {self.value({'S': text})}")
        for name, value in update.default.items():
            sets.append(f"{self.field(name)} = if_not_exists({self.field(name)}, {self.compared(name, value)})")
        for name, value in update.append.items():
            empty = self.value({"L": []})
            old = f"if_not_exists({self.field(name)}, {empty})"
            sets.append(f"{self.field(name)} = list_append({old}, {self.compared(name, value)})")
        adds = [f"{self.field(name)} {self.compared(name, value)}" for name, value in update.add.items()]
        clauses = (("SET", sets), ("REMOVE", removes), ("ADD", adds))
        return " ".join(f"{word} {', '.join(parts)}" for word, parts in clauses if parts)

    def request(self) -> dict[str, Any]:
        """The two maps for the request; DynamoDB refuses empty ones."""
        named = {"ExpressionAttributeNames": self.names} if self.names else {}
        return {**named, **({"ExpressionAttributeValues": self.values} if self.values else {})}


def _comparison(to: Expressions, condition: Any) -> str:
    return f"{to.field(condition.name)} {condition.operator} {to.compared(condition.name, condition.value)}"


def _function(to: Expressions, condition: Any) -> str:
    arguments = [to.field(condition.name), *(to.value({"S": argument}) for argument in condition.arguments)]
    return f"{condition.function}({', '.join(arguments)})"


def _one_of(to: Expressions, condition: Any) -> str:
    values = ", ".join(to.compared(condition.name, value) for value in condition.values)
    return f"{to.field(condition.name)} IN ({values})"


def _joined(to: Expressions, condition: Any) -> str:
    return f" {condition.word} ".join(f"({to.condition(part)})" for part in condition.parts)


def _not(to: Expressions, condition: Any) -> str:
    return f"NOT ({to.condition(condition.part)})"


_RENDER: Mapping[type, Callable[[Expressions, Any], str]] = {
    _Comparison: _comparison,
    _Function: _function,
    _OneOf: _one_of,
    _Joined: _joined,
    _Not: _not,
}


def everything(*conditions: Condition | None) -> Condition | None:
    """All of these conditions together; None where none is given."""
    given = [condition for condition in conditions if condition is not None]
    if not given:
        return None
    return given[0] if len(given) == 1 else _Joined("AND", tuple(given))


__all__ = [
    "Attribute",
    "Condition",
    "Expressions",
    "Query",
    "SortKey",
    "Update",
    "at_most",
    "attribute",
    "begins_with",
    "between",
    "everything",
    "sort_text",
]
