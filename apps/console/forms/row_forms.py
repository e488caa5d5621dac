"""Changing the children of a row as rows: each through its service, and whatever is refused stays as it was typed."""

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.admin.utils import quote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from apps.console.forms.entity_form import READ_VERSION, EntityForm
from apps.console.forms.inlines import Inline, admin_of
from apps.console.forms.resume import FORM_ADDRESS, REFUSED
from apps.console.lists.row_lists import FOUND
from apps.errors import Conflict, Forbidden, Invalid, NotFound
from apps.storage.errors import StaleVersion

if TYPE_CHECKING:
    from apps.console.entity_admin import EntityAdmin

SPARE = 3
"""Empty rows at the end."""
MOST_ROWS, LONG = 500, 5


class RowForms:
    """The forms of one page of children."""

    def __init__(self, admin: "EntityAdmin[Any]", inline: Inline, *, request: HttpRequest, parent: Any) -> None:
        self.admin = admin_of(admin, inline)
        self.inline, self.request, self.parent = inline, request, parent
        given = inline.given(parent)
        if not self.admin.has_view_permission(request) or given is None:
            raise NotFound("There is no such page, or you may not see it.")
        if not self.admin.has_change_permission(request):
            raise Forbidden("You may see this, but not change it here.")
        self.given = dict(given)
        self.page = self.admin.rows().page(inline.query(parent), limit=inline.limit)
        self.names = self.admin.related_names(request, self.page.items, columns=inline.columns)
        self.address: str = vars(request).get(FORM_ADDRESS, "")
        self.forms: list[Any] = []
        self.saved = self.count = 0

    def show(self) -> None:
        """The forms of what is stored, and the empty ones."""
        self.forms = [self._form(number, row) for number, row in enumerate(self._rows())]
        self._add_spare(len(self.forms))

    def take(self) -> bool:
        """Save what was changed, row by row; whether nothing was refused."""
        stored = {row.pk: row for row in self._rows()}
        posted = self.request.POST
        many = posted.get("rows", "")
        number_of_rows = min(int(many), MOST_ROWS) if many.isascii() and many.isdigit() and len(many) < LONG else 0
        for number in [number for number in range(number_of_rows) if f"row-{number}-key" in posted]:
            key = posted.get(f"row-{number}-key", "")
            row = stored.get(key) if key else None
            if key and row is None:
                row = self._again(key)
            self._take_row(number, row, is_gone=bool(key) and row is None)
        refused = [form for form in self.forms if form.errors]
        if refused:
            self._add_spare(number_of_rows)
        return not refused

    def _take_row(self, number: int, row: Any, *, is_gone: bool) -> None:
        removing = f"row-{number}-remove" in self.request.POST
        if is_gone:
            if not removing:
                gone = NotFound("Somebody deleted this while you were at it.")
                self.forms.append(self._judged(self._form(number, None, typed=True, refused=gone)))
            return
        form = self._form(number, row, typed=True)
        if REFUSED in vars(self.request):
            self._show_again(form, number=number, row=row, removing=removing)
            return
        try:
            if removing and row is not None:
                self._remove(number, row)
                self.saved += 1
                return
            if not form.changed:
                if row is not None:
                    self.forms.append(self._form(number, row))
                return
            if form.is_valid():
                kept = self._write(form, row)
                self.saved += 1
                form = self._form(number, self.admin.row(kept))
            self.forms.append(form)
        except (Conflict, Invalid) as error:
            now = self._again(row.pk) if row is not None else None
            self.forms.append(self._judged(self._form(number, now, typed=True, refused=error)))

    def _show_again(self, form: Any, *, number: int, row: Any, removing: bool) -> None:
        """What was typed before somebody was signed out; nothing of it is saved yet."""
        if removing or form.changed:
            form = self._judged(self._form(number, row, typed=True, refused=vars(self.request)[REFUSED]))
            form.removing = removing
            self.forms.append(form)
        elif row is not None:
            self.forms.append(self._form(number, row))

    def _write(self, form: EntityForm, row: Any) -> Any:
        if row is None:
            return self.admin.create(self.request, form.entity)
        if not self.admin.has_change_permission(self.request, row):
            raise Forbidden("You may see this, but not change it here.")
        return self.admin.change(self.request, before=row.entity, after=form.entity)

    def _remove(self, number: int, row: Any) -> None:
        if self.request.POST.get(f"row-{number}-{READ_VERSION}") != str(row.entity.version):
            raise StaleVersion("Somebody changed this in the meantime.")
        if not self.admin.has_delete_permission(self.request, row):
            raise Forbidden("You may see this, but not delete it here.")
        self.admin.remove(self.request, row.entity)

    def _again(self, key: str) -> Any:
        vars(self.request).pop(FOUND, None)
        try:
            row = self.admin.get_object(self.request, key)
        except NotFound:
            return None
        return row if self._is_one_of_them(row) else None

    def _rows(self) -> list[Any]:
        return [row for row in map(self.admin.row, self.page.items) if self._is_one_of_them(row)]

    def _is_one_of_them(self, row: Any) -> bool:
        """Whether it is a child of this parent, and the reader may see it."""
        is_ours = all(getattr(row.entity, name) == value for name, value in self.given.items())
        return is_ours and self.admin.has_view_permission(self.request, row)

    def _form(self, number: int, row: Any, *, typed: bool = False, refused: Any = None) -> Any:
        kind = self.admin.get_form(self.request, row, change=row is not None)
        kind = type(kind.__name__, (kind,), {"refused": refused})
        data = None
        if typed:
            data = cast("Any", self.request.POST).copy()
            data.update({f"row-{number}-{name}": str(value) for name, value in self.given.items()})
        form = kind(data, instance=self.admin.model() if row is None else row, prefix=f"row-{number}")
        form.key = "" if row is None else row.pk
        form.given = frozenset(self.given)
        form.title = "" if row is None else self._title(row)
        return form

    def _title(self, row: Any) -> str:
        """What the row is called: by the names of the others that it joins, where it joins any."""
        found = (self.names.get(column, {}).get(str(getattr(row, column, ""))) for column in self.inline.columns)
        return " · ".join(filter(None, found)) or str(row)

    @staticmethod
    def _judged(form: Any) -> Any:
        form.is_valid()
        return form

    def _add_spare(self, start: int) -> None:
        self.forms += [self._form(start + offset, None) for offset in range(SPARE)]
        self.count = start + SPARE


def rows_view(admin: "EntityAdmin[Any]", request: HttpRequest, row: Any, inline: Inline) -> HttpResponse:
    """The page of the children of a row."""
    rows = RowForms(admin, inline, request=request, parent=row.entity)
    opts = admin.opts
    back = reverse(f"{admin.admin_site.name}:{opts.app_label}_{opts.model_name}_change", args=[quote(row.pk)])
    is_refused = request.method == "POST" and not rows.take()
    if request.method == "POST" and not is_refused:
        messages.success(request, _told(rows.saved))
        return HttpResponseRedirect(back)
    if not is_refused:
        rows.show()
    context = {"rows": rows, "row": row, "opts": admin.opts, "back": back, "inline": inline}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK
    return render(request, "console/rows.html", {**admin.admin_site.each_context(request), **context}, status=status)


def _told(saved: int) -> str:
    if not saved:
        return "Nothing was changed."
    return "One row is saved." if saved == 1 else f"{saved} rows are saved."
