"""Finding rows of another entity by name: a text box for its key, and the addresses that suggest rows."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.views.decorators.cache import never_cache

from apps.console.lists.listings import Asked
from apps.errors import NotFound
from apps.storage.page import Page

if TYPE_CHECKING:
    from apps.console.entity_admin import EntityAdmin
    from apps.console.lists.row_lists import RowLists

    _Lists = RowLists[Any]
else:
    _Lists = ModelAdmin

MOST_SUGGESTED = 12
LONGEST_TYPED = 100


class NameBox(forms.TextInput):
    """A text box that takes the key of a row of `kind`; where our script runs, it finds the row by its name.

    `name` is that of the row whose key it has, where it is known.
    """

    def __init__(self, kind: "type[EntityAdmin[Any]]", *, name: str = "") -> None:
        """`kind` is the admin of the rows to be found: whoever may see those is shown them, nobody else."""
        super().__init__(attrs={"autocomplete": "off", "spellcheck": "false", **({"data-name": name} if name else {})})
        self.kind = kind

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Add the address that suggests rows."""
        context = super().get_context(name, value, attrs)
        options = self.kind.twin()._meta
        address = reverse(f"admin:{options.app_label}_{options.model_name}_suggestions")
        context["widget"]["attrs"] |= {"data-suggestions": address, "data-noun": self.kind.repository.noun}
        return context


class Suggestions(_Lists):
    """What is suggested of this admin's rows to whom may see them, and the boxes for fields in `related`."""

    def get_urls(self) -> list[Any]:
        """Django's addresses, and that of the suggestions."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_suggestions"
        return [path("suggestions/", never_cache(self.suggestions_view), name=name), *super().get_urls()]

    def suggestions_view(self, request: HttpRequest) -> HttpResponseBase:
        """The first rows whose name begins with `q`, or the one whose key is `key`, as JSON.

        404 for who may not see them or has not signed in, and where no index finds by the beginning of a name.
        """
        may = self.admin_site.has_permission(request) and self.has_view_permission(request)
        if not may or not any(listing.folded for listing in self.listings):
            raise NotFound("There is no such page, or you may not see it.")
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        page = self._suggested(request.GET.get("q", "").strip()[:LONGEST_TYPED], key=request.GET.get("key", ""))
        rows = [row for row in map(self.row, page.items) if self.has_view_permission(request, row)]
        suggested = [{"key": str(row.pk), "name": str(row), "note": self.suggested_note(row)} for row in rows]
        return JsonResponse({"rows": suggested, "hasMore": page.next is not None})

    def _suggested(self, typed: str, *, key: str) -> Page[Any]:
        if key:
            found = self.rows().find(key)
            return Page(items=[] if found is None else [found])
        found = self.found(typed) if typed else None
        return self.listed(Asked(prefix=typed), limit=MOST_SUGGESTED) if found is None else Page(items=[found])

    def suggested_note(self, row: Any) -> str:
        """What tells rows of the same name apart: the second column of the list."""
        columns = [str(name) for name in self.list_display[1:2]]
        return " ".join(str(getattr(row, name, "") or "") for name in columns)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The form's field; of the key of another entity, one that finds it by name."""
        kind = self.related.get(db_field.name)
        if kind is not None and self.related_admin(request, kind) is not None:
            kwargs["widget"] = NameBox(kind)
        return super().formfield_for_dbfield(db_field, request, **kwargs)
