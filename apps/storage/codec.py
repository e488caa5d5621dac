"""Entities to DynamoDB's JSON and back, compiled once for each entity.

Each field becomes a pair of functions chosen from its type when the codec is made; reading and writing an item is then
one loop over those pairs, with no look at types any more.
"""

import types
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Generic, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel

from apps.storage.entity import Entity, Naming, Stored, TimeForm, stored_name
from apps.storage.keys import KeyTemplate
from apps.storage.table import Table

E = TypeVar("E", bound=Entity)
Json = dict[str, Any]
Encode = Callable[[Any], Json | None]
Decode = Callable[[Json], Any]
Form = tuple[Encode, Decode]

# What DynamoDB's number type holds: 1E-130 to 9.99E+125, of either sign, and zero.
MOST_DIGITS = 38
SMALLEST_EXPONENT, LARGEST_EXPONENT = -130, 125


@dataclass(frozen=True, slots=True)
class FieldCodec:
    """One field: its Python name, its stored name and the two functions between them."""

    name: str
    stored: str
    encode: Encode
    decode: Decode


class Codec(Generic[E]):
    """Everything needed to write and read one kind of entity."""

    def __init__(self, entity: type[E], table: Table | None = None) -> None:
        """Compile the entity's fields, to be stored in `table`.

        Raises `TypeError` for a type that has no exact stored form, such as float.
        """
        self.entity = entity
        self.table = table
        self.fields: dict[str, FieldCodec] = {}
        for name, info in entity.model_fields.items():
            marks = [mark for mark in info.metadata if isinstance(mark, Stored)]
            mark = marks[-1] if marks else Stored()
            encode, decode = _form(info.annotation, times=entity.times, mark=mark)
            stored = mark.name or stored_name(name, entity.naming)
            self.fields[name] = FieldCodec(name=name, stored=stored, encode=encode, decode=decode)
        self._absent = _absent(entity)
        self.by_stored = {field.stored: field for field in self.fields.values()}
        self.derived = {stored: KeyTemplate(template) for stored, template in entity.derived.items()}
        self._encoders = [(field.name, field.stored, field.encode) for field in self.fields.values()]
        self._decoders = {field.stored: (field.name, field.decode) for field in self.fields.values()}

    def encode(self, entity: E) -> Json:
        """The whole item; None, empty sets and derived keys that lack a part are left out."""
        item: Json = {}
        for name, stored, encode in self._encoders:
            value = getattr(entity, name)
            if value is not None:
                encoded = encode(value)
                if encoded is not None:
                    item[stored] = encoded
        for stored, template in self.derived.items():
            key = template.fill(lambda part: getattr(entity, part))
            if key is not None:
                item[stored] = {"S": key}
        return item

    def decode(self, item: Json, *, projected: bool = False) -> E:
        """The entity in an item; others are passed over. Raises pydantic's `ValidationError`."""
        decoders = self._decoders
        values: dict[str, Any] = dict(self._absent)
        for stored, value in item.items():
            found = decoders.get(stored)
            if found is not None:
                values[found[0]] = found[1](value)
        entity = self.entity.model_validate(values)
        if projected:
            entity._projected = True  # noqa: SLF001  (this is the one place that knows)
        return entity

    def stored(self, name: str) -> str:
        """The stored name of a field, or of a derived attribute, which is its own. Raises `LookupError`."""
        if name in self.fields:
            return self.fields[name].stored
        if name in self.derived:
            return name
        raise LookupError(f"{self.entity.__name__} has no field {name}")

    def encode_value(self, name: str, value: Any) -> Json:
        """A value to compare a field with, or to set it to, in the field's own stored form.

        Raises `ValueError` for None and the empty set, which are not stored, and for a value without an exact form.
        """
        if value is None:
            raise ValueError(f"None is not stored in {name}: ask whether it is missing, or remove it")
        if name in self.fields:
            encoded = self.fields[name].encode(value)
            if encoded is None:
                raise ValueError(f"an empty set cannot be stored in {name}: remove it instead")
            return encoded
        return {"S": str(value)}


