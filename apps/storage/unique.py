"""Uniqueness: a guard item for each value that only one item may have, written with that item.

A guard's key names table, field, scope and value (`Users.email#ada@example.org`); its owner is the key of the item that
has the value. What is taken is decided by a condition on the guard, inside the transaction of the change.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Context, Decimal
from enum import Enum
from typing import Any

import orjson

from apps.errors import DomainError
from apps.storage.conditions import attribute
from apps.storage.entity import Entity, Unique
from apps.storage.errors import ConditionFailed, Duplicate
from apps.storage.items.values import MOST_DIGITS
from apps.storage.requests.writing import Writer
from apps.storage.table import Table
from apps.storage.tables import UNIQUES
from apps.storage.writes import Write

LONGEST_PLAIN_BYTES = 1024
"""Longer values stand in their guard as a SHA-256: a partition key holds 2048 bytes."""


class Guard(Entity):
    """`guard` names what must be unique; `owner` is the key of the one that has it, as text (see `owner_text`)."""

    guard: str
    owner: str


class Guards(Writer[Guard]):
    """The guards; their writes are for transactions with the write of what they guard."""

    entity = Guard
    table = UNIQUES
    noun = "guard"

    def claiming(self, scope: str, value: str, *, owner: str, otherwise: DomainError, after: str = "") -> Write:
        """Take the value for `owner`; the transaction fails with `otherwise` where another has it.

        `after` is an owner who lets it go in the same transaction.
        """
        free = attribute("guard").missing() | attribute("owner").equals(owner)
        if after:
            free |= attribute("owner").equals(after)
        claim = self.putting(Guard(guard=f"{scope}#{value}", owner=owner), condition=free).otherwise(otherwise)
        return replace(
            claim,
            takes_after=lambda other: self.claiming(scope, value, owner=owner, otherwise=otherwise, after=other),
        )

    def releasing(self, scope: str, value: str, *, owner: str) -> Write:
        """Give the value up; fails where another owner holds it, which only damage can bring about."""
        mine = attribute("guard").missing() | attribute("owner").equals(owner)
        damaged = ConditionFailed("A guard of this item belongs to another one. Mend it with: manage.py repair_guards")
        write = self.deleting(f"{scope}#{value}", condition=mine, or_gone=True).otherwise(damaged)
        return replace(write, lets_go=owner)

    def owner(self, scope: str, value: str) -> str | None:
        """Who has the value, read consistently; None where nobody has."""
        found = self.find(f"{scope}#{value}", consistent=True)
        return found.owner if found else None


Place = tuple[str, str]
"""Scope and value of a guard: `("Users.email", "ada@example.org")`."""


def place(table: Table, unique: Unique, values: Mapping[str, Any]) -> Place | None:
    """What these values (by field) take; None where there is no value, or no scope for it."""
    value = values[unique.field]
    within = values[unique.within] if unique.within else ""
    if value is None or within is None:
        return None
    text = _text(value).casefold() if unique.folded else _text(value)
    if len(text.encode()) > LONGEST_PLAIN_BYTES:
        text = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    # The value comes last, so it may hold any character; what it is unique within is quoted, so that no two pairs
    # look alike.
    inside = _text(within).replace("%", "%25").replace("#", "%23") + "#" if unique.within else ""
    return f"{table.name}.{unique.field}", inside + text


def places(table: Table, kind: type[Entity], values: Mapping[str, Any]) -> dict[Place, Unique]:
    """Everything that an item with these values takes."""
    found = ((place(table, unique, values), unique) for unique in kind.unique)
    return {taken: unique for taken, unique in found if taken is not None}


def owner_text(key: Mapping[str, Any]) -> str:
    """An item's key (DynamoDB's JSON) as the text that its guards carry: a single part as it is, several as a list."""
    parts = [str(value) for json in key.values() for value in json.values()]
    return parts[0] if len(parts) == 1 else orjson.dumps(parts).decode()


def owner_key(table: Table, owner: str) -> str | tuple[str, ...]:
    """The key parts in a guard's owner."""
    return tuple(orjson.loads(owner)) if table.sort_key else owner


def already_taken(noun: str, unique: Unique) -> Duplicate:
    """The error of who wants a value that another has."""
    words = unique.field.replace("_", " ")
    return Duplicate(unique.message or f"Another {noun} has this {words} already. Choose another.", field=unique.field)


def _text(value: Any) -> str:
    if isinstance(value, Decimal):  # 1.0 and 1.00 are stored alike
        return format(value.normalize(Context(prec=MOST_DIGITS)), "f")
    return str(value.value if isinstance(value, Enum) else value)
