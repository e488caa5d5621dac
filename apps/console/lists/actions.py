"""The part of `EntityAdmin` that does something to the rows chosen in a list.

An action is a method of the admin, named in `row_actions`, which does it to one row by calling a service:

    @row_action("Switch off", permission=Permission.HOSTS_CHANGE, done="switched off")
    def switch_off(self, request, entity, data): ...

The rows are read by key in one batch, consistently. Each is asked for by itself: whether this user may, and what the
service says. What failed is told row by row; what was done before stays done.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from apps.console.lists.export import csv_of, note_export
from apps.console.twins import Twin
from apps.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from apps.storage.errors import StaleVersion

Perform = Callable[[Any, HttpRequest, Any, Mapping[str, Any]], None]
F = TypeVar("F", bound=Perform)

DELETE, EXPORT = "delete", "export"
ACTION, ROW, VERSION, CONFIRMED, ACROSS = "action", "row", "version", "confirmed", "select_across"

if TYPE_CHECKING:
    from apps.console.lists.row_lists import RowLists

    class _Lists(RowLists[Any]):
        changes: ClassVar[str | None]

        def dependents(self, entity: Any) -> Sequence[str]: ...
        def remove(self, request: HttpRequest, entity: Any) -> None: ...
else:
    _Lists = ModelAdmin


@dataclass(frozen=True, slots=True, kw_only=True)
class RowAction:
    """What can be done to chosen rows.

    `permission` is needed for each of them; `done` is said of them afterwards. With `confirm` (a sentence that says
    what will happen) or `form` (what else must be entered; the method gets it as `data`) somebody is asked first, and
    only the versions that they were shown are touched.
    """

    label: str
    permission: str
    done: str
    confirm: str = ""
    form: type[forms.Form] | None = None
    is_destructive: bool = False
    name: str = ""
    perform: Perform | None = None

    @property
    def asks(self) -> bool:
        """Whether somebody is asked first."""
        return bool(self.confirm or self.form)


def row_action(
    label: str,
    *,
    permission: str,
    done: str,
    confirm: str = "",
    form: type[forms.Form] | None = None,
    is_destructive: bool = False,
) -> Callable[[F], F]:
    """Make a method of an admin an action on chosen rows, see `RowAction`; name it in `row_actions` too."""
    words = {"label": label, "permission": permission, "done": done, "confirm": confirm}

    def declare(perform: F) -> F:
        known = RowAction(**words, form=form, is_destructive=is_destructive, name=perform.__name__, perform=perform)
        vars(perform)["row_action"] = known
        return perform

    return declare


@dataclass(slots=True, kw_only=True)
class Chosen:
    """A chosen row: its name in addresses, what is stored of it, and why nothing can be done to it, if so."""

    name: str
    row: Twin | None
    refusal: str = ""

    def __str__(self) -> str:
        return str(self.row) if self.row is not None else self.name


class RowActions(_Lists):
    """Actions on the rows of a page, at most as many as a page has.

    `row_actions` names methods made with `row_action`. Rows can be deleted where `changes` is declared, and taken as
    CSV by whoever has the permission `exports`; that they were taken is in the audit log.
    """

    row_actions: ClassVar[Sequence[str]] = ()
    exports: ClassVar[str | None] = None

    def actions_for(self, request: HttpRequest) -> Mapping[str, RowAction]:
        """What this user may do to rows, by name."""
        found = [getattr(type(self), name).row_action for name in self.row_actions]
        if self.exports is not None:
            found.append(RowAction(label="Export as CSV", permission=self.exports, done="exported", name=EXPORT))
        able = {one.name: one for one in found if self.admin_site.allowed(request.user, one.permission, None)}
        if self.changes is not None and self.has_delete_permission(request):
            sentence = "What is deleted is gone. That it was there, and who deleted it, stays in the audit log."
            able[DELETE] = RowAction(
                label="Delete …",
                permission=self.changes,
                done="deleted",
                confirm=sentence,
                is_destructive=True,
                name=DELETE,
                perform=_delete,
            )
        return able

    def may_act(self, request: HttpRequest, action: RowAction, row: Twin) -> bool:
        """Whether this user may do it to this row."""
        if action.name == DELETE:
            return self.has_delete_permission(request, row)
        return self.admin_site.allowed(request.user, action.permission, row.entity)

    def act(self, request: HttpRequest) -> HttpResponse:
        """Do what was posted from a list, or ask first.

        Raises `Forbidden` for what this user may not do, and `Invalid` for more rows than a page has.
        """
        action = self.actions_for(request).get(request.POST.get(ACTION, ""))
        if action is None:
            raise Forbidden("You may see this, but not do that here.")
        names = list(dict.fromkeys(request.POST.getlist(ROW)))
        if request.POST.get(ACROSS, "0") not in {"", "0"} or len(names) > self.list_per_page:
            raise Invalid(f"Choose rows of one page, {self.list_per_page} at most.", field=ROW)
        if not names:
            self.message_user(request, "Choose rows first; nothing was done.", messages.WARNING)
            return HttpResponseRedirect(request.get_full_path())
        chosen = self._chosen(request, action, names)
        if action.name == EXPORT:
            return self._exported(request, chosen)
        if not action.asks:
            return self._done(request, action, chosen, {})
        is_confirmed = CONFIRMED in request.POST
        form = action.form(request.POST if is_confirmed else None) if action.form else None
        if is_confirmed:
            self._refuse_other_versions(chosen, request.POST.getlist(ROW), request.POST.getlist(VERSION))
        if is_confirmed and (form is None or form.is_valid()):
            return self._done(request, action, chosen, form.cleaned_data if form else {})
        context = {"action": action, "chosen": chosen, "able": [one for one in chosen if not one.refusal], "form": form}
        status = HTTPStatus.UNPROCESSABLE_ENTITY if is_confirmed else HTTPStatus.OK
        return self._page(request, "console/action.html", context, status=status)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _chosen(self, request: HttpRequest, action: RowAction, names: Sequence[str]) -> list[Chosen]:
        keys: dict[str, Any] = {}
        for name in names:
            try:
                keys[name] = self.twin().keys.value(name)
            except NotFound:
                continue
        stored = self.rows().get_many(keys.values(), consistent=True) if keys else []
        rows = {str(row.pk): row for row in map(self.row, stored) if self.has_view_permission(request, row)}
        return [self._judged(request, action, Chosen(name=name, row=rows.get(name))) for name in names]

    def _judged(self, request: HttpRequest, action: RowAction, one: Chosen) -> Chosen:
        if one.row is None:
            one.refusal = "It is gone already."
        elif not self.may_act(request, action, one.row):
            one.refusal = "You may not do that here."
        elif action.name == DELETE and (needing := self.dependents(one.row.entity)):
            one.refusal = f"Needed by {', '.join(needing)}."
        return one

    def _refuse_other_versions(self, chosen: Sequence[Chosen], names: Sequence[str], versions: Sequence[str]) -> None:
        shown = dict(zip(names, versions, strict=False))
        for one in chosen:
            if one.row is not None and not one.refusal and shown.get(one.name) != str(one.row.entity.version):
                one.refusal = "Somebody changed it in the meantime. Look at it again."

    def _done(
        self, request: HttpRequest, action: RowAction, chosen: Sequence[Chosen], data: Mapping[str, Any]
    ) -> HttpResponse:
        for one in chosen:
            if one.row is None or one.refusal or action.perform is None:
                continue
            try:
                action.perform(self, request, one.row.entity, data)
            except StaleVersion:
                one.refusal = "Somebody changed it in the meantime. Look at it again."
            except DomainError as error:
                one.refusal = error.public_message
        done = [one for one in chosen if not one.refusal]
        if len(done) == len(chosen):
            what = f"“{done[0]}” is" if len(done) == 1 else f"{len(done)} {self.opts.verbose_name_plural} are"
            self.message_user(request, f"{what} {action.done}.", messages.SUCCESS)
            return HttpResponseRedirect(request.get_full_path())
        return self._page(request, "console/action_done.html", {"action": action, "chosen": chosen, "done": done})

    def _exported(self, request: HttpRequest, chosen: Sequence[Chosen]) -> HttpResponse:
        rows = [one.row for one in chosen if one.row is not None and not one.refusal]
        columns = [str(name) for name in self.get_list_display(request)]
        note_export(self.repository.table, rows, columns, actor=self.admin_site.actor_of(request))
        return csv_of(self, rows, columns, left_out={one.name: one.refusal for one in chosen if one.refusal})

    def _page(
        self, request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = HTTPStatus.OK
    ) -> HttpResponse:
        known = {**self.admin_site.each_context(request), "opts": self.opts, "back": request.get_full_path()}
        return render(request, template, {**known, **context}, status=status)


def _delete(admin: Any, request: HttpRequest, entity: Any, data: Mapping[str, Any]) -> None:
    del data
    needing = admin.dependents(entity)
    if needing:
        raise Conflict(f"Needed by {', '.join(needing)}.")
    admin.remove(request, entity)
