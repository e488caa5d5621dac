"""System checks of what a list declares: listings, filters, search and related columns that nothing stands behind."""

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR
from django.core.checks import Error

from apps.console.lists.listings import Listing

TAKEN = frozenset({ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR})

if TYPE_CHECKING:
    from apps.console.entity_admin import EntityAdmin


def refused(admin: "EntityAdmin[Any]", number: int, sentence: str, hint: str) -> Error:
    """The finding of this number, `console.E001` and so on."""
    return Error(sentence, hint=hint, obj=type(admin), id=f"console.E{number:03}")


def check_lists(admin: "EntityAdmin[Any]") -> Iterator[Error]:
    """What is wrong with an admin's list; where an index is not declared, that alone."""
    undeclared = list(_undeclared(admin))
    yield from undeclared
    if not undeclared:
        for listing in admin.listings:
            yield from _partition(admin, listing)
            yield from _carried(admin, listing)
        lonely = list(_filters(admin))
        yield from lonely or _together(admin)
        yield from _search(admin)
    yield from _finds(admin)
    yield from _related(admin)
    yield from _actions(admin)


def _undeclared(admin: "EntityAdmin[Any]") -> Iterator[Error]:
    table = admin.repository.table
    names = {index.name for index in table.indexes}
    for listing in admin.listings:
        if listing.index is not None and listing.index not in names:
            hint = f"{table.name} has these indexes: {', '.join(sorted(names)) or 'none'}."
            yield refused(
                admin, 2, f"The list is read from {listing.index}, which {table.name} does not declare.", hint
            )


def _partition(admin: "EntityAdmin[Any]", listing: Listing) -> Iterator[Error]:
    name, key = _name(admin, listing), admin.lists.keys(listing)[0]
    parts = admin.lists.kind.fields_in(key)
    if (listing.partition is None) == (not listing.by):
        hint = f"Say which partition of {key.name} is shown, or `by` which filters it is chosen."
        yield refused(admin, 10, f"{name} needs either a `partition` or `by`.", hint)
    elif listing.by and {*listing.by} != {*parts}:
        hint = f"{key.name} is made of {', '.join(parts) or 'no field'}: name exactly that in `by`."
        yield refused(admin, 10, f"{name} cannot be chosen by {', '.join(listing.by)}.", hint)
    if listing.folded is not None and len(admin.lists.keys(listing)) == 1:
        hint = "Only the beginning of a sort key can be searched: leave `folded` out, or name an index with one."
        yield refused(admin, 10, f"{name} has no sort key to search.", hint)
    for field in listing.by:
        if field not in admin.lists.filters or admin.lists.filters[field].is_range:
            hint = f"Declare a filter on `{field}` of one value in `filters`, such as Choices, Exactly or Day."
            yield refused(admin, 10, f"{name} is chosen by `{field}`, but nobody can choose that.", hint)


def _carried(admin: "EntityAdmin[Any]", listing: Listing) -> Iterator[Error]:
    lists, name = admin.lists, _name(admin, listing)
    for field in admin.model.keys.fields:
        if field not in lists.kind.codec.fields or not lists.carries(listing, field):
            hint = f"Add {_stored(admin, field)} to the index's `include`: the rows' addresses are made of it."
            yield refused(admin, 9, f"{name} does not carry `{field}`: its rows could not be opened.", hint)
    for column in map(str, admin.list_display):
        if column in lists.kind.codec.fields and not lists.carries(listing, column):
            hint = f"Add {_stored(admin, column)} to the index's `include`, or leave the column out."
            yield refused(admin, 3, f"{name} does not carry `{column}`: the column would show a default.", hint)


def _filters(admin: "EntityAdmin[Any]") -> Iterator[Error]:
    lists = admin.lists
    known = {*lists.kind.codec.fields, *lists.kind.codec.derived}
    every = [listing for listing in admin.listings if not listing.by]
    for name, one in lists.filters.items():
        if name not in known:
            hint = f"{admin.repository.entity.__name__} has {', '.join(sorted(known))}."
            yield refused(admin, 11, f"The filter `{name}` is of no stored field.", hint)
            continue
        if one.unfit:
            yield refused(admin, 11, f"`{name}` cannot be filtered by {type(one).__name__}.", one.unfit)
        for taken in TAKEN & {*one.fields()}:
            hint = "Addresses of lists use this name already: store the field under another one in Python."
            yield refused(admin, 11, f"A filter cannot be called `{taken}`.", hint)
        chosen = any(name in listing.by for listing in admin.listings)
        lacking = [_name(admin, listing) for listing in every if not lists.answers(listing, name)]
        if not chosen and (lacking or not any(lists.answers(listing, name) for listing in admin.listings)):
            where = " and ".join(lacking) or "any index"
            hint = (
                f"Add a listing `by=({name!r},)` on an index whose partition key it is, or {_stored(admin, name)} to "
                f"the `include` of {where}, or leave the filter out."
            )
            yield refused(admin, 12, f"No index answers the filter `{name}`.", hint)


