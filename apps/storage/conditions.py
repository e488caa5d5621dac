"""Conditions, key conditions, questions and updates as values; `expressions.py` renders them for DynamoDB."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_ALTERNATIVES = 100


class Condition:
    """Something that must hold of a stored item; combine with `&`, `|` and `~`."""

    def __and__(self, other: "Condition") -> "Condition":
        return Joined("AND", (self, other))

    def __or__(self, other: "Condition") -> "Condition":
        return Joined("OR", (self, other))

    def __invert__(self) -> "Condition":
        return Not(self)

    def __bool__(self) -> bool:
        """Refused: `a and b` would silently be `b` alone."""
        raise TypeError("combine conditions with & and |, and ask `is not None` whether there is one")


@dataclass(frozen=True, slots=True)
class Comparison(Condition):
    """A field, or the size of one, against a value."""

    left: "Attribute | Size"
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Range(Condition):
    """A field, or the size of one, between two values, both included."""

    left: "Attribute | Size"
    low: Any
    high: Any


@dataclass(frozen=True, slots=True)
class Function(Condition):
    """One of DynamoDB's functions of an attribute, and of a value where it takes one."""

    function: str
    name: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class OneOf(Condition):
    """A field against several values."""

    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Joined(Condition):
    """Several conditions, all (`AND`) or any (`OR`) of which must hold."""

    word: str
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """The opposite of a condition."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Size:
    """How large a field is: the length of a text, the number of elements of a set, list or map."""

    name: str

    def equals(self, number: int) -> Condition:
        """It is so large."""
        return Comparison(self, "=", number)

    def differs(self, number: int) -> Condition:
        """It is larger or smaller, or the field is not stored."""
        return Comparison(self, "<>", number)

    def below(self, number: int) -> Condition:
        """It is smaller."""
        return Comparison(self, "<", number)

    def at_most(self, number: int) -> Condition:
        """It is not larger."""
        return Comparison(self, "<=", number)

    def above(self, number: int) -> Condition:
        """It is larger."""
        return Comparison(self, ">", number)

    def at_least(self, number: int) -> Condition:
        """It is not smaller."""
        return Comparison(self, ">=", number)

    def between(self, low: int, high: int) -> Condition:
        """It is from `low` to `high`, both included."""
        return Range(self, low, high)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A field of the entity, by its Python name, to say something about; made with `attribute(name)`."""

    name: str

    def equals(self, value: Any) -> Condition:
        """It has this value."""
        return Comparison(self, "=", value)

    def differs(self, value: Any) -> Condition:
        """It has another value, or none."""
        return Comparison(self, "<>", value)

    def below(self, value: Any) -> Condition:
        """It is less than the value."""
        return Comparison(self, "<", value)

    def at_most(self, value: Any) -> Condition:
        """It is less than the value, or equal."""
        return Comparison(self, "<=", value)

    def above(self, value: Any) -> Condition:
        """It is greater than the value."""
        return Comparison(self, ">", value)

    def at_least(self, value: Any) -> Condition:
        """It is greater than the value, or equal."""
        return Comparison(self, ">=", value)

    def between(self, low: Any, high: Any) -> Condition:
        """It is from `low` to `high`, both included."""
        return Range(self, low, high)

    def one_of(self, *values: Any) -> Condition:
        """It has one of these values. Raises `ValueError` for none, or more than the 100 that DynamoDB takes."""
        if not 1 <= len(values) <= MOST_ALTERNATIVES:
            raise ValueError(f"one_of takes 1 to {MOST_ALTERNATIVES} values, not {len(values)}")
        return OneOf(self.name, values)

    def exists(self) -> Condition:
        """It is stored at all."""
        return Function("attribute_exists", self.name)

    def missing(self) -> Condition:
        """It is not stored."""
        return Function("attribute_not_exists", self.name)

    def begins_with(self, prefix: str) -> Condition:
        """Its text begins so."""
        return Function("begins_with", self.name, (prefix,))

    def contains(self, part: Any) -> Condition:
        """Its text holds this text, or its set or list this element."""
        return Function("contains", self.name, (part,))

    @property
    def size(self) -> Size:
        """How large it is, to be compared: `attribute("tags").size.at_least(2)`."""
        return Size(self.name)


def attribute(name: str) -> Attribute:
    """Start a condition on a field: `attribute("status").equals(Status.PENDING)`.

    `attribute("part.weight")` is a field of a field that is a model, `attribute("settings.colour")` an entry of a map.
    """
    return Attribute(name)


def everything(*conditions: Condition | None) -> Condition | None:
    """All of these conditions together; None where none is given."""
    given = [condition for condition in conditions if condition is not None]
    if not given:
        return None
    return given[0] if len(given) == 1 else Joined("AND", tuple(given))


@dataclass(frozen=True, slots=True)
class SortKey:
    """What a query asks of the sort key; made by the functions below."""

    operator: str
    values: tuple[Any, ...]


def equals(value: Any) -> SortKey:
    """The one sort key `value`."""
    return SortKey("=", (value,))


def begins_with(prefix: str) -> SortKey:
    """Sort keys that begin with `prefix`."""
    return SortKey("begins_with", (prefix,))


def between(low: Any, high: Any) -> SortKey:
    """Sort keys from `low` to `high`, both included."""
    return SortKey("BETWEEN", (low, high))


def at_most(value: Any) -> SortKey:
    """Sort keys up to and including `value`."""
    return SortKey("<=", (value,))


def at_least(value: Any) -> SortKey:
    """Sort keys from `value` on, including it."""
    return SortKey(">=", (value,))


def below(value: Any) -> SortKey:
    """Sort keys before `value`."""
    return SortKey("<", (value,))


def above(value: Any) -> SortKey:
    """Sort keys after `value`."""
    return SortKey(">", (value,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question to a table, or to one of its indexes: one partition, a range of sort keys, an order, a filter.

    Partition and sort values are Python values of the fields they are keys of; of a key that a template makes, its
    text. `Reader.where` makes a query from fields.
    """

    partition: Any
    index: str | None = None
    sort: SortKey | None = None
    descending: bool = False
    filter: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What a partial update does, by field.

    None in `set` removes; `add` counts numbers up and puts elements into sets, `discard` takes elements out of sets;
    `default` sets only what is missing; `append` extends lists. In `set` and `remove`, `settings.colour` is one entry
    of a stored map, which must be there.
    """

    set: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, Any] = field(default_factory=dict)
    discard: Mapping[str, Any] = field(default_factory=dict)
    default: Mapping[str, Any] = field(default_factory=dict)
    append: Mapping[str, Any] = field(default_factory=dict)
    remove: tuple[str, ...] = ()

    @property
    def touched(self) -> frozenset[str]:
        """Every name that it changes, or may change."""
        return frozenset({*self.set, *self.add, *self.discard, *self.default, *self.append, *self.remove})
