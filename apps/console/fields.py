"""From an entity's fields to those of its model: what the admin's forms and columns are made of."""

import types
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any, Union, get_args, get_origin

from django.db import models
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_json

from apps.storage.entity import Entity
from apps.storage.secrets import Secret

FORM_KINDS = (bool, int, str, Enum)
"""What people can edit in a form; everything else is shown."""


def kind_of(info: FieldInfo) -> type:
    """The Python type of a field, without None and annotations; for what is no plain type, `object`."""
    return _plain(info.annotation)


def may_be_none(info: FieldInfo) -> bool:
    """Whether the field takes None."""
    return type(None) in get_args(info.annotation)


def model_fields(entity: type[Entity], *, key: str | None) -> "Iterator[tuple[str, models.Field[Any, Any]]]":
    """The model's fields by name. Secrets, and what is kept out of dumps, have none: the admin cannot leak them."""
    for name, info in entity.model_fields.items():
        if kind_of(info) is not Secret and not info.exclude:
            yield name, _model_field(name, info, key=key)


def column(value: Any) -> Any:
    """A field's value as the model carries it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, set | frozenset | tuple | list) and all(isinstance(part, str | int | Enum) for part in value):
        parts = [words(part) if isinstance(part, Enum) else str(part) for part in value]
        return ", ".join(sorted(parts) if isinstance(value, set | frozenset) else parts)
    if isinstance(value, Mapping | BaseModel | set | frozenset | tuple | list):
        return to_json(value, indent=2, fallback=str).decode()
    return value


def words(member: Enum) -> str:
    """A member of an enum as people read it."""
    return str(member.value).replace("_", " ").capitalize()


def _plain(annotation: Any) -> type:
    if get_origin(annotation) in {Union, types.UnionType}:
        rest = [part for part in get_args(annotation) if part is not type(None)]
        return _plain(rest[0]) if len(rest) == 1 else object
    if hasattr(annotation, "__metadata__"):  # Annotated, inside a union
        return _plain(get_args(annotation)[0])
    return annotation if isinstance(annotation, type) else object


def _model_field(name: str, info: FieldInfo, *, key: str | None) -> "models.Field[Any, Any]":
    kind = kind_of(info)
    common: dict[str, Any] = {"help_text": info.description or "", "null": may_be_none(info)}
    if not info.is_required():
        common["default"] = column(info.get_default(call_default_factory=True))
    common["blank"] = not info.is_required() and common["default"] in {"", None}
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
        return models.DateTimeField(editable=False, **common)
    if issubclass(kind, date):
        return models.DateField(editable=False, **common)
    return models.TextField(editable=False, **common)  # shown as text
