"""What the console's templates ask for beside Django's own."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from django import template
from django.conf import settings
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import label_for_field, lookup_field, quote
from django.db import models
from django.urls import reverse
from django.utils.html import format_html

from apps.audit.entities import AuditEntry
from apps.console.lists.changelist import CursorList
from apps.console.shown import Value, value_as_shown
from apps.console.told_changes import Change, told_changes

register = template.Library()


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column: where the rows are sorted by it, if an index does, and how they are by it now."""

    label: str
    url: str | None
    order: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list: its name in addresses and for people, where its page is, and each column's label and value."""

    key: str
    name: str
    url: str
    cells: tuple[tuple[str, Value], ...]


@register.simple_tag
def upload_limits() -> str:
    """How much a form can send, for the script that says so before it is sent."""
    most_bytes, most_fields = settings.DATA_UPLOAD_MAX_MEMORY_SIZE, settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    return format_html('data-most-bytes="{}" data-most-fields="{}"', most_bytes, most_fields)


@register.simple_tag
def column_heads(changes: CursorList) -> list[Head]:
    """The head of each column."""
    fields = changes.opts.concrete_fields
    numbers = {field.name for field in fields if isinstance(field, models.IntegerField) and not field.flatchoices}
    return [
        Head(
            _label(name, changes),
            changes.address_ordered_by(str(name)),
            changes.order_of(str(name)),
            str(name) in numbers,
        )
        for name in changes.list_display
    ]


@register.simple_tag
def table_rows(changes: CursorList) -> Iterator[Row]:
    """The rows of a list."""
    labels = {str(name): _label(name, changes) for name in changes.list_display}
    kept: dict[str, Any] = {"preserved_filters": changes.preserved_filters, "opts": changes.opts}
    for row in changes.result_list:
        cells = tuple((label, _cell(name, row, changes)) for name, label in labels.items())
        yield Row(str(row.pk), str(row), add_preserved_filters(kept, changes.url_for_result(row)), cells)


@register.simple_tag
def value_of(field: Any) -> Value:
    """The value of a read-only field of a form."""
    return shown(field.field["field"], field.form.instance, field.model_admin)


@register.simple_tag
def shown_fields(fieldset: Any, original: Any) -> dict[str, list[Any]]:
    """The fields of a fieldset that are only shown: `first` before its first input, `last` after it; none of no row."""
    if original is None:
        return {}
    fields = [field for line in fieldset for field in line]
    first = list(takewhile(lambda field: field.is_readonly, fields))
    return {"first": first, "last": [field for field in fields[len(first) :] if field.is_readonly]}


@register.simple_tag
def changes_of(entry: AuditEntry) -> list[Change]:
    """What an audit entry says of each field that changed."""
    return told_changes(entry)


def shown(name: Any, row: Any, admin: Any) -> Value:
    """A field or a method of an admin, as it is to be shown."""
    field, _, value = lookup_field(name, row, admin)
    if field is not None and field.flatchoices:
        value = dict(field.flatchoices).get(value, value)
    return value_as_shown(value)


@register.simple_tag
def as_shown(value: Any) -> Value:
    """Any value."""
    return value_as_shown(value)


def _cell(name: str, row: Any, changes: CursorList) -> Value:
    """A column of a row; of one that names another entity, that one's name and page."""
    names = changes.names.get(name, {})
    key = str(getattr(row, name, ""))
    if key not in names:
        return shown(name, row, changes.model_admin)
    options = changes.model_admin.related[name].twin()._meta
    address = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[quote(key)])
    return Value("link", names[key], address)


def _label(name: Any, changes: CursorList) -> str:
    label = str(label_for_field(name, changes.model, changes.model_admin))
    return label[:1].upper() + label[1:]
