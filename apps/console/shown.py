"""Values as people read them, whatever their type: a template draws each form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import BaseModel

from apps.console.forms.editors import words

MOST_CHIPS_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Value:
    """A value to show.

    `form` is `yes`, `no`, `time`, `number`, `lines`, `text`, `chips` (of texts), `size` (in bytes), `facts` (pairs of a
    name and a `Value`), `list` (of `Value`s), `link` (a text that leads to `url`) or `none`.
    """

    form: str
    value: Any
    url: str = ""

    @property
    def is_long(self) -> bool:
        """Whether it is better folded up."""
        return self.form in {"facts", "list"}

    @property
    def summary(self) -> str:
        """What is said of it while it is folded up."""
        many = len(self.value)
        return f"{many} {'field' if self.form == 'facts' else 'row'}{'' if many == 1 else 's'}"


NOTHING = Value("none", None)


def value_as_shown(value: Any) -> Value:
    """The form in which a value is shown."""
    if value is None or value == "":
        return NOTHING
    for kind, form in _FORMS:
        if isinstance(value, kind):
            return form(value)
    return Value("lines" if isinstance(value, str) and "\n" in value else "text", value)


def _facts(parts: Mapping[str, Any]) -> Value:
    found = tuple((name, value_as_shown(part)) for name, part in parts.items())
    return Value("facts", found) if found else NOTHING


def _many(parts: Any) -> Value:
    """Short texts as chips, anything else one below the other; those of a set sorted."""
    if not parts:
        return NOTHING
    found = [value_as_shown(part) for part in parts]
    if all(one.form in {"text", "number"} and len(str(one.value)) <= MOST_CHIPS_LENGTH for one in found):
        texts = [str(one.value) for one in found]
        return Value("chips", tuple(sorted(texts) if isinstance(parts, set | frozenset) else texts))
    return Value("list", tuple(found))


# The first that fits: an enum may be a text as well, a bool is a number, an instant is a date.
_FORMS: tuple[tuple[Any, Callable[[Any], Value]], ...] = (
    (Enum, lambda value: Value("text", words(value))),
    (bool, lambda value: Value("yes" if value else "no", value)),
    (datetime, lambda value: Value("time", value)),
    ((int, Decimal), lambda value: Value("number", value)),
    (date, lambda value: Value("text", value.isoformat())),
    ((bytes, bytearray), lambda value: Value("size", len(value))),
    (BaseModel, lambda value: _facts({name: getattr(value, name) for name in type(value).model_fields})),
    (Mapping, lambda value: _facts({str(name): part for name, part in value.items()})),
    ((set, frozenset, tuple, list), _many),
)
