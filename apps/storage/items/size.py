"""How large items and keys are in DynamoDB's own reckoning, so that what is too large is refused before it is sent."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from apps.storage.items.values import is_number, is_text

MOST_BYTES = 400 * 1024
LONGEST_KEY_BYTES = (2048, 1024)  # partition and sort key

SURELY_SHORT = LONGEST_KEY_BYTES[1] // 4  # characters: one has at most 4 bytes
_CONTAINER_BYTES = 3
_DIGITS_A_BYTE = 2


def item_bytes(item: Mapping[str, Any]) -> int:
    """The size of an item in DynamoDB's JSON: names and values; numbers at their largest."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def fits(item: Mapping[str, Any]) -> bool:
    """Whether an item is small enough to be stored.

    Its JSON text is never shorter than what DynamoDB counts, and much faster to measure: only what is near the limit or
    beyond is counted exactly.
    """
    return len(orjson.dumps(item, default=_base64)) <= MOST_BYTES or item_bytes(item) <= MOST_BYTES


def may_be_key(key: Mapping[str, Any]) -> bool:
    """Whether an item can have this key (DynamoDB's JSON, partition key first).

    Empty text is none, nor is what is too long, cannot be sent, or is no number where one belongs.
    """
    for value, most in zip(key.values(), LONGEST_KEY_BYTES, strict=False):
        text = value.get("S")
        if text is None:
            if "N" in value and not is_number(value["N"]):
                return False
        elif not is_key_text(text, most):
            return False
    return True


def is_key_text(text: Any, most: int) -> bool:
    """Whether it can be a key of at most so many bytes; what is no text at all is left to the request to refuse."""
    if not isinstance(text, str):
        return True
    return bool(text) and is_text(text) and (len(text) <= SURELY_SHORT or len(text.encode()) <= most)


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


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