def _form(annotation: Any, *, times: TimeForm, mark: Stored) -> Form:
    """The pair of functions for a type; raises `TypeError` where there is none."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = next((part for part in arguments[1:] if isinstance(part, Stored)), mark)
        return _form(arguments[0], times=times, mark=inner)
    if origin in {Union, types.UnionType}:
        kinds = [part for part in arguments if part is not type(None)]
        forms = [_form(kind, times=times, mark=mark) for kind in kinds]
        return _or_null(forms[0]) if len(forms) == 1 else (encode_any, decode_any)
    if origin is Literal:
        return _form(type(arguments[0]), times=times, mark=mark)
    if origin in {list, tuple}:
        if origin is tuple and arguments[1:] != (...,):
            raise TypeError(f"{annotation!r} has no stored form; for a list of one type use tuple[X, ...]")
        return _sequence(_form(arguments[0], times=times, mark=Stored()), origin)
    if origin in {set, frozenset}:
        return _set(_form(arguments[0], times=times, mark=Stored()), origin)
    if origin in {dict, Mapping} or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return _mapping(_form(arguments[1], times=times, mark=Stored()))
    if annotation is Any or annotation is dict:
        return encode_any, decode_any
    if isinstance(annotation, type):
        return _scalar(annotation, times=mark.time or times, mark=mark)
    raise TypeError(f"{annotation!r} has no stored form")


def _scalar(kind: type, *, times: TimeForm, mark: Stored) -> Form:
    if issubclass(kind, BaseModel):
        return _model(kind, times)
    if issubclass(kind, Enum):
        return _enum(kind)
    if issubclass(kind, bool):
        return (_encode_flag, _decode_flag) if mark.flag else (lambda value: {"BOOL": value}, lambda json: json["BOOL"])
    if issubclass(kind, str):
        return (_deflate, _inflate) if mark.compressed else (lambda value: {"S": value}, lambda json: json["S"])
    if issubclass(kind, int):
        return _encode_int, lambda json: int(json["N"])
    if issubclass(kind, Decimal):
        return _encode_decimal, lambda json: Decimal(json["N"])
    if issubclass(kind, datetime):
        return _TIMES[times]
    if issubclass(kind, date):
        return lambda value: {"S": value.isoformat()}, lambda json: date.fromisoformat(json["S"])
    if issubclass(kind, bytes):
        return lambda value: {"B": value}, lambda json: json["B"]
    raise TypeError(f"{kind.__name__} has no exact stored form; for fractions use Decimal")


def _absent(kind: type[BaseModel]) -> dict[str, Any]:
    """What a stored item without an attribute means for the required fields: None and empty sets are never stored.

    Raises `TypeError` for an optional field whose default is something else: its None would come back as that.
    """
    found: dict[str, Any] = {}
    for name, info in kind.model_fields.items():
        arguments = get_args(info.annotation)
        if type(None) in arguments:
            empty: Any = None
        elif get_origin(info.annotation) in {set, frozenset}:
            empty = frozenset()
        else:
            continue
        if info.is_required():
            found[name] = empty
        elif info.default_factory is None and info.default != empty:
            raise TypeError(f"{kind.__name__}.{name} would turn from {empty!r} into its default by being stored")
    return found


def _or_null(form: Form) -> Form:
    """The form of `X | None`: inside lists and maps, and in items of other programs, None is stored as NULL."""
    encode, decode = form
    return (
        lambda value: {"NULL": True} if value is None else encode(value),
        lambda json: None if "NULL" in json else decode(json),
    )


def _inside(encoded: Json | None) -> Json:
    if encoded is None:
        raise ValueError("an empty set cannot be stored inside a list or a map")
    return encoded


def _sequence(inner: Form, kind: type) -> Form:
    encode, decode = inner
    return (
        lambda values: {"L": [_inside(encode(value)) for value in values]},
        lambda json: kind(map(decode, json["L"])),
    )


def _set(inner: Form, kind: type) -> Form:
    encode, decode = inner

    def encode_set(values: Any) -> Json | None:
        return _joined_set([encode(value) or {} for value in values])

    def decode_set(json: Json) -> Any:
        if "NULL" in json:
            return kind()
        letters, values = next(iter(json.items()))
        return kind(decode({letters[0]: value}) for value in values)

    return encode_set, decode_set


def _joined_set(encoded: list[Json]) -> Json | None:
    if not encoded:
        return None
    letters = {letter for part in encoded for letter in part}
    if len(letters) != 1 or not letters <= {"S", "N", "B"}:
        raise TypeError("only texts, numbers or bytes, all of one kind, can be stored as a set")
    letter = letters.pop()
    return {f"{letter}S": sorted(part[letter] for part in encoded)}


def _mapping(inner: Form) -> Form:
    encode, decode = inner

    def encode_mapping(values: Mapping[Any, Any]) -> Json:
        return {"M": {_name(name): _inside(encode(value)) for name, value in values.items()}}

    return encode_mapping, lambda json: {name: decode(value) for name, value in json["M"].items()}


def _name(name: Any) -> str:
    return str(name.value if isinstance(name, Enum) else name)


def _model(kind: type[BaseModel], times: TimeForm) -> Form:
    fields = []
    absent = _absent(kind)
    for name, info in kind.model_fields.items():
        marks = [mark for mark in info.metadata if isinstance(mark, Stored)]
        mark = marks[-1] if marks else Stored()
        encode, decode = _form(info.annotation, times=times, mark=mark)
        fields.append((name, mark.name or stored_name(name, getattr(kind, "naming", Naming.SNAKE)), encode, decode))

    def encode_model(value: Any) -> Json:
        encoded = {
            stored: encode(getattr(value, name))
            for name, stored, encode, _ in fields
            if getattr(value, name) is not None
        }
        return {"M": {stored: part for stored, part in encoded.items() if part is not None}}

    def decode_model(json: Json) -> Any:
        inside = json["M"]
        return kind.model_validate(
            {**absent, **{name: decode(inside[stored]) for name, stored, _, decode in fields if stored in inside}}
        )

    return encode_model, decode_model


def _enum(kind: type[Enum]) -> Form:
    encode, decode = _scalar(type(next(iter(kind)).value), times=TimeForm.ISO, mark=Stored())
    return lambda value: encode(kind(value).value), lambda json: kind(decode(json))


def _encode_flag(value: bool) -> Json:  # noqa: FBT001  (an encoder takes the value it encodes)
    return {"N": "1" if value else "0"}


def _decode_flag(json: Json) -> bool:
    return bool(json["N"] != "0")


def _deflate(value: str) -> Json:
    return {"B": zlib.compress(value.encode(), 9)}


def _inflate(json: Json) -> str:
    return zlib.decompress(json["B"]).decode()


def _encode_int(value: int) -> Json:
    whole = int(value)
    if whole != value:
        raise ValueError(f"{value} is no whole number")
    text = str(whole)
    if len(text.strip("-").strip("0")) > MOST_DIGITS:
        raise ValueError(f"{text} has more than the {MOST_DIGITS} digits that DynamoDB keeps")
    if len(text.strip("-")) > LARGEST_EXPONENT + 1:
        raise ValueError(f"{text} is larger than any number that DynamoDB keeps")
    return {"N": text}


def _encode_decimal(value: Decimal | int) -> Json:
    if isinstance(value, int):
        return _encode_int(value)
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} has no exact stored form; for fractions use Decimal")
    if not value.is_finite():
        raise ValueError(f"{value} cannot be stored: it is no finite number")
    if value.is_zero() and value.is_signed():
        raise ValueError("-0 cannot be stored: DynamoDB would lose its sign")
    if len(value.as_tuple().digits) > MOST_DIGITS:
        raise ValueError(f"{value} has more than the {MOST_DIGITS} digits that DynamoDB keeps")
    if value.is_zero():
        return {"N": "0"}
    if not SMALLEST_EXPONENT <= value.adjusted() <= LARGEST_EXPONENT:
        raise ValueError(f"{value} is larger or smaller than any number that DynamoDB keeps")
    return {"N": str(value)}


def iso(value: datetime) -> str:
    """An instant as stored text of fixed width, so that it sorts: `2026-03-01T09:30:00.000Z`.

    Raises `ValueError` for a naive one.
    """
    if value.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _epoch(scale: int) -> Form:
    def encode(value: datetime) -> Json:
        if value.tzinfo is None:
            raise ValueError("an instant needs its time zone")
        since = value - datetime(1970, 1, 1, tzinfo=UTC)
        return {"N": str((since.days * 86_400 + since.seconds) * scale + since.microseconds * scale // 1_000_000)}

    def decode(json: Json) -> datetime:
        whole, part = divmod(int(json["N"]), scale)
        return datetime.fromtimestamp(whole, tz=UTC).replace(microsecond=part * 1_000_000 // scale)

    return encode, decode


_TIMES: dict[TimeForm, Form] = {
    TimeForm.ISO: (lambda value: {"S": iso(value)}, lambda json: datetime.fromisoformat(json["S"])),
    TimeForm.MILLISECONDS: _epoch(1000),
    TimeForm.SECONDS: _epoch(1),
}


def encode_any(value: Any) -> Json:
    """A value of no declared type: what JSON has, plus exact numbers, bytes and instants (as ISO text)."""
    for kind, encode in _ANY:
        if isinstance(value, kind):
            return encode(value)
    raise TypeError(f"{type(value).__name__} has no exact stored form; for fractions use Decimal")


_ANY: list[tuple[type | tuple[type, ...], Callable[[Any], Json]]] = [
    (type(None), lambda _: {"NULL": True}),
    (bool, lambda value: {"BOOL": value}),
    (str, lambda value: {"S": str(value)}),
    (int, _encode_int),
    (Decimal, _encode_decimal),
    (bytes, lambda value: {"B": value}),
    (datetime, lambda value: {"S": iso(value)}),
    (date, lambda value: {"S": value.isoformat()}),
    (Mapping, lambda value: {"M": {_name(name): encode_any(part) for name, part in value.items()}}),
    ((list, tuple), lambda value: {"L": [encode_any(part) for part in value]}),
    ((set, frozenset), lambda value: _inside(_joined_set([encode_any(part) for part in value]))),
]


def decode_any(json: Json) -> Any:
    """The value in DynamoDB's JSON; whole numbers come back as int, others as Decimal."""
    letter, value = next(iter(json.items()))
    return _ANY_BACK[letter](value)


def _number(text: str) -> int | Decimal:
    exact = Decimal(text)
    return int(exact) if exact == exact.to_integral_value() else exact


_ANY_BACK: dict[str, Callable[[Any], Any]] = {
    "NULL": lambda _: None,
    "BOOL": bool,
    "S": str,
    "N": _number,
    "B": bytes,
    "M": lambda value: {name: decode_any(part) for name, part in value.items()},
    "L": lambda value: [decode_any(part) for part in value],
    "SS": frozenset,
    "NS": lambda value: frozenset(map(_number, value)),
    "BS": frozenset,
}
