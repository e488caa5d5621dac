"""JSON as people edit it: every number exact, every name once, every mistake with its line and column."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import BaseModel

from apps.storage.items.values import is_number, is_text

LARGEST_BYTES = 400 * 1024
MOST_LEVELS = 28
"""DynamoDB keeps 32 levels, and the audit entry of a change holds the value some levels down."""
_STEP = "  "
_TOO_DEEP = f"This is nested too deeply: {MOST_LEVELS} levels are the most."


class Mistake(ValueError):
    """What is wrong with a text that should be JSON: a sentence."""


def read_json(text: str) -> Any:
    """The value; fractions are `Decimal`. Raises `Mistake`, also for what could not be stored as it is."""
    size = len(text.encode(errors="surrogatepass"))
    if size > LARGEST_BYTES:
        raise Mistake(f"This has {size // 1024} KB, and the whole row can have 400 KB.")
    try:
        found = json.loads(
            text, parse_int=_number, parse_float=_number, parse_constant=_no_number, object_pairs_hook=_once
        )
    except json.JSONDecodeError as error:
        raise Mistake(f"Line {error.lineno}, column {error.colno}: {_told(error.msg)}") from None
    except RecursionError:
        raise Mistake(_TOO_DEEP) from None
    if _levels(found) > MOST_LEVELS:
        raise Mistake(_TOO_DEEP)
    return found


def write_json(value: Any, *, indent: str = "") -> str:
    """The text, a line for each part; the names of a map are sorted, since the store keeps no order of them.

    Raises `TypeError` for what JSON has no form of.
    """
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, date):
        return json.dumps(value.isoformat())
    inner = indent + _STEP
    if isinstance(value, BaseModel | Mapping):
        pairs = _pairs(value)
        told = [f"{json.dumps(name, ensure_ascii=False)}: {write_json(part, indent=inner)}" for name, part in pairs]
        return _joined("{}", told, indent)
    if isinstance(value, set | frozenset):
        return _joined("[]", sorted(write_json(part, indent=inner) for part in value), indent)
    if isinstance(value, list | tuple):
        return _joined("[]", [write_json(part, indent=inner) for part in value], indent)
    raise TypeError(f"JSON has no form of a {type(value).__name__}")


def _joined(brackets: str, parts: list[str], indent: str) -> str:
    if not parts:
        return brackets
    lines = f",\n{indent}{_STEP}".join(parts)
    return f"{brackets[0]}\n{indent}{_STEP}{lines}\n{indent}{brackets[1]}"


def _pairs(value: BaseModel | Mapping[Any, Any]) -> list[tuple[str, Any]]:
    if isinstance(value, BaseModel):
        return [(name, getattr(value, name)) for name in type(value).model_fields]
    return sorted(((_name(name), part) for name, part in value.items()), key=lambda pair: pair[0])


def _name(name: Any) -> str:
    found = name.value if isinstance(name, Enum) else name
    if not isinstance(found, str):
        raise TypeError(f"JSON has no name that is a {type(found).__name__}")
    return found


def _number(text: str) -> int | Decimal:
    if not is_number(text):
        raise Mistake(f"{text[:50]} cannot be kept exactly: enter at most 38 digits.")
    exact = Decimal(text)
    return exact if "." in text or "e" in text.lower() else int(exact)


def _no_number(text: str) -> Any:
    raise Mistake(f"{text} is no number.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Mistake(f"The name “{name}” comes twice in one object.")
        if not is_text(name) or (isinstance(value, str) and not is_text(value)):
            raise Mistake("It holds half a character (a \\u escape without its other half).")
        found[name] = value
    return found


def _levels(value: Any) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if parts is None else 1 + max(map(_levels, parts), default=0)


def _told(message: str) -> str:
    return f"{message[:1].lower()}{message[1:]}.".replace("extra data", "there is something after the end")
