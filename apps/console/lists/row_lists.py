"""The part of `EntityAdmin` that reads lists: listings, filters, search, related columns."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest

from apps.console.lists.changelist import CursorList
from apps.console.lists.filters import Filter
from apps.console.lists.listings import Asked, Listing, Lists, Plan
from apps.console.rows import Rows
from apps.console.twins import Twin, twin
from apps.errors import NotFound
from apps.storage.connection import default_store
from apps.storage.entity import Entity
from apps.storage.page import Page
from apps.storage.repository import Repository
from apps.storage.requests.paging import READ_BUDGET_ITEMS

E = TypeVar("E", bound=Entity)

FOUND = "console_found"
BUDGET = READ_BUDGET_ITEMS
"""How many rows are looked at for one page where a filter stands that no key answers."""

if TYPE_CHECKING:
    from apps.console.entity_admin import EntityAdmin
    from apps.console.site import Console

    _ModelAdmin = ModelAdmin[Any]
else:
    _ModelAdmin = ModelAdmin


class RowLists(_ModelAdmin, Generic[E]):
    """What a list shows and where it is read from.

    - `plural`: what several rows are called, where that is not the repository's `noun` and an s.
    - `listings`: the indexes it can be read from, the preferred one first. Without any it leafs through the table.
    - `asks_first`: what to choose, told in the place of rows where leafing would read far more than the list shows.
    - `filters`: what stands above the table; `manage.py check` says which index each of them lacks.
    - `search_fields`: the field by whose beginning a listing with `folded` finds.
    - `finds`: fields that one row has alone, each with what makes its value of what somebody typed, or raises
      `ValueError` where it cannot be one: `finds = {"email": email_address}`.
    - `related`: fields that hold the key of another entity, with its admin: `related = {"user_id": UserAdmin}`. As a
      column such a field shows the other one's name, as a filter or in a form it is looked for by name.
    """

    repository: ClassVar[type[Repository[Any]]]
    listings: ClassVar[Sequence[Listing]] = ()
    filters: ClassVar[Sequence[Filter]] = ()
    finds: ClassVar[Mapping[str, Callable[[str], Any]]] = {}
    related: ClassVar[Mapping[str, "type[EntityAdmin[Any]]"]] = {}
    labels: ClassVar[Mapping[str, str]] = {}
    asks_first: ClassVar[str] = ""
    plural: ClassVar[str] = ""

    admin_site: "Console"

    @classmethod
    def twin(cls) -> type[Twin]:
        """The model that stands in for the entity."""
        entity: type[Entity] = cls.repository.entity
        words = {"noun": cls.repository.noun, "plural": cls.plural}
        return twin(entity, cls.repository.table, tuple(cls.labels.items()), **words)

    @cached_property
    def lists(self) -> Lists:
        """What is known of the listings."""
        return Lists(self.repository.entity, self.repository.table, self.listings, self.filters, self.labels)

    def rows(self) -> Repository[E]:
        """The repository on this process's store."""
        return self.repository(default_store())

    def row(self, entity: E) -> Twin:
        """The entity as the admin shows it."""
        return self.twin().of(entity)

    def listed(self, asked: Asked, *, cursor: str | None = None, limit: int | None = None) -> Page[E]:
        """One page of what is asked. Raises `Invalid` where no index answers it, and `BadCursor`."""
        return self.read(self.lists.plan(asked), cursor=cursor, limit=limit)

    def read(self, plan: Plan | None, *, cursor: str | None = None, limit: int | None = None) -> Page[E]:
        """One page of a plan's answer; without one, of the table in its own order. Raises `BadCursor`."""
        most = limit or self.list_per_page
        if plan is None and self.asks_first:
            return Page(items=())
        if plan is None:
            return self.rows().leafed(limit=most, cursor=cursor)
        return self.rows().page(plan.query, limit=most, cursor=cursor, budget=BUDGET)

    def found(self, text: str, values: Mapping[str, Any] | None = None) -> E | None:
        """The one row that has this text, whole, in a field of `finds`, read consistently; where the filters hold."""
        for name, value_of in self.finds.items():
            try:
                value = value_of(text)
            except ValueError:
                continue
            is_key = name == self.twin().keys.single
            found = self.rows().find(value, consistent=True) if is_key else self.rows().find_unique(name, value)
            filters = ((self.lists.filters[name], value) for name, value in (values or {}).items())
            if found is not None and all(one.holds(found, value) for one, value in filters):
                return found
        return None

    def related_names(
        self, request: HttpRequest, entities: Sequence[E], *, columns: Sequence[Any] | None = None
    ) -> Mapping[str, Mapping[str, str]]:
        """Of each related column, the names by key: one batch for a column, none for who may not see them.

        `columns` are those that are shown, where that is not the list.
        """
        shown = self.get_list_display(request) if columns is None else columns
        found: dict[str, Mapping[str, str]] = {}
        for column, kind in self.related.items():
            admin = self.related_admin(request, kind)
            if column in shown and admin is not None:
                keys = {str(key) for entity in entities if (key := getattr(entity, column)) not in {None, ""}}
                others = map(admin.row, admin.rows().get_many(sorted(keys)) if keys else [])
                found[column] = {str(row.pk): str(row) for row in others if admin.has_view_permission(request, row)}
        return found

    def related_admin(self, request: HttpRequest, kind: "type[EntityAdmin[Any]]") -> "EntityAdmin[Any] | None":
        """The admin of related rows, where this user may see them; None where there is none."""
        admin: Any = self.admin_site.admin_of(kind)
        return admin if admin is not None and admin.has_view_permission(request) else None

    # --- what Django asks --------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> Any:
        """What Django takes for a queryset; rows come from `listed` and `get_object`."""
        del request
        return Rows(self.model)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row of this name (see `RowKeys`), read consistently, once a request. Raises `NotFound`."""
        del from_field
        known: dict[str, Any] = vars(request).setdefault(FOUND, {})
        if object_id not in known:
            found = self.rows().find(self.twin().keys.value(object_id), consistent=True)
            if found is None:
                raise NotFound(f"There is no such {self.repository.noun}. Perhaps it was deleted.")
            known[object_id] = self.row(found)
        return known[object_id]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CursorList]:
        """The list by cursor."""
        del request, kwargs
        return CursorList

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """The same rows: the list searches, through the index."""
        del request, search_term
        return queryset, False

    def get_sortable_by(self, request: HttpRequest) -> tuple[()]:
        """None that Django would know: heads of columns are links where a listing sorts so."""
        del request
        return ()
