"""The admin's list, read page by page with signed cursors."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.http import HttpRequest

if TYPE_CHECKING:
    from apps.console.entity_admin import EntityAdmin


class CursorList(ChangeList):
    """One page of rows and the way to its neighbours; it knows no totals, and claims none.

    The cursor travels in `?p=`: saving comes back to the page, and a new search drops it.
    """

    model_admin: "EntityAdmin[Any]"
    next_url: str | None = None
    previous_url: str | None = None
    first_url: str | None = None
    exhausted_budget = False
    examined = 0

    def get_results(self, request: HttpRequest) -> None:
        """Read the page. Raises `BadCursor` for a cursor of another list."""
        cursor = request.GET.get(PAGE_VAR) or None
        page = self.model_admin.listed(prefix=self.query, cursor=cursor)
        self.next_url = self._address(page.next)
        self.previous_url = self._address(page.previous)
        self.first_url = self.get_query_string() if cursor else None
        self.exhausted_budget, self.examined = page.exhausted_budget, page.examined
        rows: Any = [self.model_admin.row(entity) for entity in page.items]
        self.result_list = rows
        self.result_count = self.full_result_count = len(rows)
        self.show_full_result_count = self.show_admin_actions = self.can_show_all = self.multi_page = False

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        """None: the order is the index's."""
        del request, queryset
        return []

    def _address(self, cursor: str | None) -> str | None:
        return None if cursor is None else self.get_query_string({PAGE_VAR: cursor})
