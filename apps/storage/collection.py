"""Several kinds of entity from one query of a table or an index that holds them together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from apps.storage.conditions import Condition, Query, SortKey
from apps.storage.connection import Store
from apps.storage.entity import Entity
from apps.storage.items.kinds import Item
from apps.storage.requests.paging import READ_BUDGET_ITEMS
from apps.storage.requests.reading import Reader, utc_now

E = TypeVar("E", bound=Entity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What one query found, in its order, with cursors to what lies around it (None at the ends).

    `examined` is how many items the store looked at, and `unknown` how many of these are of none of the collection's
    kinds. `exhausted_budget` is as in `Page`.
    """

    items: Sequence[Entity]
    kinds: tuple[type[Entity], ...]
    next: str | None = None
    previous: str | None = None
    examined: int = 0
    unknown: int = 0
    exhausted_budget: bool = False

    def one(self, kind: type[E]) -> E | None:
        """The one entity of a kind, or None. Raises `ValueError` where there are several."""
        found = self.all(kind)
        if len(found) > 1:
            raise ValueError(f"there are {len(found)} of {kind.__name__}, not one")
        return found[0] if found else None

    def all(self, kind: type[E]) -> list[E]:
        """All entities of exactly this kind, in order. Raises `TypeError` for one that the collection does not have."""
        if kind not in self.kinds:
            raise TypeError(f"{kind.__name__} is not among {', '.join(each.__name__ for each in self.kinds)}")
        return [item for item in self.items if type(item) is kind]


class Collection:
    """Kinds that share a table, and a partition of it or of an index, so that one query finds them together.

    `Collection(store, Shops, Jobs)` gathers a shop with its jobs:

        query = shop_with_jobs.where(domain="a.example", sort=at_most("PROFILE"), descending=True)
        gathered = shop_with_jobs.gather(query, limit=11)
        gathered.one(Shop), gathered.all(Job)
    """

    def __init__(self, store: Store, *kinds: type[Reader[Any]], clock: Callable[[], datetime] = utc_now) -> None:
        """Raises `ValueError` for kinds of different tables, and for those that nothing in their keys tells apart."""
        self.readers = tuple(kind(store, clock=clock) for kind in kinds)
        if len({reader.table.name for reader in self.readers}) != 1:
            raise ValueError("a collection needs kinds of one and the same table")
        unmarked = [reader.entity.__name__ for reader in self.readers if not reader.kind.is_marked]
        if unmarked and len(kinds) > 1:
            raise ValueError(f"nothing in the keys of {', '.join(unmarked)} tells it from the other kinds")

    def where(
        self,
        index: str | None = None,
        /,
        *,
        sort: SortKey | None = None,
        descending: bool = False,
        filter: Condition | None = None,  # noqa: A002  (the name it has in a query)
        **fields: Any,
    ) -> Query:
        """A question to one partition, given by fields of the first kind; `sort` is a range of whole sort keys.

        Raises `TypeError` like `Reader.where`, and `ValueError` for kinds that are in different partitions there.
        """
        forms = {reader.kind.partition_form(index) for reader in self.readers}
        if len(forms) != 1:
            raise ValueError(f"these kinds are in different partitions: {', '.join(sorted(forms))}")
        partition = self.readers[0].kind.partition(index, fields)
        return Query(partition=partition, index=index, sort=sort, descending=descending, filter=filter)

    def gather(
        self, query: Query, *, limit: int = 100, cursor: str | None = None, budget: int = READ_BUDGET_ITEMS
    ) -> Gathered:
        """The first `limit` entities of any of the kinds, from the start or from a cursor.

        Limit, cursor and budget are as in `Reader.page`, and so is what is raised. A filter names fields of the first
        kind.
        """
        unknown = 0

        def decode(item: Item) -> Entity | None:
            nonlocal unknown
            for reader in self.readers:
                if reader.kind.owns(item):
                    found: Entity | None = reader._read(item, query.index)  # noqa: SLF001  (one package)
                    return found
            unknown += 1
            return None

        page = self.readers[0].page_of(query, decode, limit=limit, cursor=cursor, budget=budget)
        return Gathered(
            items=page.items,
            kinds=tuple(reader.entity for reader in self.readers),
            next=page.next,
            previous=page.previous,
            examined=page.examined,
            unknown=unknown,
            exhausted_budget=page.exhausted_budget,
        )
