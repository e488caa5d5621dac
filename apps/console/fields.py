"""From an entity's fields to those of its model: what the admin's forms and columns are made of."""

from collections.abc import Iterator
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, get_args

from django import forms
from django.db import models
from django.utils.text import capfirst
from pydantic.fields import FieldInfo

from apps.console.forms.editors import fitting, json_editor, model_editor, peeled, words
from apps.storage.entity import Entity
from apps.storage.secrets import Secret

if TYPE_CHECKING:
    _Field = models.Field[Any, Any]
    _DateTimeField = models.DateTimeField[Any, Any]
    _DateField = models.DateField[Any, Any]
else:
    _Field, _DateTimeField, _DateField = models.Field, models.DateTimeField, models.DateField


STAMPS = frozenset({"created_at", "updated_at", "created_by"})
"""What repositories fill in by themselves."""


class AsItIs(_Field):
    """A field of a model that carries the entity's own value, and whose form field is chosen by the entity's type."""

    info: FieldInfo | None = None

    @classmethod
    def of(cls, info: FieldInfo, **options: Any) -> "AsItIs":
        """The field; where no form can edit such a type, it is only shown."""
        default = options.pop("default", None)
        made = cls(default=lambda: default, editable=model_editor(info) is not None, **options)
        made.info = info
        return made

    def formfield(self, *_args: Any, **_options: Any) -> forms.Field | None:
        """The form field."""
        return None if self.info is None else model_editor(self.info, label=capfirst(self.verbose_name))

    def fitting(self, value: Any) -> forms.Field | None:
        """The form field that gives back this value as it is, None where there is none."""
        return None if self.info is None else fitting(self.info, value, label=capfirst(self.verbose_name))

    def as_json(self) -> forms.Field | None:
        """The form field that takes any value of the type as JSON."""
        return None if self.info is None else json_editor(self.info, label=capfirst(self.verbose_name))

    def clean(self, value: Any, model_instance: Any) -> Any:
        """The value: it was judged by its form field, and will be by the entity."""
        del model_instance
        return value


class Moment(AsItIs, _DateTimeField):
    """The same for an instant."""


class Day(AsItIs, _DateField):
    """The same for a date."""


def kind_of(info: FieldInfo) -> type:
    """The Python type of a field, without None and annotations; for what is no plain type, `object`."""
    kind, _ = peeled(info.annotation)
    return kind if isinstance(kind, type) else object


def may_be_none(info: FieldInfo) -> bool:
    """Whether the field takes None."""
    return type(None) in get_args(info.annotation)


def model_fields(entity: type[Entity], *, key: str | None) -> "Iterator[tuple[str, models.Field[Any, Any]]]":
    """The model's fields by name. Secrets, and what is kept out of dumps, have none: the admin cannot leak them."""
    for name, info in entity.model_fields.items():
        if kind_of(info) is not Secret and not info.exclude:
            field = _model_field(name, info, key=key)
            field.editable = field.editable and not (entity.stamped and name in STAMPS)
            yield name, field


def column(value: Any) -> Any:
    """A field's value as the model carries it."""
    return value.value if isinstance(value, Enum) else value


def _model_field(name: str, info: FieldInfo, *, key: str | None) -> "models.Field[Any, Any]":
    kind = kind_of(info)
    common: dict[str, Any] = {"help_text": info.description or "", "null": may_be_none(info)}
    if not info.is_required():
        common["default"] = column(info.get_default(call_default_factory=True))
    common["blank"] = not info.is_required() and common["default"] in ("", None)
    if name == key:
        return models.TextField(primary_key=True, help_text=common["help_text"])
    if name == "version":
        return models.BigIntegerField(editable=False, default=0)
    if issubclass(kind, Enum):
        return models.TextField(choices=[(member.value, words(member)) for member in kind], **common)
    if issubclass(kind, bool):
        return models.BooleanField(**{**common, "blank": True})
    if issubclass(kind, int):
        return models.BigIntegerField(**common)
    if issubclass(kind, str):
        return models.TextField(**common)
    if issubclass(kind, datetime):
        return Moment.of(info, **common)
    if issubclass(kind, date):
        return Day.of(info, **common)
    return AsItIs.of(info, **common)


__all__ = ["AsItIs", "column", "kind_of", "may_be_none", "model_fields", "words"]
