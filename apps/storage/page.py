"""A slice of a list and the signed way to its neighbours; a count that may have stopped early."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

import orjson
from django.conf import settings

from apps.storage.errors import BadCursor

E = TypeVar("E")
F = TypeVar("F")

_SIGNATURE_BYTES = 16
# Raised when the cursor's inner form changes, so that one from before is refused rather than misread.
_FORMAT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[E]):
    """Some entities in order, with opaque cursors to the pages around them (None at the ends).

    `examined` is how many items the store looked at: more than `len(items)` by the one that tells whether there is a
    next page, and by all that a filter, another kind or their expiry kept out. `exhausted_budget` says that the read
    budget was spent before the page was full: the next page goes on from there.
    """

    items: Sequence[E]
    next: str | None = None
    previous: str | None = None
    examined: int = 0
    exhausted_budget: bool = False

    def map(self, change: Callable[[E], F]) -> "Page[F]":
        """The same page with each item changed."""
        return Page(
            items=[change(item) for item in self.items],
            next=self.next,
            previous=self.previous,
            examined=self.examined,
            exhausted_budget=self.exhausted_budget,
        )


class Count(int):
    """How many items answer a question; where `is_capped`, at least so many. As text `37`, or `1000+`."""

    is_capped: bool

    def __new__(cls, number: int, *, is_capped: bool = False) -> Self:
        """`is_capped` says that counting stopped before the end."""
        count = super().__new__(cls, number)
        count.is_capped = is_capped
        return count

    @property
    def number(self) -> int:
        """The plain number."""
        return int(self)

    def __str__(self) -> str:
        return f"{int(self)}+" if self.is_capped else str(int(self))

    def __repr__(self) -> str:
        return f"Count({self})"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page starts: after this key (DynamoDB's JSON), or before it when `backward`."""

    key: dict[str, Any]
    backward: bool

    def sign(self, question: str) -> str:
        """The cursor as URL-safe text, bound to the question that it continues."""
        body = orjson.dumps([_FORMAT, self.key, self.backward])
        return base64.urlsafe_b64encode(_signature(body, question) + body).decode().rstrip("=")


def open_cursor(text: str, question: str) -> Cursor:
    """The cursor in `text`.

    Raises `BadCursor` where it is malformed, forged, of an earlier format, or belongs to another question.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise _bad() from None
    signature, body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(body, question)):
        raise _bad()
    try:
        content = orjson.loads(body)
    except ValueError:
        raise _bad() from None
    match content:
        case [format_, dict() as key, bool() as backward] if format_ == _FORMAT and all(map(_is_value, key.values())):
            return Cursor(key, backward)
        case _:
            raise _bad()


def _is_value(json: Any) -> bool:
    match json:
        case {"S": str()} | {"N": str()}:
            return len(json) == 1
        case _:
            return False


def _signature(body: bytes, question: str) -> bytes:
    secret = hashlib.sha256(b"rungs.cursor" + settings.SECRET_KEY.encode()).digest()
    return hmac.digest(secret, question.encode() + b"\0" + body, "sha256")[:_SIGNATURE_BYTES]


def _bad() -> BadCursor:
    return BadCursor("This page address no longer fits its list. Start again from the first page.", field="cursor")
