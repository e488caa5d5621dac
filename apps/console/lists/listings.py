"""Which index answers what somebody wants to see of a list, and the question to it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from apps.errors import Invalid
from apps.storage.conditions import Query, SortKey, begins_with, everything
from apps.storage.entity import Entity
from apps.storage.items.codec import Codec
from apps.storage.items.kinds import Kind
from apps.storage.table import Index, Key, Table

if TYPE_CHECKING:
    from apps.console.lists.filters import Filter


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """An index that a list can be read from; None is the table's own key.

    All its rows are in `partition`, or in the one that the filters on the fields `by` choose: `by=("status",)`.
    `descending` is the direction it is first shown in. `sorts` is the column that its order shows in, where that is
    not the field of the sort key itself: a ULID sorts by the time it was made. `folded` brings what somebody types in
    the search into the form of the sort key; without it this listing cannot be searched.
    """

    index: str | None = None
    partition: Any = None
    by: tuple[str, ...] = ()
    descending: bool = False
    sorts: str | None = None
    folded: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants to see: the beginning of a name, the filters' values by field, and a column to sort by."""

    prefix: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    sort: str = ""
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The listing and the question that answer it; `filtered` are the fields that no key answers: read by budget."""

    listing: Listing
    query: Query
    filtered: tuple[str, ...]


class Lists:
    """What is known of an entity's listings; compiled once for each admin."""

    def __init__(
        self,
        entity: type[Entity],
        table: Table,
        listings: Sequence[Listing],
        filters: Sequence["Filter"],
        labels: Mapping[str, str],
    ) -> None:
        """`listings` in the order in which they are preferred; `labels` are words for fields."""
        self.kind = Kind(Codec(entity, table), table)
        self.table = table
        self.listings = tuple(listings)
        self.filters = {one.name: one.of(entity, label=labels.get(one.name, "")) for one in filters}

    # --- what a listing is -------------------------------------------------------------------------------------------

    def keys(self, listing: Listing) -> tuple[Key, ...]:
        """Partition key and, where there is one, sort key. Raises `LookupError` for an index that is not declared."""
        return self._index(listing).keys

    def carries(self, listing: Listing, name: str) -> bool:
        """Whether the rows of a listing have this field. Raises `LookupError` for a field that does not exist."""
        index = self._index(listing)
        if isinstance(index, Table) or index.include is None:
            return True
        keys = (key.name for key in (*self.table.keys, *index.keys))
        return self.kind.codec.stored(name) in {*index.include, *keys}

    def sort_fields(self, listing: Listing) -> tuple[str, ...]:
        """The fields that make the sort key, from the first on."""
        _, *sort_keys = self.keys(listing)
        return self.kind.fields_in(sort_keys[0]) if sort_keys else ()

    def sorted_by(self, listing: Listing) -> frozenset[str]:
        """The columns that its order shows in: the sort key's first field; a folded `name_key` stands for `name`."""
        first = self.sort_fields(listing)[:1]
        return frozenset({*first, *(re.sub(r"_key$", "", name) for name in first), *filter(None, [listing.sorts])})

    def answers(self, listing: Listing, *names: str) -> bool:
        """Whether a listing can answer these filters together: by its keys, or since its rows carry the fields."""
        keyed = {*listing.by, *self._keyed(listing, names)}
        return all(name in keyed or self.carries(listing, name) for name in names)

    # --- what answers ------------------------------------------------------------------------------------------------

    def candidates(self, asked: Asked) -> Iterator[Listing]:
        """The listings that answer prefix and filters, the best first: more of it by keys, then as declared."""
        able = [listing for listing in self.listings if self._can(listing, asked)]
        yield from sorted(able, key=lambda listing: -self._worth(listing, asked.values))

    def plan(self, asked: Asked) -> Plan | None:
        """The question to the store; None where nothing is asked and no listing has every row: leaf through the table.

        Raises `Invalid` where no listing answers all of it together, and `UnfitKey` for a value no key can have.
        """
        found = list(self.candidates(asked))
        if not found:
            if not asked.values and not asked.prefix:
                return None
            raise self._refusal(asked)
        sorted_so = [listing for listing in found if asked.sort in self.sorted_by(listing)]
        listing = (sorted_so or found)[0]
        keyed = self._keyed(listing, asked.values)
        filtered = [name for name in asked.values if name not in keyed and name not in listing.by]
        conditions = (self.filters[name].condition(asked.values[name]) for name in filtered)
        partition = self._partition(listing, asked.values)
        _, *sort_keys = self.keys(listing)
        fields, sort = self._sort(listing, keyed, asked)
        partition_key, asked_sort = self.kind.question(listing.index, {**partition, **fields}, sort)
        query = Query(
            partition=partition_key,
            index=listing.index,
            sort=asked_sort if sort_keys else None,
            descending=asked.descending if sorted_so else listing.descending,
            filter=everything(*conditions),
        )
        return Plan(listing=listing, query=query, filtered=tuple(filtered))

    # --- inside ------------------------------------------------------------------------------------------------------

    def _index(self, listing: Listing) -> Index | Table:
        return self.table if listing.index is None else self.table.index(listing.index)

    def _can(self, listing: Listing, asked: Asked) -> bool:
        return self._lacks(listing, asked) == ()

    def _lacks(self, listing: Listing, asked: Asked) -> tuple[str, ...] | None:
        """What must be chosen as well for this listing to answer; None where nothing helps."""
        if (asked.prefix and listing.folded is None) or not self.answers(listing, *asked.values):
            return None
        return tuple(name for name in listing.by if name not in asked.values)

    def _refusal(self, asked: Asked) -> Invalid:
        ways = dict.fromkeys(lacking for listing in self.listings if (lacking := self._lacks(listing, asked)))
        if not ways:
            return Invalid("No index answers these together. Choose fewer filters, or search without them.")
        fewest = [way for way in ways if not any({*other} < {*way} for other in ways)]
        told = " or ".join(" and ".join(f"“{self.filters[name].label}”" for name in way) for way in fewest)
        return Invalid(f"Choose {told} as well: by this alone no rows can be found.")

    def _worth(self, listing: Listing, values: Mapping[str, Any]) -> int:
        return 2 * len(listing.by) + len(self._keyed(listing, values))

    def _keyed(self, listing: Listing, values: Iterable[str]) -> list[str]:
        """The filters that the sort key answers: equal ones from its first field on, then one range."""
        found: list[str] = []
        if listing.folded is not None:
            return found
        for part in self.sort_fields(listing):
            name = next((name for name in values if part in self.filters[name].keys and name not in listing.by), None)
            if name is None:
                break
            found.append(name)
            if self.filters[name].is_range:
                break
        return found

    def _partition(self, listing: Listing, values: Mapping[str, Any]) -> Mapping[str, Any]:
        if listing.by:
            return {name: self.filters[name].key_value(values[name]) for name in listing.by}
        key = self.keys(listing)[0]
        return self.kind.fields_of({key.name: self.kind.key_json(key, listing.partition)})

    def _sort(self, listing: Listing, keyed: Sequence[str], asked: Asked) -> tuple[dict[str, Any], SortKey | None]:
        if asked.prefix and listing.folded is not None:
            start = listing.folded(asked.prefix)
            return {}, begins_with(start) if start else None
        fields: dict[str, Any] = {}
        for part, name in zip(self.sort_fields(listing), keyed, strict=False):
            chosen = self.filters[name]
            if chosen.is_range:
                return fields, chosen.key_range(part, asked.values[name])
            fields[part] = chosen.key_value(asked.values[name])
        return fields, None
