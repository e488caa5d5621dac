"""Which form field edits a field of an entity: chosen by its type."""

import types
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from django import forms
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from apps.console.forms.instants import DayField, MomentField
from apps.console.forms.nested_fields import (
    JsonField,
    MapField,
    PartsField,
    RowsField,
    WithParts,
    model_field,
    pair_field,
)
from apps.console.forms.value_fields import (
    LinesField,
    NumberField,
    OneOfField,
    TickedField,
    ValueField,
    WholeField,
    carries,
)
from apps.console.forms.widgets import Words
from apps.storage.secrets import Secret

_MAPS = {dict, Mapping}
GATHERED: Mapping[Any, Any] = {set: set, frozenset: frozenset, list: list, tuple: tuple}
"""How the parts of a field become its value."""


def peeled(annotation: Any) -> tuple[Any, bool]:
    """A type without None and annotations, and whether it takes None; for a union of several, the union."""
    if get_origin(annotation) is Annotated:
        return peeled(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        rest = [part for part in get_args(annotation) if part is not type(None)]
        if len(rest) == 1:
            return peeled(rest[0])[0], len(rest) < len(get_args(annotation))
        return annotation, len(rest) < len(get_args(annotation))
    return annotation, False


def part_of(kind: Any) -> Any:
    """The type of the parts of `set[X]`, `list[X]` or `tuple[X, ...]`; None for anything else."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is tuple:
        return parts[0] if len(parts) == 2 and parts[1] is ... else None  # noqa: PLR2004  (X and the dots)
    return parts[0] if origin in GATHERED and parts else None


def words(member: Enum) -> str:
    """A member of an enum as people read it."""
    return str(member.value).replace("_", " ").capitalize()


def editor(annotation: Any, *, within: tuple[type, ...] = (), **options: Any) -> ValueField | None:
    """The field that edits values of this type; None where no form can, or where Django's own does.

    `within` are the models that it is a part of; `options` are those of any form field.
    """
    kind, none = peeled(annotation)
    options.setdefault("required", not none)
    if not _fits_in_a_page(kind):
        return None
    part = part_of(kind)
    if part is not None:
        return _many(kind, part, none=none, within=within, **options)
    if get_origin(kind) in _MAPS or kind in _MAPS:
        return _map(kind, none=none, within=within, **options)
    if get_origin(kind) is Literal:
        return OneOfField(choices={value: str(value) for value in get_args(kind)}, **options)
    if not isinstance(kind, type) or kind in GATHERED:
        return JsonField(kind=annotation, **options)
    if issubclass(kind, BaseModel):
        return _model(kind, within=within, **options)
    return next((field(**options) for base, field in _SINGLE if issubclass(kind, base)), None)


def model_editor(info: FieldInfo, **options: Any) -> ValueField | None:
    """The same for a field of a model, with its default and what is said of it."""
    return editor(info.annotation, **_of(info, options))


def fitting(info: FieldInfo, value: Any, **options: Any) -> ValueField | None:
    """The field that gives back this very value: where its own inputs would not, JSON. None where neither does."""
    field = model_editor(info, **options)
    if field is None or carries(field, value):
        return field
    if not isinstance(field, WithParts | LinesField):
        return None
    field = json_editor(info, **options)
    return field if carries(field, value) else None


def json_editor(info: FieldInfo, **options: Any) -> JsonField:
    """The field that takes any value of the type as JSON."""
    return JsonField(kind=info.annotation, **{"required": not peeled(info.annotation)[1], **_of(info, options)})


def _of(info: FieldInfo, options: dict[str, Any]) -> dict[str, Any]:
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    told: dict[str, Any] = {"help_text": info.description or "", **options}
    if default is not PydanticUndefined and default is not None:
        told.setdefault("initial", default)
    if not info.is_required() and default == "":
        told.setdefault("required", False)
    return told


def _inner(annotation: Any, *, within: tuple[type, ...], **options: Any) -> forms.Field | None:
    """The field of a part: as `editor`, and for texts, numbers and yes or no as well."""
    kind, none = peeled(annotation)
    found: forms.Field | None = editor(annotation, within=within, **options)
    if found is not None or not isinstance(kind, type):
        return found
    options.setdefault("required", not none)
    if issubclass(kind, Enum):
        return OneOfField(choices=_choices(kind), **options)
    if issubclass(kind, bool):
        return forms.NullBooleanField(**options) if none else forms.BooleanField(**{**options, "required": False})
    if issubclass(kind, int):
        return WholeField(widget=forms.TextInput(attrs={"inputmode": "numeric"}), **options)
    if not issubclass(kind, str):
        return None
    return forms.CharField(widget=Words(), strip=False, empty_value=None if none else "", **options)


def _model(kind: type[BaseModel], *, within: tuple[type, ...], **options: Any) -> ValueField:
    parts: dict[str, forms.Field] = {}
    for name, info in kind.model_fields.items():
        label = info.title or name.replace("_", " ").capitalize()
        part = (
            None
            if kind in within or info.alias
            else _inner(info.annotation, within=(*within, kind), **_of(info, {"label": label}))
        )
        if part is None:  # it contains itself, or what only JSON can say
            return JsonField(kind=kind, **options)
        parts[name] = part
    return model_field(kind, parts=parts, **options)


def _map(kind: Any, *, within: tuple[type, ...], none: bool, **options: Any) -> ValueField:
    name_kind, value_kind = get_args(kind) or (str, Any)
    name = _inner(name_kind, within=within, label="Name")
    value = None if value_kind is Any else _inner(value_kind, within=within, label="Value")
    if name is None or value is None or isinstance(value, JsonField):
        told = {"initial": None if none else {}, **options}
        return JsonField(kind=kind, **told)
    return MapField(row=pair_field(name=name, value=value), gather=dict, none=none, **options)


def _fits_in_a_page(kind: Any) -> bool:
    """Whether no part of the type is bytes or a secret."""
    if isinstance(kind, type) and issubclass(kind, bytes | bytearray | Secret):
        return False
    return all(
        _fits_in_a_page(peeled(part)[0]) for part in get_args(kind) if part is not ... and not isinstance(part, str)
    )


# An instant is a date as well: it comes first.
_SINGLE: tuple[tuple[type, type[ValueField]], ...] = ((Decimal, NumberField), (datetime, MomentField), (date, DayField))


def _many(kind: Any, part: Any, *, within: tuple[type, ...], **options: Any) -> ValueField:
    origin = get_origin(kind)
    core, inner_none = peeled(part)
    if isinstance(core, type) and not inner_none and get_origin(core) is None:
        options["gather"] = GATHERED[origin]
        if issubclass(core, Enum) and origin in {set, frozenset}:
            return TickedField(choices=_choices(core), **options)
        row = _model(core, within=within) if issubclass(core, BaseModel) else None
        if isinstance(row, PartsField):
            return RowsField(row=row, **options)
        line = OneOfField(choices=_choices(core)) if issubclass(core, Enum) else _line(core)
        if line is not None:
            return LinesField(part=line, **options)
        del options["gather"]
    del options["none"]
    return JsonField(kind=kind, **options)


def _line(kind: type) -> forms.Field | None:
    if issubclass(kind, bool):
        return None
    if issubclass(kind, int):
        return WholeField()
    if issubclass(kind, Decimal):
        return NumberField()
    return forms.CharField() if issubclass(kind, str) else None


def _choices(kind: Iterable[Enum]) -> dict[Enum, str]:
    return {member: words(member) for member in kind}
