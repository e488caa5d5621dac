"""Conditions, questions and updates in DynamoDB's own words: expressions with placeholders for names and values."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, get_args, get_origin

from apps.storage.conditions import (
    Attribute,
    Comparison,
    Condition,
    Function,
    Joined,
    Not,
    OneOf,
    Range,
    Size,
    Update,
)
from apps.storage.items.codec import Codec
from apps.storage.items.inside import path_to
from apps.storage.items.values import encode_any

Json = dict[str, Any]


class Expressions:
    """Collects the names and values of one request's expressions."""

    def __init__(self, codec: Codec[Any], *, key: Json | None = None) -> None:
        """`codec` gives stored names and forms; `key` is the key of the item that is changed, where one is."""
        self.codec = codec
        self.key = key
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
        """The placeholder of a field, or of an entry inside a stored map (`settings.colour`)."""
        stored = path_to(self.codec, name)[0] if "." in name else [self.codec.stored(name)]
        return ".".join(map(self.name, stored))

    def compared(self, name: str, value: Any, *, for_equality: bool = False) -> str:
        """The placeholder of a value in the form of the field it is compared with."""
        if "." in name:
            return self.value(self._inside(name, value))
        self.codec.comparable(name, for_equality=for_equality)
        return self.value(self.codec.encode_value(name, value))

    def assigned(self, name: str, value: Any) -> str:
        """The placeholder of a value in the form in which the field stores it, in the item with `key`."""
        return self.value(
            self._inside(name, value) if "." in name else self.codec.encode_value(name, value, key=self.key)
        )

    def _inside(self, name: str, value: Any) -> Json:
        encoded = path_to(self.codec, name)[1](value)
        if encoded is None:
            raise ValueError(f"an empty set cannot be stored in {name}: remove it instead")
        return encoded

    def condition(self, condition: Condition) -> str:
        """The text of a condition."""
        return _RENDER[type(condition)](self, condition)

    def update(
        self, update: Update, *, derived: Mapping[str, str | None], also: Mapping[str, Json] = MappingProxyType({})
    ) -> str:
        """The text of an update.

        `derived` are stored attributes that follow from it (None: to be removed), `also` some to be set (to DynamoDB's
        JSON) beside it.
        """
        sets = [f"{self.name(stored)} = {self.value(json)}" for stored, json in also.items()]
        removes = [self.field(name) for name in update.remove]
        for name, value in update.set.items():
            if value is None:
                removes.append(self.field(name))
            else:
                sets.append(f"{self.field(name)} = {self.assigned(name, value)}")
        for stored, json in derived.items():
            if json is None:
                removes.append(self.name(stored))
            else:
                sets.append(f"{self.name(stored)} = {self.value(json)}")
        for name, value in update.default.items():
            sets.append(f"{self.field(name)} = if_not_exists({self.field(name)}, {self.assigned(name, value)})")
        for name, value in update.append.items():
            empty = self.value({"L": []})
            old = f"if_not_exists({self.field(name)}, {empty})"
            sets.append(f"{self.field(name)} = list_append({old}, {self.assigned(name, value)})")
        adds = [f"{self.field(name)} {self.assigned(name, value)}" for name, value in update.add.items()]
        deletes = [f"{self.field(name)} {self.assigned(name, value)}" for name, value in update.discard.items()]
        clauses = (("SET", sets), ("REMOVE", removes), ("ADD", adds), ("DELETE", deletes))
        return " ".join(f"{word} {', '.join(parts)}" for word, parts in clauses if parts)

    def request(self) -> dict[str, Any]:
        """The two maps for the request; DynamoDB refuses empty ones."""
        named = {"ExpressionAttributeNames": self.names} if self.names else {}
        return {**named, **({"ExpressionAttributeValues": self.values} if self.values else {})}

    def element(self, name: str, value: Any) -> str:
        """The placeholder of what a field may contain: a text in a text, an element of a set or a list."""
        if "." in name:  # what it is does not show from here
            return self.value(encode_any(value))
        self.codec.comparable(name)
        info = self.codec.entity.model_fields.get(name)
        kinds = {get_origin(part) for part in (info.annotation, *get_args(info.annotation))} if info else set()
        if kinds & {set, frozenset}:
            ((letters, (one,)),) = self.codec.encode_value(name, frozenset({value})).items()
            return self.value({letters[0]: one})
        if kinds & {list, tuple}:
            return self.value(self.codec.encode_value(name, (value,))["L"][0])
        return self.compared(name, value)


def sort_text(name: str, operator: str, values: Sequence[str]) -> str:
    """The key condition on the sort key `name`, with placeholders for its values."""
    if operator == "begins_with":
        return f"begins_with({name}, {values[0]})"
    if operator == "BETWEEN":
        return f"{name} BETWEEN {values[0]} AND {values[1]}"
    return f"{name} {operator} {values[0]}"


def _sides(to: Expressions, left: Attribute | Size, *values: Any, for_equality: bool = False) -> list[str]:
    """The left side of a comparison and the values in its form."""
    name = to.field(left.name)
    if isinstance(left, Size):
        to.codec.comparable(left.name)
        return [f"size({name})", *(to.value(encode_any(value)) for value in values)]
    return [name, *(to.compared(left.name, value, for_equality=for_equality) for value in values)]


def _comparison(to: Expressions, condition: Any) -> str:
    left, right = _sides(to, condition.left, condition.value, for_equality=condition.operator == "=")
    return f"{left} {condition.operator} {right}"


def _range(to: Expressions, condition: Any) -> str:
    left, low, high = _sides(to, condition.left, condition.low, condition.high)
    # DynamoDB refuses a BETWEEN whose bounds are the wrong way round; here that simply never holds.
    return f"{left} >= {low} AND {left} <= {high}"


def _function(to: Expressions, condition: Any) -> str:
    name = condition.name
    if condition.function == "contains":
        arguments = [to.element(name, argument) for argument in condition.arguments]
    else:
        if condition.arguments:
            to.codec.comparable(name)
        arguments = [to.value({"S": argument}) for argument in condition.arguments]
    return f"{condition.function}({', '.join((to.field(name), *arguments))})"


def _one_of(to: Expressions, condition: Any) -> str:
    values = ", ".join(to.compared(condition.name, value) for value in condition.values)
    return f"{to.field(condition.name)} IN ({values})"


def _joined(to: Expressions, condition: Any) -> str:
    return f" {condition.word} ".join(f"({to.condition(part)})" for part in condition.parts)


def _not(to: Expressions, condition: Any) -> str:
    return f"NOT ({to.condition(condition.part)})"


_RENDER: Mapping[type, Callable[[Expressions, Any], str]] = {
    Comparison: _comparison,
    Range: _range,
    Function: _function,
    OneOf: _one_of,
    Joined: _joined,
    Not: _not,
}
