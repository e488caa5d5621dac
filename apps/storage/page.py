"""A slice of a list and the signed way to its neighbours."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson
from django.conf import settings

from apps.storage.errors import BadCursor

E = TypeVar("E")
F = TypeVar("F")

_SIGNATURE_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[E]):
    """Some entities in order, with opaque cursors to the pages around them (None at the ends).

    `examined` is how many items the store looked at; it exceeds `len(items)` only under a filter. `exhausted_budget`
    says that a filter's read budget was spent before the page was full: the next page goes on from there.
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


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page starts: after this key (DynamoDB's JSON), or before it when `backward`."""

    key: dict[str, Any]
    backward: bool

    def sign(self, question: str) -> str:
        """The cursor as URL-safe text, bound to the question that it continues."""
        body = orjson.dumps([self.key, self.backward])
        return base64.urlsafe_b64encode(_signature(body, question) + body).decode().rstrip("=")


def open_cursor(text: str, question: str) -> Cursor:
    """The cursor in `text`. Raises `BadCursor` where it is malformed, forged, or belongs to another question."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise _bad() from None
    signature, body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(body, question)):
        raise _bad()
    key, backward = orjson.loads(body)
    return Cursor(key, backward)


def _signature(body: bytes, question: str) -> bytes:
    secret = hashlib.sha256(b"rungs.cursor" + settings.SECRET_KEY.encode()).digest()
    return hmac.digest(secret, question.encode() + b"\0" + body, "sha256")[:_SIGNATURE_BYTES]


def _bad() -> BadCursor:
    return BadCursor("This page address no longer fits its list. Start again from the first page.", field="cursor")
