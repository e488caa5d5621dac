"""How a Python type is stored: for each type a pair of functions, chosen once when a codec is compiled."""

import base64
import types
import zlib
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, PlainValidator, Strict, WrapValidator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from apps.storage.entity import Expiry, Instant, Naming, Stored, TimeForm, stored_name
from apps.storage.items.declared import (
    absent_value,
    naming,
    refuse_ambiguous,
    refuse_mixed,
    refuse_mixed_enum,
    refuse_numbered_names,
    refuse_unfit_model,
)
from apps.storage.items.values import (
    Json,
    bytes_of,
    decode_any,
    decode_number,
    encode_any,
    encode_decimal,
    encode_int,
    inside,
    iso,
    joined_set,
    map_name,
)
from apps.storage.secrets import Secret

Encode = Callable[[Any], Json | None]
Decode = Callable[[Json], Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ANY_PART = timedelta(0)
_MICROSECOND = timedelta(microseconds=1)
# The models that are being compiled right now, each inside the one before.
_compiling: ContextVar[tuple[type[BaseModel], ...]] = ContextVar("compiling", default=())


@dataclass(frozen=True, slots=True)
class Form:
    """The functions of one type.

    `decode` gives the finished value. `loose` gives one from which pydantic makes the finished value by itself, which
    is quicker; where that is just what stands under one letter of the JSON, `letter` names it. `plain` names the letter
    under which the Python value is stored as it is. What is stored otherwise, such as a NULL, is met by `decode`.
    """

    encode: Encode
    decode: Decode
    loose: Decode
    letter: str = ""
    plain: str = ""


def form_of(annotation: Any, *, times: TimeForm, mark: Stored, cut: timedelta = _ANY_PART) -> Form:
    """The form of a type. Raises `TypeError` where it has no exact one.

    `cut` is the unit of time to which validation cuts an instant.
    """
    if mark.compressed and get_origin(annotation) is not Annotated and not _is_text(annotation):
        return _compressed(form_of(annotation, times=times, mark=replace(mark, compressed=False), cut=cut))
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = next((part for part in arguments[1:] if isinstance(part, Stored)), mark)
        form = form_of(arguments[0], times=times, mark=inner, cut=max(cut, _cut_by(arguments[1:])))
        return _finished(form) if _wants_finished(arguments[1:]) else form
    if origin in {Union, types.UnionType}:
        kinds = [part for part in arguments if part is not type(None)]
        forms = [form_of(kind, times=times, mark=mark, cut=cut) for kind in kinds]
        return _or_null(forms[0]) if len(forms) == 1 else _any_of(kinds)
    if origin is Literal:
        refuse_mixed(annotation)
        form = form_of(type(arguments[0]), times=times, mark=mark)
        return form if isinstance(arguments[0], str) else _finished(form)
    if origin is not None:
        return _container(annotation, times=times)
    if annotation in {Any, dict, list}:
        return _ANYTHING
    if isinstance(annotation, type):
        return _scalar(annotation, times=mark.time or times, mark=mark, cut=cut)
    raise TypeError(f"{annotation!r} has no stored form")


def _container(annotation: Any, *, times: TimeForm) -> Form:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {list, tuple}:
        if origin is tuple and arguments[1:] != (...,):
            raise TypeError(f"{annotation!r} has no stored form; for a list of one type use tuple[X, ...]")
        return _sequence(form_of(arguments[0], times=times, mark=Stored()), origin)
    if origin in {set, frozenset}:
        return _set(form_of(arguments[0], times=times, mark=Stored()), origin)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        refuse_numbered_names(arguments[0])
        return _mapping(form_of(arguments[1], times=times, mark=Stored()))
    raise TypeError(f"{annotation!r} has no stored form")


def mark_of(info: FieldInfo) -> Stored:
    """What a field's declaration says about its storage; the last mark counts."""
    marks = [mark for mark in info.metadata if isinstance(mark, Stored)]
    return marks[-1] if marks else Stored()


def field_form(kind: type[BaseModel], info: FieldInfo, *, times: TimeForm) -> Form:
    """The form of one field of a model; only finished values go to a field that has validators of its own before."""
    form = form_of(info.annotation, times=times, mark=mark_of(info), cut=_cut_by(info.metadata))
    decorated = kind.__pydantic_decorators__
    modes = {validator.info.mode for validator in decorated.field_validators.values()}
    modes |= {validator.info.mode for validator in decorated.model_validators.values()}
    if _wants_finished(info.metadata) or kind.model_config.get("strict") or modes - {"after"}:
        return _finished(form)
    return form


def absent_values(kind: type[BaseModel]) -> dict[str, Any]:
    """What a stored item without an attribute means for the required fields: None and empty sets are never stored.

    Raises `TypeError` for a field that may be both, and for one whose default is something else.
    """
    found: dict[str, Any] = {}
    for name, info in kind.model_fields.items():
        with naming(kind, name):
            empty = absent_value(info)
        if empty is not PydanticUndefined and info.is_required():
            found[name] = empty
    return found


# --- single values ---------------------------------------------------------------------------------------------------


def _exact(encode: Encode, decode: Decode) -> Form:
    return Form(encode, decode, loose=decode)


def _lettered(letter: str, encode: Encode, make: Callable[[Any], Any], *, plain: str = "") -> Form:
    """A form of which pydantic takes the bare value; `make` makes the finished one."""
    return Form(encode, lambda json: make(json[letter]), loose=lambda json: json[letter], letter=letter, plain=plain)


def _finished(form: Form) -> Form:
    return replace(form, loose=form.decode, letter="")


def _wants_finished(metadata: Any) -> bool:
    return any(isinstance(part, BeforeValidator | WrapValidator | PlainValidator | Strict) for part in metadata)


def _any_of(kinds: list[Any]) -> Form:
    """The form of a union; without int in it, a whole number is the Decimal that it was."""
    refuse_ambiguous(kinds)
    if Decimal not in kinds or int in kinds:
        return _ANYTHING
    return _exact(encode_any, lambda json: Decimal(json["N"]) if "N" in json else decode_any(json))


def _scalar(kind: type, *, times: TimeForm, mark: Stored, cut: timedelta = _ANY_PART) -> Form:
    if issubclass(kind, Secret):
        raise TypeError("a Secret is a field of an entity by itself: not inside a list, a map or another model")
    if issubclass(kind, BaseModel):
        return _model(kind, times)
    if issubclass(kind, Enum):
        return _enum(kind)
    if issubclass(kind, datetime):
        return _time(times, cut)
    if issubclass(kind, bool):
        return _exact(_encode_flag, _decode_flag) if mark.flag else _BOOL
    if issubclass(kind, str) and mark.compressed:
        return _exact(_deflate, _inflate)
    for known, form in _SCALARS.items():
        if issubclass(kind, known):
            return form if kind is known else _finished(form)
    raise TypeError(f"{kind.__name__} has no exact stored form; for fractions use Decimal")


def _same(value: Any) -> Any:
    return value


def _encode_flag(value: bool) -> Json:  # noqa: FBT001  (an encoder takes the value it encodes)
    return {"N": "1" if value else "0"}


def _decode_flag(json: Json) -> bool:
    return bool(json["N"] != "0")


_ANYTHING = _exact(encode_any, decode_any)
_BOOL = _lettered("BOOL", lambda value: {"BOOL": value}, _same, plain="BOOL")
_SCALARS: dict[type, Form] = {
    str: _lettered("S", lambda value: {"S": value}, _same, plain="S"),
    int: _lettered("N", encode_int, int),
    Decimal: _lettered("N", encode_decimal, Decimal),
    date: _exact(lambda value: {"S": value.isoformat()}, lambda json: date.fromisoformat(json["S"])),
    bytes: _exact(lambda value: {"B": value}, lambda json: bytes_of(json["B"])),
}


def _enum(kind: type[Enum]) -> Form:
    refuse_mixed_enum(kind)
    members = {member: member.value for member in kind}
    inner = _scalar(type(next(iter(members.values()))), times=TimeForm.ISO, mark=Stored())
    encoded = {member: inner.encode(value) for member, value in members.items()}

    def encode(value: Any) -> Json | None:
        found = encoded.get(value)
        return dict(found) if found else inner.encode(kind(value).value)

    return Form(encode, lambda json: kind(inner.decode(json)), *_loosely(kind, inner))


def _loosely(kind: type[Enum], inner: Form) -> tuple[Decode, str]:
    if all(isinstance(member.value, str) for member in kind):
        return inner.loose, "S"
    return (lambda json: kind(inner.decode(json))), ""


def _epoch(unit: timedelta) -> Form:
    def encode(value: datetime) -> Json:
        if value.tzinfo is None:
            raise ValueError("an instant needs its time zone")
        return {"N": str((value - EPOCH) // unit)}

    return _exact(encode, lambda json: EPOCH + int(decode_number(json["N"])) * unit)


_TIMES: dict[TimeForm, Form] = {
    TimeForm.ISO: _exact(lambda value: {"S": iso(value)}, lambda json: datetime.fromisoformat(json["S"])),
    TimeForm.MILLISECONDS: _epoch(timedelta(milliseconds=1)),
    TimeForm.SECONDS: _epoch(timedelta(seconds=1)),
}
_UNITS = {
    TimeForm.ISO: timedelta(milliseconds=1),
    TimeForm.MILLISECONDS: timedelta(milliseconds=1),
    TimeForm.SECONDS: timedelta(seconds=1),
}
_CUTS = {get_args(Instant)[1]: timedelta(milliseconds=1), get_args(Expiry)[1]: timedelta(seconds=1)}


def _cut_by(metadata: Any) -> timedelta:
    """To which unit validation cuts an instant: `Instant` and `Expiry` do."""
    return max((_CUTS.get(part, _ANY_PART) for part in metadata if isinstance(part, AfterValidator)), default=_ANY_PART)


def _time(stored: TimeForm, cut: timedelta) -> Form:
    """The form of an instant; one that nothing cuts is refused where it would not come back whole."""
    form, unit = _TIMES[stored], _UNITS[stored]
    if cut >= unit:
        return form
    if cut:
        raise TypeError("an Instant has milliseconds, which its stored form lacks: declare it as Expiry")

    def encode(value: datetime) -> Json | None:
        if value.microsecond % (unit // _MICROSECOND):
            raise ValueError(f"{value} has a smaller part than is stored, whose unit is {unit}: cut it")
        return form.encode(value)

    return replace(form, encode=encode)


# --- compressed ------------------------------------------------------------------------------------------------------


def _is_text(annotation: Any) -> bool:
    origin = get_origin(annotation)
    kinds = get_args(annotation) if origin in {Union, types.UnionType} else (annotation,)
    return all(isinstance(kind, type) and issubclass(kind, str | types.NoneType) for kind in kinds)


def _deflate(value: str) -> Json:
    return {"B": zlib.compress(value.encode(), 9)}


def _inflate(json: Json) -> str:
    return zlib.decompress(bytes_of(json["B"])).decode()


def _compressed(form: Form) -> Form:
    """Anything but text: its own stored form, as JSON, deflated."""

    def encode(value: Any) -> Json | None:
        encoded = form.encode(value)
        if encoded is None:
            return None
        return {"B": zlib.compress(orjson.dumps(encoded, default=lambda part: base64.b64encode(part).decode()), 9)}

    def opened(json: Json) -> Json:
        found: Json = orjson.loads(zlib.decompress(bytes_of(json["B"])))
        return found

    return Form(encode, lambda json: form.decode(opened(json)), loose=lambda json: form.loose(opened(json)))


# --- values of many parts --------------------------------------------------------------------------------------------


def _or_null(form: Form) -> Form:
    """The form of `X | None`: inside lists and maps, and in items of other programs, None is stored as NULL."""
    encode, decode = form.encode, form.decode
    return replace(
        form,
        encode=lambda value: {"NULL": True} if value is None else encode(value),
        decode=lambda json: None if "NULL" in json else decode(json),
    )


def _sequence(inner: Form, kind: type) -> Form:
    encode, decode, loose, letter = inner.encode, inner.decode, inner.loose, inner.letter
    return Form(
        lambda values: {"L": [inside(encode(value)) for value in values]},
        lambda json: kind(map(decode, json["L"])),
        loose=(lambda json: [part[letter] for part in json["L"]])
        if letter
        else (lambda json: [loose(part) for part in json["L"]]),
    )


def _set(inner: Form, kind: type) -> Form:
    encode, decode = inner.encode, inner.decode

    def decode_set(json: Json) -> Any:
        if "NULL" in json:
            return kind()
        ((letters, values),) = json.items()
        return kind(decode({letters[0]: value}) for value in values)

    def encode_texts(values: Any) -> Json | None:
        return {"SS": sorted(values)} if values else None

    def encode_set(values: Any) -> Json | None:
        return joined_set([encode(value) or {} for value in values])

    letter = f"{inner.letter}S" if inner.letter in {"S", "N"} else ""
    return Form(
        encode_texts if inner.plain == "S" else encode_set,
        decode_set,
        loose=(lambda json: json[letter]) if letter else decode_set,
        letter=letter,
    )


def _mapping(inner: Form) -> Form:
    encode, decode, loose, letter = inner.encode, inner.decode, inner.loose, inner.letter
    return Form(
        lambda values: {"M": {map_name(name): inside(encode(value)) for name, value in values.items()}},
        lambda json: {name: decode(value) for name, value in json["M"].items()},
        loose=(lambda json: {name: value[letter] for name, value in json["M"].items()})
        if letter
        else (lambda json: {name: loose(value) for name, value in json["M"].items()}),
    )


def stored_names(kind: type[BaseModel]) -> dict[str, str]:
    """Under which name each field of a model is stored."""
    rule = getattr(kind, "naming", Naming.SNAKE)
    return {name: mark_of(info).name or stored_name(name, rule) for name, info in kind.model_fields.items()}


def _model(kind: type[BaseModel], times: TimeForm) -> Form:
    if kind in _compiling.get():
        raise TypeError(f"{kind.__name__} holds itself, which has no stored form; use dict[str, Any]")
    names = stored_names(kind)
    refuse_unfit_model(kind, names)
    fields: dict[str, tuple[str, Form]] = {}
    outer = _compiling.set((*_compiling.get(), kind))
    try:
        for name, info in kind.model_fields.items():
            with naming(kind, name):
                fields[name] = (names[name], field_form(kind, info, times=times))
    finally:
        _compiling.reset(outer)
    absent = absent_values(kind)
    encoders = [(name, stored, form.encode) for name, (stored, form) in fields.items()]
    finished = [(name, stored, form.decode) for name, (stored, form) in fields.items()]
    loosely = {stored: (name, form.letter, form.loose) for name, (stored, form) in fields.items()}

    def encode_model(value: Any) -> Json:
        encoded = {}
        for name, stored, encode in encoders:
            part = getattr(value, name)
            if part is not None and (json := encode(part)) is not None:
                encoded[stored] = json
        return {"M": encoded}

    def decode_model(json: Json) -> Any:
        found = json["M"]
        values = {name: decode(found[stored]) for name, stored, decode in finished if stored in found}
        return kind.model_validate({**absent, **values})

    def decode_loosely(json: Json) -> Any:
        values = dict(absent)
        for stored, part in json["M"].items():
            if stored in loosely:
                name, letter, loose = loosely[stored]
                values[name] = part[letter] if letter else loose(part)
        return values

    return Form(encode_model, decode_model, loose=decode_loosely)
