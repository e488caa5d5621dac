"""Which form field edits a field of an entity: chosen by its type."""

import types
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from django import forms
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from apps.console.form_fields import LinesField, NumberField, OneOfField, TickedField, ValueField, WholeField
from apps.console.instants import DayField, MomentField

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


def editor(annotation: Any, **options: Any) -> ValueField | None:
    """The field that edits values of this type; None where no form can, or where Django's own does.

    `options` are those of any form field.
    """
    kind, none = peeled(annotation)
    options.setdefault("required", not none)
    part = part_of(kind)
    if part is not None:
        return _many(kind, part, none=none, **options)
    if get_origin(kind) is Literal:
        return OneOfField(choices={value: str(value) for value in get_args(kind)}, **options)
    return next(
        (field(**options) for base, field in _SINGLE if isinstance(kind, type) and issubclass(kind, base)), None
    )


def model_editor(info: FieldInfo, **options: Any) -> ValueField | None:
    """The same for a field of a model, with its default and what is said of it."""
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    options.setdefault("help_text", info.description or "")
    if default is not PydanticUndefined and default is not None:
        options.setdefault("initial", default)
    if not info.is_required() and default in ("", None):
        options.setdefault("required", False)
    return editor(info.annotation, **options)


# An instant is a date as well: it comes first.
_SINGLE: tuple[tuple[type, type[ValueField]], ...] = ((Decimal, NumberField), (datetime, MomentField), (date, DayField))


def _many(kind: Any, part: Any, **options: Any) -> ValueField | None:
    origin = get_origin(kind)
    core, inner_none = peeled(part)
    options["gather"] = GATHERED[origin]
    if inner_none or not isinstance(core, type):
        return None
    if issubclass(core, Enum):
        if origin in {set, frozenset}:
            return TickedField(choices=_choices(core), **options)
        return LinesField(part=OneOfField(choices=_choices(core)), **options)
    line = _line(core)
    return LinesField(part=line, **options) if line else None


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
