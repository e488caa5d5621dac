"""Items as earlier releases wrote them, led to the present form when they are read.

An entity with two upgrades is in schema version 3: an item in version 1, or without a number, takes both steps, one in
version 2 the second. An upgrade sees plain values by stored name, and through an index only what that index carries: it
must bear that something is missing. A secret cannot be renamed: it opens only in the attribute it was sealed for. The
next save writes the new form with its number; `manage.py backfill` does that for all.
"""

from collections.abc import Mapping
from typing import Any, Final

from apps.storage.entity import Entity, stored_name
from apps.storage.errors import StoreUnavailable
from apps.storage.items.values import Json, decode_any, encode_any

FIELD: Final = "schema_version"


class NewerItem(StoreUnavailable):
    """A later release wrote this item; saving it from here would lose what only that release knows."""

    code = "newer_item"
    retryable = False


class Schema:
    """The schema version of one kind of entity, and the way to it."""

    def __init__(self, entity: type[Entity]) -> None:
        """Raises `TypeError` where the entity has a field of its own under the name of the version's attribute."""
        if FIELD in entity.model_fields:
            raise TypeError(f"{entity.__name__}.{FIELD} is filled in by its upgrades: it cannot be a field")
        self.entity = entity
        self.attribute = stored_name(FIELD, entity.naming)
        self.current = 1 + len(entity.upgrades)

    @property
    def number(self) -> Json:
        """The present version as stored."""
        return {"N": str(self.current)}

    def of(self, item: Mapping[str, Any]) -> int:
        """The version in which an item is stored."""
        found = item.get(self.attribute)
        return 1 if found is None else int(found["N"])

    def upgraded(self, item: Json) -> Json:
        """The item in the present form, as DynamoDB's JSON.

        Raises `NewerItem` for one that a later release wrote, and whatever an upgrade raises.
        """
        found = self.of(item)
        if found == self.current:
            return item
        if found > self.current:
            raise NewerItem(
                f"A stored {self.entity.__name__} is in version {found} of its form; this release knows {self.current}."
                " Update Rungs."
            )
        plain = {name: decode_any(value) for name, value in item.items() if name != self.attribute}
        for upgrade in self.entity.upgrades[found - 1 :]:
            plain = upgrade(plain)
        kept = {name: encode_any(value) for name, value in plain.items() if _is_stored(value)}
        return {**kept, self.attribute: self.number}


def _is_stored(value: Any) -> bool:
    return value is not None and not (isinstance(value, set | frozenset) and not value)
