"""`EntityAdmin`: Django's `ModelAdmin` over an entity and its repository."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from django.contrib.admin import ModelAdmin, ShowFacets
from django.http import HttpRequest, HttpResponse

from apps.console.changelist import CursorList
from apps.console.checks import EntityAdminChecks
from apps.console.rows import Rows
from apps.console.twins import Twin, twin
from apps.errors import Forbidden, NotFound
from apps.storage.conditions import Query, begins_with
from apps.storage.connection import default_store
from apps.storage.entity import Entity
from apps.storage.page import Page
from apps.storage.repository import Repository

E = TypeVar("E", bound=Entity)

if TYPE_CHECKING:
    from apps.console.site import Console

    _ModelAdmin = ModelAdmin[Any]
else:
    _ModelAdmin = ModelAdmin


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The index that a list is read from: all rows of its `partition`, in the order of its sort key.

    `folded` brings what somebody types in the search into the form of the sort key; without it there is no search.
    """

    index: str
    partition: str
    folded: Callable[[str], str] | None = None


class EntityAdmin(_ModelAdmin, Generic[E]):
    """Screens over one entity: a list by cursor and a page for each.

    A subclass names `repository` and `sees` (the permission that opens these screens), and declares like any
    `ModelAdmin`: `list_display`, `fields`. Without a `listing` the list leafs through the table in its own order;
    `search_fields` is the field by whose beginning the listing's index finds; `labels` names fields better.
    """

    repository: ClassVar[type[Repository[Any]]]
    sees: ClassVar[str]
    listing: ClassVar[Listing | None] = None
    labels: ClassVar[Mapping[str, str]] = {}

    admin_site: "Console"
    checks_class = EntityAdminChecks
    actions = None
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    view_on_site = False
    change_list_template = "console/list.html"
    change_form_template = "console/form.html"

    @classmethod
    def twin(cls) -> type[Twin]:
        """The model that stands in for the entity."""
        entity: type[Entity] = cls.repository.entity
        return twin(entity, cls.repository.table, tuple(cls.labels.items()))

    # --- rows --------------------------------------------------------------------------------------------------------

    def rows(self) -> Repository[E]:
        """The repository on this process's store."""
        return self.repository(default_store())

    def row(self, entity: E) -> Twin:
        """The entity as the admin shows it."""
        return self.twin().of(entity)

    def listed(self, *, prefix: str = "", cursor: str | None = None) -> Page[E]:
        """One page of the list, of those that begin with `prefix`. Raises `BadCursor`."""
        listing = self.listing
        if listing is None:
            return self.rows().leafed(limit=self.list_per_page, cursor=cursor)
        start = listing.folded(prefix) if listing.folded else ""
        query = Query(partition=listing.partition, index=listing.index, sort=begins_with(start) if start else None)
        return self.rows().page(query, limit=self.list_per_page, cursor=cursor)

    def get_queryset(self, request: HttpRequest) -> Any:
        """What Django takes for a queryset; rows come from `listed` and `get_object`."""
        del request
        return Rows(self.model)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row with this key, read consistently. Raises `NotFound`."""
        del request, from_field
        found = self.rows().find(object_id, consistent=True)
        if found is None:
            raise NotFound(f"There is no such {self.repository.noun}. Perhaps it was deleted.")
        return self.row(found)

    # --- what the list may do ----------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CursorList]:
        """The list by cursor."""
        del request, kwargs
        return CursorList

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """The same rows: `listed` searches, through the index."""
        del request, search_term
        return queryset, False

    def get_sortable_by(self, request: HttpRequest) -> tuple[()]:
        """None: rows come in the order of their index."""
        del request
        return ()

    # --- who may -----------------------------------------------------------------------------------------------------

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user's roles open these screens."""
        del obj
        return self.admin_site.allowed(request.user, self.sees)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds here."""
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes here."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes here."""
        del request, obj
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the start page names these screens."""
        return self.has_view_permission(request)

    def _require(self, request: HttpRequest, *, may: bool) -> None:
        """Say it as everywhere: what one may not see does not exist, what one sees but may not do is forbidden."""
        if not self.has_view_permission(request):
            raise NotFound("There is no such page, or you may not see it.")
        if not may:
            raise Forbidden("You may see this, but not change it here.")

    # --- screens -----------------------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list."""
        self._require(request, may=request.method in {"GET", "HEAD"})
        return super().changelist_view(request, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One row. Django's own opens a transaction of a SQL database around this."""
        self._require(request, may=object_id is not None and request.method in {"GET", "HEAD"})
        view: Callable[..., HttpResponse] = super()._changeform_view  # type: ignore[misc]  # pinned in the tests
        return view(request, object_id, form_url, extra_context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Nothing is deleted here."""
        del object_id, extra_context
        self._require(request, may=False)
        raise NotFound("There is nothing to delete here.")

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """No history is shown here."""
        del object_id, extra_context
        self._require(request, may=True)
        raise NotFound("No history is shown here.")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """What the page of a row shows."""
        del request, obj
        return list(
            self.fields or [field.name for field in self.model._meta.concrete_fields if field.name != "version"]
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """All of it."""
        return self.get_fields(request, obj)
