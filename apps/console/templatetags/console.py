"""What the console's templates ask for beside Django's own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import template
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import label_for_field, lookup_field

from apps.audit.entities import AuditEntry
from apps.console.changelist import CursorList
from apps.console.shown import Value, value_as_shown
from apps.console.told_changes import Change, told_changes

register = template.Library()


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list: where its page is, and its columns' values."""

    url: str
    cells: tuple[Value, ...]


@register.simple_tag
def column_labels(changes: CursorList) -> list[str]:
    """The head of each column."""
    admin = changes.model_admin
    return [_capital(str(label_for_field(name, changes.model, admin))) for name in changes.list_display]


@register.simple_tag
def table_rows(changes: CursorList) -> Iterator[Row]:
    """The rows of a list."""
    kept: dict[str, Any] = {"preserved_filters": changes.preserved_filters, "opts": changes.opts}
    for row in changes.result_list:
        cells = tuple(shown(name, row, changes.model_admin) for name in changes.list_display)
        yield Row(add_preserved_filters(kept, changes.url_for_result(row)), cells)


@register.simple_tag
def value_of(field: Any) -> Value:
    """The value of a read-only field of a form."""
    return shown(field.field["field"], field.form.instance, field.model_admin)


@register.simple_tag
def shown_fields(fieldset: Any, original: Any) -> list[Any]:
    """The fields of a fieldset that are only shown; none where there is no row yet."""
    if original is None:
        return []
    return [field for line in fieldset for field in line if field.is_readonly]


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


def _capital(label: str) -> str:
    return label[:1].upper() + label[1:]
