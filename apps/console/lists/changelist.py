"""The admin's list, read page by page with signed cursors."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, ChangeList
from django.http import HttpRequest

from apps.console.lists.autocomplete import NameBox
from apps.console.lists.filters import FilterForm
from apps.console.lists.listings import Asked, Plan
from apps.errors import Invalid
from apps.storage.page import Page

if TYPE_CHECKING:
    from apps.console.entity_admin import EntityAdmin

LONGEST_NAME_TOLD = 60


class CursorList(ChangeList):
    """One page of rows and the way to its neighbours; it knows no totals, and claims none.

    The cursor travels in `?p=`: saving comes back to the page, and a new search, filter or order drops it. The order
    travels in `?o=` as the name of a column, with `-` in front where it is descending.
    """

    model_admin: "EntityAdmin[Any]"
    filters: FilterForm
    plan: Plan | None = None
    next_url: str | None = None
    previous_url: str | None = None
    first_url: str | None = None
    exhausted_budget = False
    examined = 0
    is_default = False
    """Whether defaults of filters are in force, since nothing else was chosen."""
    names: Mapping[str, Mapping[str, str]] = {}
    """Of each related column: the names by key."""

    def get_filters(self, request: HttpRequest) -> Any:
        """Take what is ours out of the address; whatever else is asked is refused, never passed over."""
        for name in [name for name, values in self.filter_params.items() if not any(values)]:
            del self.filter_params[name]
            self.params.pop(name, None)
        self.filters = FilterForm(request.GET, filters=list(self.model_admin.lists.filters.values()))
        for name in self.get_filters_params():
            if name not in self.filters.fields:
                self.filters.add_error(None, f"This list cannot be narrowed by “{name[:LONGEST_NAME_TOLD]}”.")
        return [], False, {}, False, False

    def get_results(self, request: HttpRequest) -> None:
        """Read the page. Raises `BadCursor` for a cursor of another list."""
        cursor = request.GET.get(PAGE_VAR) or None
        page = self._page(cursor)
        self.next_url = self._address(page.next)
        self.previous_url = self._address(page.previous)
        self.first_url = self.get_query_string() if cursor else None
        self.exhausted_budget, self.examined = page.exhausted_budget, page.examined
        rows: Any = map(self.model_admin.row, page.items)
        self.result_list = rows = [row for row in rows if self.model_admin.has_view_permission(request, row)]
        self.names = self.model_admin.related_names(request, page.items)
        self._find_by_name(request)
        self.result_count = self.full_result_count = len(rows)
        self.show_full_result_count = self.show_admin_actions = self.can_show_all = self.multi_page = False

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        """None that Django would know: the order is the index's."""
        del request, queryset
        return []

    # --- what is asked -----------------------------------------------------------------------------------------------

    @property
    def is_refused(self) -> bool:
        """Whether a filter is malformed, or no index answers all of them: then nothing was read."""
        return bool(self.filters.errors)

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is asked but the list as it is."""
        return bool(self.query or self.filters.values or self.filters.errors)

    @property
    def kept_order(self) -> str:
        """The order in the address, to stay when filters change."""
        return str(self.params.get(ORDER_VAR, ""))

    @property
    def asked(self) -> Asked:
        """All that the address asks."""
        order = self.kept_order
        name = order.removeprefix("-")
        values = self.filters.values
        prefix = self.query if self.model_admin.search_fields else ""
        return Asked(prefix=prefix, values=values, sort=name, descending=order != name)

    def order_of(self, column: str) -> str:
        """How the rows are sorted by this column: `ascending`, `descending`, or not at all."""
        if self.plan is None or column not in self.model_admin.lists.sorted_by(self.plan.listing):
            return ""
        return "descending" if self.plan.query.descending else "ascending"

    def address_ordered_by(self, column: str) -> str | None:
        """Where the rows are sorted by this column, or the other way round; None where no index sorts so."""
        lists = self.model_admin.lists
        listing = next((one for one in lists.candidates(self.asked) if column in lists.sorted_by(one)), None)
        if listing is None or self.is_refused or self.plan is None:
            return None
        now = self.order_of(column)
        turned = now == "ascending" if now else listing.descending
        return self.get_query_string({ORDER_VAR: f"-{column}" if turned else column})

    # --- inside ------------------------------------------------------------------------------------------------------

    def _page(self, cursor: str | None) -> Page[Any]:
        admin = self.model_admin
        if not self.filters.is_valid():
            return Page(items=[])
        if self.query and admin.finds and cursor is None:
            found = admin.found(self.query, self.filters.values)
            if found is not None or not admin.search_fields:
                return Page(items=[] if found is None else [found])
        try:
            self.plan = self._planned()
            return admin.read(self.plan, cursor=cursor)
        except Invalid as error:
            if error.field == "cursor":
                raise
            self.filters.add_error(None, error.public_message)
            return Page(items=[])

    def _planned(self) -> Plan | None:
        """What is asked, with the filters' defaults where nothing answers it without them."""
        lists, asked = self.model_admin.lists, self.asked
        if not asked.prefix and not any(True for _ in lists.candidates(asked)):
            defaults = {name: one.default() for name, one in lists.filters.items() if one.default is not None}
            filled = Asked(values={**defaults, **asked.values}, sort=asked.sort, descending=asked.descending)
            if any(True for _ in lists.candidates(filled)):
                self.is_default = True
                self._show(filled.values)
                return lists.plan(filled)
        return lists.plan(asked)

    def _show(self, values: Mapping[str, Any]) -> None:
        """Let the form tell the defaults that are in force."""
        lists, given = self.model_admin.lists, self.filters.data
        shown: dict[str, Any] = {name: given.get(name) for name in self.filters.fields}
        for name, value in values.items():
            shown |= lists.filters[name].shown(value)
        self.filters.data = shown

    def _find_by_name(self, request: HttpRequest) -> None:
        """Let filters on keys of other entities find these by name."""
        admin = self.model_admin
        for name, kind in admin.related.items():
            if name in self.filters.fields and admin.related_admin(request, kind) is not None:
                known = self.names.get(name, {}).get(str(self.filters.values.get(name, "")), "")
                self.filters.fields[name].widget = NameBox(kind, name=known)

    def _address(self, cursor: str | None) -> str | None:
        return None if cursor is None else self.get_query_string({PAGE_VAR: cursor})