def _together(admin: "EntityAdmin[Any]") -> Iterator[Error]:
    """The smallest sets of filters, with the search or without, that somebody can choose and no listing answers."""
    lists, found = admin.lists, list[frozenset[str]]()
    search = [SEARCH_VAR] if any(listing.folded for listing in admin.listings) else []
    choices = [*lists.filters, *search]
    for names in (names for size in range(2, len(choices) + 1) for names in combinations(choices, size)):
        filters = [name for name in names if name in lists.filters]
        able = [listing for listing in admin.listings if listing.folded or filters == [*names]]
        if any(lists.answers(listing, *filters) for listing in able) or any(known <= {*names} for known in found):
            continue
        found.append(frozenset(names))
        told = " and ".join(
            [*(f"`{name}`" for name in filters), *(["the search"] if len(filters) < len(names) else [])]
        )
        stored = ", ".join(_stored(admin, name) for name in filters)
        hint = f"Let the `include` of one index carry what its keys do not of {stored}, or leave a filter out."
        yield refused(admin, 16, f"No index answers {told} together.", hint)


def _search(admin: "EntityAdmin[Any]") -> Iterator[Error]:
    fields = [str(field) for field in admin.search_fields]
    if not fields:
        return
    able = [listing for listing in admin.listings if listing.folded and len(admin.lists.keys(listing)) > 1]
    if not able:
        hint = (
            "Search works by the beginning of an index's sort key: name such an index in `listings`, with `folded`. "
            "Whole values of unique fields are found by `finds`."
        )
        yield refused(admin, 4, f"No index answers a search of {', '.join(fields)}.", hint)
        return
    sorted_by = {column for listing in able for column in admin.lists.sorted_by(listing)}
    for field in fields if len(fields) > 1 else [field for field in fields if field not in sorted_by]:
        hint = (
            f"Name one field, by which {_name(admin, able[0])} is sorted, without prefix or lookup: only beginnings "
            "can be found. Whole values of unique fields are found by `finds`."
        )
        yield refused(
            admin, 5, f"`{field}` cannot be searched: rows are sorted by {', '.join(sorted(sorted_by))}.", hint
        )


def _finds(admin: "EntityAdmin[Any]") -> Iterator[Error]:
    unique = {one.field for one in admin.repository.entity.unique if one.within is None}
    for name in admin.finds:
        if name not in unique and name != admin.model.keys.single:
            hint = "Only what one row has alone can be found: the whole key, or a field in the entity's `unique`."
            yield refused(admin, 13, f"`{name}` cannot be found by its whole value.", hint)


def _related(admin: "EntityAdmin[Any]") -> Iterator[Error]:
    for name, kind in admin.related.items():
        if name not in admin.repository.entity.model_fields or kind.twin().keys.single is None:
            hint = "Name a field that holds the whole key of the other entity, which must be one text field."
            yield refused(admin, 14, f"`{name}` cannot name a {kind.repository.noun}.", hint)
        elif not any(listing.folded for listing in kind.listings):
            hint = f"Give {kind.__name__} a listing with `folded`, or show the key as it is."
            yield refused(admin, 14, f"No index finds a {kind.repository.noun} for `{name}` by its beginning.", hint)


def _actions(admin: "EntityAdmin[Any]") -> Iterator[Error]:
    for name in admin.row_actions:
        if not hasattr(getattr(type(admin), name, None), "row_action"):
            hint = "Make it with @row_action, see apps/console/lists/actions.py."
            yield refused(admin, 15, f"`{name}` is no action on rows.", hint)


def _name(admin: "EntityAdmin[Any]", listing: Listing) -> str:
    return listing.index or admin.repository.table.name


def _stored(admin: "EntityAdmin[Any]", field: str) -> str:
    codec = admin.lists.kind.codec
    return codec.stored(field) if field in codec.fields else field
