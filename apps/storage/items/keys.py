"""Key templates: how a key's text follows from fields, and the fields from the text.

Rungs serves a single organisation. The place to make it serve several is here: a leading `{org_id}#` in the templates.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final, get_origin

from pydantic import BaseModel

from apps.errors import Invalid
from apps.storage.items.values import MOST_DIGITS, iso, plain_number

DELIMITER = "#"

_SLOT = re.compile(r"\{(\w+)(?::0(\d+))?\}")


class UnfitKey(Invalid, ValueError):
    """A value that cannot stand in a key."""

    code = "unfit_key"


@dataclass(frozen=True, slots=True)
class Slot:
    """A field's place in a template: its name, its width where it is a padded number, the constant text after it."""

    field: str
    width: int | None
    after: str

    def text(self, value: Any) -> str:
        """The value as it stands here. Raises `UnfitKey` for a number that would sort wrongly, or what is none."""
        return key_text(value) if self.width is None else _padded(value, self.width)


class KeyTemplate:
    """A template such as `{status}#{policy_number}`; text outside braces stands for itself.

    `{version:06}` is a whole number of six digits with leading zeros, so that the keys sort as the numbers do. Instants
    are ISO text with milliseconds, enums their values, flags 0 or 1, numbers their digits without an end of zeros.
    Bytes, sets, lists, maps and floats have no place in a key's text.
    """

    def __init__(self, template: str) -> None:
        """Take the template apart.

        Raises `ValueError` where fields have no `#` between them, which tells them apart, where one stands twice, or
        where something in braces is no field.
        """
        self.template = template
        self.start, *rest = _SLOT.split(template)
        self.slots = tuple(
            Slot(field, int(width) if width else None, after)
            for field, width, after in zip(rest[::3], rest[1::3], rest[2::3], strict=True)
        )
        self.fields = tuple(slot.field for slot in self.slots)
        if any(DELIMITER not in slot.after for slot in self.slots[:-1]):
            raise ValueError(f"{template!r} has two fields without a delimiter between them")
        if len(set(self.fields)) < len(self.fields):
            raise ValueError(f"{template!r} has a field twice")
        if any(brace in text for text in (self.start, *(slot.after for slot in self.slots)) for brace in "{}"):
            raise ValueError(f"{template!r} has something in braces that is neither {{field}} nor {{field:06}}")
        any_text = "(?s:.*)" if len(self.fields) == 1 else f"[^{DELIMITER}]*"
        self._pattern = re.compile(
            re.escape(self.start)
            + "".join(f"(?P<{slot.field}>{any_text}){re.escape(slot.after)}" for slot in self.slots)
        )

    @property
    def form(self) -> str:
        """The template without the names of its fields: `SHOP#{}`."""
        return self.start + "".join("{}" + slot.after for slot in self.slots)

    @property
    def says_something(self) -> bool:
        """Whether it has text of its own, by which its keys may be known from others."""
        return bool(self.start or any(slot.after for slot in self.slots))

    def fill(self, value_of: Callable[[str], Any]) -> str | None:
        """The key for the fields that `value_of` gives by name, or None where one of them is None.

        Raises `UnfitKey` for a value that holds the delimiter, and for a number that does not fit.
        """
        filled = [self.start]
        for slot in self.slots:
            value = value_of(slot.field)
            if value is None:
                return None
            filled += (self._text(slot, value), slot.after)
        return "".join(filled)

    def begin(self, values: Mapping[str, Any]) -> tuple[str, tuple[Slot, ...]]:
        """How every key with these values begins, and the places that are left open: from the first one not given."""
        text = self.start
        for position, slot in enumerate(self.slots):
            if values.get(slot.field) is None:
                return text, self.slots[position:]
            text += self._text(slot, values[slot.field]) + slot.after
        return text, ()

    def read(self, key: str) -> Mapping[str, str]:
        """The fields' texts in a key. Raises `ValueError` where the key is not of this form."""
        found = self._pattern.fullmatch(key)
        if found is None:
            raise ValueError(f"{key!r} is not of the form {self.template!r}")
        return found.groupdict()

    def matches(self, key: str) -> bool:
        """Whether a key is of this form."""
        return self._pattern.fullmatch(key) is not None

    def overlaps(self, other: "KeyTemplate") -> bool:
        """Whether one key could be of both forms; where that is hard to tell, True."""
        if not self.fields:
            return other.matches(self.start)
        if not other.fields:
            return self.matches(other.start)
        if len(self.fields) == 1 or len(other.fields) == 1:  # a lone field may hold the delimiter
            return _agree(_ends(self), _ends(other))
        mine, theirs = _segments(self), _segments(other)
        return len(mine) == len(theirs) and all(map(_agree, mine, theirs))

    def _text(self, slot: Slot, value: Any) -> str:
        text = slot.text(value)
        if DELIMITER in text and len(self.fields) > 1:
            raise UnfitKey(
                f"{text!r} holds {DELIMITER!r}, which separates the parts of {self.template!r}.", field=slot.field
            )
        return text


def _ends(template: KeyTemplate) -> tuple[str, str | None]:
    return template.start, template.slots[-1].after


def _segments(template: KeyTemplate) -> list[tuple[str, str | None]]:
    """What stands between delimiters: the constant text before and after a field, or a constant and None."""
    pieces = (_SLOT.split(segment) for segment in template.template.split(DELIMITER))
    return [(piece[0], piece[3] if len(piece) > 1 else None) for piece in pieces]


def _agree(one: tuple[str, str | None], other: tuple[str, str | None]) -> bool:
    """Whether some text begins and ends as both do; an end of None says that the beginning is all."""
    (start, end), (their_start, their_end) = one, other
    if end is None:
        return start == their_start if their_end is None else _agree(other, one)
    if their_end is None:
        return len(their_start) >= len(start) + len(end) and their_start.startswith(start) and their_start.endswith(end)
    starts_agree = start.startswith(their_start) or their_start.startswith(start)
    return starts_agree and (end.endswith(their_end) or their_end.endswith(end))


def key_text(value: Any) -> str:
    """A field's value as text in a key.

    Raises `UnfitKey` for a number that the store would not keep, `TypeError` for what has no one text.
    """
    if isinstance(value, str) and not isinstance(value, Enum):
        return str(value)
    if isinstance(value, Enum):
        return key_text(value.value)
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Decimal):
        return _digits(value)
    if isinstance(value, _UNFIT):
        raise TypeError(f"a {type(value).__name__} has no one text that could stand in a key")
    return str(value)


def stands_in_keys(kind: Any) -> bool:
    """Whether values of a type can stand in a template."""
    plain = get_origin(kind) or kind
    return not (isinstance(plain, type) and issubclass(plain, _UNFIT))


_UNFIT: Final = (bytes, bytearray, float, set, frozenset, Mapping, list, tuple, BaseModel)


def _digits(value: Decimal) -> str:
    if not value.is_finite():
        raise UnfitKey(f"{value} is no finite number: it cannot stand in a key.")
    if len(value.as_tuple().digits) > MOST_DIGITS:
        raise UnfitKey(f"{value} has more than {MOST_DIGITS} digits: it cannot stand in a key.")
    return plain_number(value)


def _padded(value: Any, width: int) -> str:
    plain = value.value if isinstance(value, Enum) else value
    text = plain if isinstance(plain, str) else format(plain, "d") if isinstance(plain, int) else ""
    if not (text.isascii() and text.isdigit()) or len(text.lstrip("0")) > width:
        raise UnfitKey(f"{value!r} cannot stand in a key here: that takes whole numbers from 0 to {'9' * width}.")
    return text.lstrip("0").zfill(width)
