"""Single values in DynamoDB's JSON: exact numbers, instants, bytes, sets, and values of no declared type."""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

Json = dict[str, Any]

# What DynamoDB's number type holds: 1E-130 to 9.99E+125, of either sign, and zero.
MOST_DIGITS = 38
SMALLEST_EXPONENT, LARGEST_EXPONENT = -130, 125
_TOO_LONG = 10**MOST_DIGITS
_NO_FORM = "{} has no exact stored form; for fractions use Decimal"


def encode_int(value: int) -> Json:
    """A whole number. Raises `ValueError` for one that DynamoDB would not keep exactly."""
    if type(value) is int and -_TOO_LONG < value < _TOO_LONG:
        return {"N": str(value)}
    whole = int(value)
    if whole != value:
        raise ValueError(f"{value} is no whole number")
    text = str(whole)
    if len(text.strip("-").strip("0")) > MOST_DIGITS:
        raise ValueError(f"{text} has more than the {MOST_DIGITS} digits that DynamoDB keeps")
    if len(text.strip("-")) > LARGEST_EXPONENT + 1:
        raise ValueError(f"{text} is larger than any number that DynamoDB keeps")
    return {"N": text}


def encode_decimal(value: Decimal | int) -> Json:
    """A number. Raises `ValueError` for one that DynamoDB would not keep exactly, `TypeError` for a float."""
    if isinstance(value, int):
        return encode_int(value)
    if not isinstance(value, Decimal):
        raise TypeError(_NO_FORM.format(type(value).__name__))
    if not value.is_finite():
        raise ValueError(f"{value} cannot be stored: it is no finite number")
    if not value:
        if value.is_signed():
            raise ValueError("-0 cannot be stored: DynamoDB would lose its sign")
        return {"N": "0"}
    text = str(value)
    if len(text) <= MOST_DIGITS and "E" not in text:
        return {"N": text}
    if len("".join(map(str, value.as_tuple().digits)).strip("0")) > MOST_DIGITS:
        raise ValueError(f"{value} has more than the {MOST_DIGITS} digits that DynamoDB keeps")
    if not SMALLEST_EXPONENT <= value.adjusted() <= LARGEST_EXPONENT:
        raise ValueError(f"{value} is larger or smaller than any number that DynamoDB keeps")
    return {"N": text}


def plain_number(value: Decimal) -> str:
    """A number as digits without an exponent, in one form however it was written; exact for any number of digits.

    Raises `ValueError` for one that is not finite.
    """
    if not value.is_finite():
        raise ValueError(f"{value} is no finite number")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def is_number(text: Any) -> bool:
    """Whether it is the text of a number that DynamoDB keeps exactly."""
    if not isinstance(text, str):
        return False
    if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS:
        return True
    try:
        encode_decimal(Decimal(text))
    except (ValueError, InvalidOperation):
        return False
    return True


def is_text(text: str) -> bool:
    """Whether a text can be sent at all: half a character, which JSON can spell, cannot."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:  # it holds the text, which may be a secret: nothing is raised from in here
        return False
    return True


def decode_number(text: str) -> int | Decimal:
    """The number in a text: int where it is whole."""
    try:
        return int(text)
    except ValueError:
        exact = Decimal(text)
        return int(exact) if exact == exact.to_integral_value() else exact


def iso(value: datetime) -> str:
    """An instant as stored text of fixed width, so that it sorts: `2026-03-01T09:30:00.000Z`.

    Raises `ValueError` for a naive one.
    """
    if value.tzinfo is not UTC:
        if value.tzinfo is None:
            raise ValueError("an instant needs its time zone")
        value = value.astimezone(UTC)
    return value.isoformat("T", "milliseconds")[:-6] + "Z"


def bytes_of(value: bytes | str) -> bytes:
    """The bytes of a B value: as boto3 gives them, or in base64 as they come over the wire."""
    return base64.b64decode(value) if isinstance(value, str) else bytes(value)


def map_name(name: Any) -> str:
    """The name of an entry of a map; an enum stands for its value."""
    return name if type(name) is str else str(name.value if isinstance(name, Enum) else name)


def joined_set(encoded: list[Json]) -> Json | None:
    """The set of these scalars, None for no scalars. Raises `TypeError` for kinds that DynamoDB has no set of."""
    if not encoded:
        return None
    letters = {letter for part in encoded for letter in part}
    if len(letters) != 1 or not letters <= {"S", "N", "B"}:
        raise TypeError("only texts, numbers or bytes, all of one kind, can be stored as a set")
    letter = letters.pop()
    return {f"{letter}S": sorted(part[letter] for part in encoded)}


def inside(encoded: Json | None) -> Json:
    """What is encoded inside a list or a map. Raises `ValueError` for an empty set, which would be lost there."""
    if encoded is None:
        raise ValueError("an empty set cannot be stored inside a list or a map")
    return encoded


def encode_any(value: Any) -> Json:
    """A value of no declared type: what JSON has, plus exact numbers, bytes and instants (as ISO text)."""
    kind = type(value)
    if kind is str:
        return {"S": value}
    if kind in _ANY_BY_TYPE:
        return _ANY_BY_TYPE[kind](value)
    for known, encode in _ANY:
        if isinstance(value, known):
            return encode(value)
    raise TypeError(_NO_FORM.format(type(value).__name__))


_ANY: list[tuple[type | tuple[type, ...], Callable[[Any], Json]]] = [
    (type(None), lambda _: {"NULL": True}),
    (bool, lambda value: {"BOOL": value}),
    (str, lambda value: {"S": str(value)}),
    (int, encode_int),
    (Decimal, encode_decimal),
    (bytes, lambda value: {"B": value}),
    (datetime, lambda value: {"S": iso(value)}),
    (date, lambda value: {"S": value.isoformat()}),
    (Mapping, lambda value: {"M": {map_name(name): encode_any(part) for name, part in value.items()}}),
    ((list, tuple), lambda value: {"L": [encode_any(part) for part in value]}),
    ((set, frozenset), lambda value: inside(joined_set([encode_any(part) for part in value]))),
]
_ANY_BY_TYPE = {kind: encode for kinds, encode in _ANY for kind in (kinds if isinstance(kinds, tuple) else (kinds,))}
_ANY_BY_TYPE[dict] = _ANY_BY_TYPE[Mapping]


def decode_any(json: Json) -> Any:
    """The value in DynamoDB's JSON; whole numbers come back as int, others as Decimal."""
    ((letter, value),) = json.items()
    return value if letter == "S" else _ANY_BACK[letter](value)


_ANY_BACK: dict[str, Callable[[Any], Any]] = {
    "NULL": lambda _: None,
    "BOOL": bool,
    "S": str,
    "N": decode_number,
    "B": bytes_of,
    "M": lambda value: {name: decode_any(part) for name, part in value.items()},
    "L": lambda value: [decode_any(part) for part in value],
    "SS": frozenset,
    "NS": lambda value: frozenset(map(decode_number, value)),
    "BS": lambda value: frozenset(map(bytes_of, value)),
}
