"""What an audit entry says of a change, field by field and part by part."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.audit.entities import BLANK, AuditEntry
from apps.console.shown import Value, value_as_shown

_ABSENT = object()
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Change:
    """A field, or a part of one: before and after; of a set or a list of single values what was added and removed."""

    name: str
    before: Value
    after: Value
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    is_hidden: bool = False


def told_changes(entry: AuditEntry) -> list[Change]:
    """Every part that changed, by name: the store keeps no order."""
    names = sorted({*entry.before, *entry.after})
    return [
        change
        for name in names
        if name != "version"
        for change in _changes(name, entry.before.get(name, _ABSENT), entry.after.get(name, _ABSENT))
    ]


def _changes(name: str, before: Any, after: Any) -> Iterator[Change]:
    if BLANK in (before, after):
        yield Change(name, value_as_shown(None), value_as_shown(None), is_hidden=True)
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        for part in sorted({*before, *after}):
            then, now = before.get(part, _ABSENT), after.get(part, _ABSENT)
            if then != now:
                yield from _changes(f"{name}, {part}", then, now)
    elif _is_flat(before) and _is_flat(after) and sorted(map(str, before)) != sorted(map(str, after)):
        yield Change(name, _shown(before), _shown(after), added=_more(after, before), removed=_more(before, after))
    else:
        yield Change(name, _shown(before), _shown(after))


def _more(ones: Any, others: Any) -> tuple[str, ...]:
    """Those that the others lack, as often as they lack them."""
    rest = [str(other) for other in others]
    found = []
    for one in map(str, ones):
        if one in rest:
            rest.remove(one)
        else:
            found.append(one)
    return tuple(found)


def _shown(value: Any) -> Value:
    """The value; what an entry has as the text of a moment, as one."""
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        with suppress(ValueError):
            return value_as_shown(datetime.fromisoformat(value))
    return value_as_shown(None if value is _ABSENT else value)


def _is_flat(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(part, str | int | Decimal) for part in value)
