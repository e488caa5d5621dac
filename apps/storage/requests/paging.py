"""How an answer is read request by request: never more than was asked for, never beyond a budget."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from apps.storage.page import Cursor, Page, open_cursor
from apps.storage.table import Key

T = TypeVar("T")
Item = dict[str, Any]

READ_BUDGET_ITEMS = 1000


class Ask(Protocol):
    """Sends one request of a kind (query or scan) and returns DynamoDB's answer."""

    def __call__(self, **request: Any) -> Item:
        """Boto3's arguments of the request."""


class Walk:
    """One answer, read in steps; `budget` is how many items the store may look at in all, None for any number.

    `examined` is how many it looked at so far, `last` the key (DynamoDB's JSON) where reading stopped short of the end.
    """

    def __init__(self, ask: Ask, request: Item, *, budget: int | None = None) -> None:
        """Nothing is read yet."""
        self._ask = ask
        self._request = dict(request)
        self._budget = budget
        self._has_ended = False
        self.examined = 0
        self.last: Item | None = None

    @property
    def may_go_on(self) -> bool:
        """Whether there may be more, and budget for it."""
        return not self._has_ended and (self._budget is None or self.examined < self._budget)

    def step(self, most: int | None = None) -> Item:
        """The next answer, for which the store looks at `most` items at most."""
        limits = [limit for limit in (most, None if self._budget is None else self._budget - self.examined) if limit]
        answer = self._ask(**self._request, **({"Limit": min(limits)} if limits else {}))
        self.examined += int(answer["ScannedCount"])
        self.last = answer.get("LastEvaluatedKey")
        if self.last is None:
            self._has_ended = True
        else:
            self._request["ExclusiveStartKey"] = self.last
        return answer

    def found(self, decode: Callable[[Item], T | None], *, wanted: int | None = None) -> Iterator[tuple[Item, T]]:
        """What `decode` makes of the items, each with its item, until there is nothing more or the caller stops.

        The caller stops after `wanted`, so steps look at no more than are lacking; where some were passed over, steps
        grow, so that a long search for few takes few requests.
        """
        kept, step = 0, wanted
        while self.may_go_on:
            for item in self.step(step)["Items"]:  # a large answer is parsed piece by piece: nobody else holds them
                entity = decode(item)
                if entity is not None:
                    kept += 1
                    yield item, entity
            if wanted is not None and step is not None:
                lacking = max(1, wanted - kept)
                step = lacking if kept == self.examined else max(lacking, 2 * step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages(Generic[T]):
    """A question that is answered page by page.

    `request` is all of it but direction and place; `decode` gives the entity in an item, or None for one to be passed
    over; `keys` are the attributes that make a place in the answer; `question` is what cursors are bound to.
    """

    ask: Ask
    request: Item
    question: str
    keys: tuple[Key, ...]
    decode: Callable[[Item], T | None]
    descending: bool = False

    def page(self, *, limit: int, cursor: str | None, budget: int | None) -> Page[T]:
        """The page at a cursor. Raises `BadCursor`."""
        start = open_cursor(cursor, self.question) if cursor else None
        backward = start is not None and start.backward
        request = {**self.request, "ScanIndexForward": self.descending is backward}
        if start is not None and start.key:
            request["ExclusiveStartKey"] = start.key
        walk = Walk(self.ask, request, budget=budget)
        found: list[T] = []
        first: Item | None = None
        last: Item | None = None
        has_more = False
        for item, entity in walk.found(self.decode, wanted=limit + 1):
            if len(found) == limit:
                has_more = True
                break
            found.append(entity)
            first, last = first or item, item
        stopped_at = None if has_more else walk.last
        # In reading order: `far` is where this page ends and another goes on, `near` where it began.
        far = self._place(last) if has_more and last else stopped_at
        near = None
        if start is not None and start.key:
            # Where nothing is left here, the cursor's own item may still be there: the way back starts beyond it.
            near = self._place(first) if first else stopped_at or {}
        ahead, behind = (near, far) if backward else (far, near)
        if backward:
            found.reverse()
        return Page(
            items=found,
            next=None if ahead is None else Cursor(ahead, backward=False).sign(self.question),
            previous=None if behind is None else Cursor(behind, backward=True).sign(self.question),
            examined=walk.examined,
            exhausted_budget=stopped_at is not None,
        )

    def _place(self, item: Item) -> Item:
        return {key.name: item[key.name] for key in self.keys}
