"""The key of a row as one text, as addresses carry it: unambiguous for any value, and read back exactly."""

from decimal import Decimal, InvalidOperation
from functools import cache

from apps.errors import NotFound
from apps.storage.entity import Entity
from apps.storage.items.codec import Codec
from apps.storage.items.kinds import KeyValue, Kind
from apps.storage.items.values import plain_number
from apps.storage.table import AttributeType, Table

SEPARATOR = "~"
_ESCAPES = (("!", "!0"), (SEPARATOR, "!1"))  # the escape's own sign first
_DOTS = frozenset({".", ".."})  # browsers take them for the way to another directory


class RowKeys:
    """How the rows of an entity are named: by what is stored in the table's key.

    A lone key that is a text field is its own name. Otherwise the stored parts stand with `~` between them, where `~`
    and `!` inside a part are written `!1` and `!0`: `01JD…~ABC123DEF`.
    """

    def __init__(self, entity: type[Entity], table: Table) -> None:
        """Raises `TypeError` where nothing makes a part of the key, and for a key of bytes."""
        self._kind = Kind(Codec(entity, table), table)
        self._types = tuple(key.type for key in table.keys)
        if AttributeType.BINARY in self._types:
            raise TypeError(f"the console cannot name rows of {entity.__name__}: its key is bytes")
        self._noun = entity.__name__.lower()
        self.fields = tuple(dict.fromkeys(name for key in table.keys for name in self._kind.fields_in(key)))
        """The fields, or properties, that make the key."""
        self.single = self._lone_text_field()
        """The field that is the whole key, where one is, and its own name."""

    def text(self, entity: Entity) -> str:
        """The name of an entity's row. Raises `TypeError` where a part is missing, as an index may leave it out."""
        key = self._kind.at({name: getattr(entity, name) for name in self.fields})
        if self.single:
            return str(key)
        parts = key if isinstance(key, tuple) else (key,)
        return _joined([_plain(str(part), kind) for part, kind in zip(parts, self._types, strict=True)])

    def value(self, text: str) -> KeyValue:
        """The key to read, in stored form. Raises `NotFound` for a name that no row has."""
        if self.single:
            return text
        parts = [_unescaped(part) for part in text.split(SEPARATOR)]
        if len(parts) != len(self._types) or _joined(parts) != text or not all(map(_is_plain, parts, self._types)):
            raise NotFound(f"There is no such {self._noun}: the address is not complete.")
        return parts[0] if len(parts) == 1 else tuple(parts)

    def entered(self, text: str) -> dict[str, str]:
        """What its inputs held for each field of a key. Raises `NotFound` for a name that no row has."""
        key = self.value(text)
        found: dict[str, str] = {}
        for attribute, part in zip(self._kind.table.keys, key if isinstance(key, tuple) else (key,), strict=True):
            template = self._kind.codec.derived.get(attribute.name)
            if template is None:
                found |= {self._kind.fields_in(attribute)[0]: str(part)}
            elif template.matches(str(part)):  # anything can be in an address
                found |= template.read(str(part))
        return found

    def _lone_text_field(self) -> str | None:
        if len(self._types) > 1:
            return None
        field = self._kind.codec.by_stored.get(self._kind.table.partition_key.name)
        is_text = field is not None and self._kind.codec.entity.model_fields[field.name].annotation is str
        return field.name if field is not None and is_text else None


@cache
def row_keys(entity: type[Entity], table: Table) -> RowKeys:
    """The keys of an entity's rows, compiled once."""
    return RowKeys(entity, table)


def _joined(parts: list[str]) -> str:
    text = SEPARATOR.join(map(_escaped, parts))
    return text.replace(".", "!2") if text in _DOTS else text


def _escaped(part: str) -> str:
    for sign, escape in _ESCAPES:
        part = part.replace(sign, escape)
    return part


def _unescaped(part: str) -> str:
    for sign, escape in ((".", "!2"), *reversed(_ESCAPES)):
        part = part.replace(escape, sign)
    return part


def _plain(part: str, kind: AttributeType) -> str:
    """A part in the one form that it has in addresses; numbers can be written in several."""
    return plain_number(Decimal(part)) if kind is AttributeType.NUMBER else part


def _is_plain(part: str, kind: AttributeType) -> bool:
    try:
        return bool(part) and _plain(part, kind) == part
    except (InvalidOperation, ValueError):
        return False
