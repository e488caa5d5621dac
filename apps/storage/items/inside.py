"""The way to an entry inside a stored map: `part.weight` in a field that is a model, `settings.colour` in a map."""

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from apps.storage.entity import Naming, stored_name
from apps.storage.items.codec import Codec
from apps.storage.items.forms import Encode, field_form, mark_of
from apps.storage.items.values import encode_any


def path_to(codec: Codec[Any], name: str) -> tuple[list[str], Encode]:
    """The stored names on the way from a field to the entry, and how a value is written there.

    In a model, names are those of its fields; in a map of no declared type they are the stored ones, and a value is
    written as such a map holds it (an instant as ISO text). Raises `LookupError` for a field that is not there.
    """
    first, *rest = name.split(".")
    stored = [codec.stored(first)]
    encode: Encode = encode_any
    declared = codec.entity.model_fields.get(first)
    holder: Any = declared.annotation if declared else None
    for part in rest:
        model = next((kind for kind in _kinds(holder) if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if model is None:
            holder, encode = _values_of(holder), encode_any
            stored.append(part)
            continue
        info = model.model_fields.get(part)
        if info is None:
            raise LookupError(f"{model.__name__} has no field {part}")
        stored.append(mark_of(info).name or stored_name(part, getattr(model, "naming", Naming.SNAKE)))
        holder, encode = info.annotation, field_form(model, info, times=codec.entity.times).encode
    return stored, encode


def _kinds(annotation: Any) -> list[Any]:
    """The type without marks and None; several for a union."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kinds(arguments[0])
    if origin in {Union, UnionType}:
        return [kind for part in arguments for kind in _kinds(part)]
    return [annotation]


def _values_of(annotation: Any) -> Any:
    """What a map holds; None where that is not declared."""
    for kind in _kinds(annotation):
        origin = get_origin(kind)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return get_args(kind)[1]
    return None
