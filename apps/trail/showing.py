"""Entries made ready to be read: what changed, line by line, and as CSV."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from apps.audit.entities import AuditEntry, blanked
from apps.audit.repository import AuditLog, Selection
from apps.spreadsheets import csv_line
from apps.storage.connection import off_loop
from apps.storage.items.codec import iso

LONGEST_SHOWN = 300
MOST_EXPORTED = 10_000
EXPORT_PAGE = 100  # as many as one request gets by key
CSV_HEADINGS = ("at", "action", "object", "actor_id", "actor_name", "address", "before", "after", "via")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field of an entry as text; None where it was not recorded on that side."""

    name: str
    before: str | None
    after: str | None


def changes(entry: AuditEntry) -> list[Change]:
    """What the entry says of each field, by name (the store keeps no order), those inside others as `a.b`."""
    before, after = _flat(blanked(entry.before)), _flat(blanked(entry.after))
    return [Change(name=name, before=before.get(name), after=after.get(name)) for name in sorted({*before, *after})]


async def csv_lines(audit: AuditLog, selection: Selection) -> AsyncIterator[bytes]:
    """The entries as CSV, newest first, page by page; looks at `MOST_EXPORTED` at most and says if it stopped."""
    yield csv_line(CSV_HEADINGS)
    cursor: str | None = None
    examined = 0
    while True:
        limit = min(EXPORT_PAGE, MOST_EXPORTED - examined)
        page = await off_loop(audit.selected, selection, limit=limit, budget=MOST_EXPORTED - examined, cursor=cursor)
        yield b"".join(csv_line(_cells(entry)) for entry in page.items)
        if page.next is None:
            return
        # Each page also looks at the first item of the next one, which is not used up by that.
        examined += max(1, page.examined if page.exhausted_budget else page.examined - 1)
        cursor = page.next
        if examined >= MOST_EXPORTED:
            yield csv_line(
                [f"Stopped here: an export looks at {MOST_EXPORTED:,} entries at most. Choose fewer of them."]
            )
            return


def _cells(entry: AuditEntry) -> tuple[Any, ...]:
    return (
        iso(entry.at),
        entry.action,
        entry.object,
        entry.actor_id,
        entry.actor_name,
        entry.address,
        _json(entry.before),
        _json(entry.after),
        entry.via,
    )


def _json(values: Mapping[str, Any]) -> str:
    return orjson.dumps(blanked(values), default=str).decode() if values else ""


def _flat(values: Mapping[str, Any], within: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{within}{name}.")
        else:
            flat[f"{within}{name}"] = _text(value)
    return flat


def _text(value: Any) -> str:
    match value:
        case bool():
            text = "yes" if value else "no"
        case list() if all(isinstance(part, str | int) for part in value):
            text = ", ".join(map(str, value)) or "none"
        case list() | dict():
            text = orjson.dumps(value, default=str).decode()
        case _:
            text = str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
