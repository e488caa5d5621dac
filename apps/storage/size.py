"""How large items and keys are in DynamoDB's own reckoning, so that what is too large is refused before it is sent."""

from collections.abc import Callable, Mapping
from typing import Any

MOST_BYTES = 400 * 1024
LONGEST_KEY_BYTES = (2048, 1024)  # partition and sort key

_CONTAINER_BYTES = 3
_DIGITS_A_BYTE = 2


def item_bytes(item: Mapping[str, Any]) -> int:
    """The size of an item in DynamoDB's JSON: names and values; numbers at their largest."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def may_be_key(key: Mapping[str, Any]) -> bool:
    """Whether an item can have this key (DynamoDB's JSON, partition key first): neither empty text nor too long."""
    lengths = (len(value["S"].encode()) if "S" in value else 1 for value in key.values())
    return all(0 < length <= most for length, most in zip(lengths, LONGEST_KEY_BYTES, strict=False))


def _value_bytes(value: Mapping[str, Any]) -> int:
    (letter, content), *_ = value.items()
    return _SIZES[letter](content)


def _text(content: str) -> int:
    return len(content.encode())


def _number(content: str) -> int:
    return min(len(content) // _DIGITS_A_BYTE + 1, 21)


_SIZES: Mapping[str, Callable[[Any], int]] = {
    "S": _text,
    "N": _number,
    "B": len,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "SS": lambda parts: sum(map(_text, parts)),
    "NS": lambda parts: sum(map(_number, parts)),
    "BS": lambda parts: sum(map(len, parts)),
    "L": lambda parts: _CONTAINER_BYTES + sum(1 + _value_bytes(part) for part in parts),
    "M": lambda parts: _CONTAINER_BYTES + len(parts) + item_bytes(parts),
}
