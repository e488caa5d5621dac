"""What no declaration may say, because a value of it would not come back from the store as it went in."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, RootModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from apps.storage.entity import Stored

_PLAIN: Final = frozenset({str, bool, int, Decimal, bytes, NoneType, Any})


@contextmanager
def naming(kind: type[BaseModel], field: str) -> Iterator[None]:
    """Says of a `TypeError` in which field of which model it is."""
    try:
        yield
    except TypeError as error:
        raise TypeError(f"{kind.__name__}.{field}: {error}") from None


def alternatives(annotation: Any) -> list[Any]:
    """The types of a union without marks, None's own among them; of any other type itself."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return alternatives(arguments[0])
    if origin in {Union, UnionType}:
        return [kind for part in arguments for kind in alternatives(part)]
    return [annotation]


def marks_in(info: FieldInfo) -> list[Stored]:
    """Everything that a field's declaration says about its storage, on the field or on a part of a union."""
    return [mark for mark in (*info.metadata, *_marks(info.annotation)) if isinstance(mark, Stored)]


def _marks(annotation: Any) -> Iterator[Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from arguments[1:]
        yield from _marks(arguments[0])
    elif origin in {Union, UnionType}:
        for part in arguments:
            yield from _marks(part)


def is_set(kind: Any) -> bool:
    """Whether it is a type of sets."""
    return (get_origin(kind) or kind) in {set, frozenset}


def refuse_unfit_model(kind: type[BaseModel], stored: Mapping[str, str]) -> None:
    """Raises `TypeError` for a model whose values the codec could not make again; `stored` are its stored names."""
    if issubclass(kind, RootModel):
        raise TypeError(f"{kind.__name__} is a RootModel, which has no stored form: use the type inside it")
    if kind.model_config.get("extra") == "allow":
        raise TypeError(f"{kind.__name__} takes fields that it does not declare, and they would not be stored")
    for name, info in kind.model_fields.items():
        if info.alias is not None or info.validation_alias is not None:
            raise TypeError(f"{kind.__name__}.{name} has an alias: for another stored name use Stored(name=...)")
    for name, times in Counter(stored.values()).items():
        if times > 1:
            fields = ", ".join(field for field, under in stored.items() if under == name)
            raise TypeError(f"{kind.__name__} stores several fields as {name}: {fields}")


def absent_value(info: FieldInfo) -> Any:
    """What an item without the attribute means: None or an empty set; `PydanticUndefined` for what is always stored.

    Raises `TypeError` for a field of which that cannot be told, and for one whose default is something else.
    """
    kinds = alternatives(info.annotation)
    has_set = any(map(is_set, kinds))
    is_optional = NoneType in kinds or Any in kinds
    if has_set and is_optional:
        raise TypeError("an empty set is stored as nothing at all, like None: leave one of the two out")
    if not has_set and not is_optional:
        return PydanticUndefined
    empty: Any = frozenset() if has_set else None
    if info.is_required():
        return empty
    if info.default_factory_takes_validated_data:
        raise TypeError(f"its default depends on other fields, and {empty!r} would turn into it by being stored")
    default = info.get_default(call_default_factory=True)
    if default != empty:
        raise TypeError(f"it would turn from {empty!r} into its default by being stored")
    return empty


def refuse_ambiguous(parts: Sequence[Any]) -> None:
    """Raises `TypeError` for a union whose values do not tell by themselves which of these types they are of."""
    for part in parts:
        _refuse_unless_plain(part)
    if sum(get_origin(kind) in {list, tuple} or kind is list for part in parts for kind in alternatives(part)) > 1:
        raise TypeError("a list and a tuple are stored alike: a union can hold one of them")


def _refuse_unless_plain(part: Any) -> None:
    origin, arguments = get_origin(part), get_args(part)
    if any(isinstance(mark, Stored) for mark in _marks(part)):
        raise TypeError(f"what is stored of {_name(part)} inside a union cannot be declared")
    if origin is Annotated or origin in {Union, UnionType}:
        for kind in alternatives(part):
            _refuse_unless_plain(kind)
    elif origin is Literal:
        refuse_mixed(part)
        _refuse_unless_plain(type(arguments[0]))
    elif origin is list or (origin is tuple and arguments[1:] == (...,)):
        _refuse_unless_plain(arguments[0])
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        if arguments[0] is not str:
            raise TypeError("a map inside a union has names of type str")
        _refuse_unless_plain(arguments[1])
    elif part not in _PLAIN and part not in {dict, list}:
        raise TypeError(
            f"{_name(part)} cannot be told from the other types of a union once it is stored: there, only str, bool, "
            "int, Decimal, bytes, None and lists and maps of these can"
        )


def refuse_mixed(literal: Any) -> None:
    """Raises `TypeError` for a Literal of values of several types."""
    if len({type(argument) for argument in get_args(literal)}) > 1:
        raise TypeError(f"{literal!r} has values of several types, which have no one stored form")


def refuse_numbered_names(kind: Any) -> None:
    """Raises `TypeError` for names of a map that are numbers of a Literal or an enum: as text they are not found."""
    is_enum = isinstance(kind, type) and issubclass(kind, Enum)
    values = [member.value for member in kind] if is_enum else get_args(kind) if get_origin(kind) is Literal else []
    if not all(isinstance(value, str) for value in values):
        raise TypeError(f"the names of a map are stored as text: {_name(kind)} must hold nothing else")


def refuse_mixed_enum(kind: type[Enum]) -> None:
    """Raises `TypeError` for an enum of values of several types, or of none."""
    if len({type(member.value) for member in kind}) != 1:
        raise TypeError(f"{kind.__name__} has values of several types, which have no one stored form, or none at all")


def _name(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))
