"""Rows as CSV, and the record that they were taken."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from django.contrib.admin.utils import label_for_field, lookup_field
from django.http import HttpResponse
from pydantic_core import to_json

from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.console.twins import Twin
from apps.spreadsheets import csv_line
from apps.storage.connection import default_store
from apps.storage.items.values import iso
from apps.storage.table import Table
from apps.storage.transaction import Transaction

if TYPE_CHECKING:
    from apps.console.lists.actions import RowActions


def note_export(table: Table, rows: Sequence[Twin], columns: Sequence[str], *, actor: Actor) -> None:
    """Record that somebody takes these rows away, before the first one is sent."""
    store = default_store()
    after = {"rows": [str(row.pk) for row in rows], "columns": list(columns)}
    record = AuditLog(store).recording(
        f"{table.name}#exports", action="rows.exported", actor=actor, at=datetime.now(UTC), after=after
    )
    Transaction(store, record).commit()


def csv_of(
    admin: "RowActions", rows: Sequence[Twin], columns: Sequence[str], *, left_out: Mapping[str, str]
) -> HttpResponse:
    """The rows with the key and these columns; secrets are no columns of any admin. `left_out`: keys, and why."""
    heads = ["key", *(str(label_for_field(name, admin.model, admin)) for name in columns)]
    lines = [csv_line(heads), *(csv_line([row.pk, *(_cell(name, row, admin) for name in columns)]) for row in rows)]
    lines += [csv_line([key, f"Left out: {why}"]) for key, why in left_out.items()]
    answer = HttpResponse(b"".join(lines), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{admin.repository.table.name}.csv"'
    return answer


def _cell(name: str, row: Twin, admin: "RowActions") -> Any:
    _, _, value = lookup_field(name, row, admin)
    return _plain(value)


def _plain(value: Any) -> Any:
    """A value as a cell has it: as it is stored where that is one word, a few short ones with commas, else as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, str | int | Decimal | date):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, list | tuple | set | frozenset) and all(isinstance(part, str | int) for part in value):
        parts = [str(part) for part in value]
        return ", ".join(sorted(parts) if isinstance(value, set | frozenset) else parts)
    return to_json(value, bytes_mode="base64").decode()
