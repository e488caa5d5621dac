"""Large answers, read a slice at a time: only some items at once exist as JSON beside the entities made of them."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, overload

import orjson

from apps.storage.errors import StoreUnavailable

Item = dict[str, Any]

# Smaller answers are read at once.
LARGE_BYTES = 40 * 1024
SLICE_BYTES = 16 * 1024
MISSES = 4
# Where the items of a query or scan begin, and those of a batch from one table.
_OPENING = re.compile(rb'"Items":\[|"Responses":\{"(?P<table>[\w.-]+)":\[')


class Items(Sequence[Item]):
    """The items of one answer, parsed as they are iterated over, each time anew.

    That takes half the memory of parsing all of them first, and a quarter less time: what is used again is near.
    """

    def __init__(self, body: bytes, start: int, end: int, *, count: int | None) -> None:
        """`body[start:end]` is what stands between the brackets; `count` is how many items that is, if known."""
        self._body = body
        self._start = start
        self._end = end
        self._count = count

    def __len__(self) -> int:
        if self._count is None:
            self._count = sum(1 for _ in self)
        return self._count

    def __iter__(self) -> Iterator[Item]:
        at = self._start
        while at < self._end:
            items, at = self._slice(at)
            items.reverse()
            # Each is let go before the next is handed over.
            while items:
                yield items.pop()

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        return list(self)[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def _slice(self, at: int) -> tuple[list[Item], int]:
        """Some items from here on, and where the next one begins.

        Two items meet in `},{`, but so may the parts of a list or the words of a text. A slice that begins with an item
        and is JSON can only end with one: everywhere else some bracket or quote would be open.
        """
        cut = at + SLICE_BYTES
        for _ in range(MISSES):
            cut = self._body.find(b"},{", cut, self._end) + 1
            if not cut:
                break
            try:
                return orjson.loads(b"[%b]" % self._body[at:cut]), cut + 1
            except orjson.JSONDecodeError:
                cut += 1
        try:
            return orjson.loads(b"[%b]" % self._body[at : self._end]), self._end
        except orjson.JSONDecodeError:
            raise StoreUnavailable("The store's answer makes no sense. Try again in a moment.") from None


def sliced(body: bytes) -> Item | None:
    """A large answer with its items still to be parsed; None for one that must be read at once.

    Only for an answer whose checksum is right: that the items are JSON is found out while they are read.
    """
    opening = _OPENING.search(body) if len(body) >= LARGE_BYTES else None
    if opening is None:
        return None
    start, end = opening.end(), len(body)
    # What follows the items is short. A bracket inside a text of it leaves an odd quote behind, which is no JSON.
    for _ in range(MISSES):
        end = body.rfind(b"]", start, end)
        if end < 0:
            return None
        try:
            answer = orjson.loads(body[:start] + body[end:])
        except orjson.JSONDecodeError:
            continue
        return answer if isinstance(answer, dict) and _put_in(answer, opening["table"], body, start, end) else None
    return None


def _put_in(answer: dict[str, Any], table: bytes | None, body: bytes, start: int, end: int) -> bool:
    """Put the items, still to be parsed, where an empty list stands for them; False where none does."""
    if table is None:
        holder: Any = answer
        name = "Items"
        count = answer.get("Count")
    else:
        holder, name = answer.get("Responses"), table.decode()
        count = None
    if not isinstance(holder, dict) or holder.get(name) != [] or (table is None and not isinstance(count, int)):
        return False
    holder[name] = Items(body, start, end, count=count)
    return True
