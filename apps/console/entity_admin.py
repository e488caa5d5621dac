"""`EntityAdmin`: Django's `ModelAdmin` over an entity and its repository."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar, cast

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import flatten, quote, unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.db import models
from django.forms.utils import pretty_name
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from apps.audit.repository import AuditLog
from apps.console.checks import EntityAdminChecks
from apps.console.declared import declared_fields
from apps.console.fields import AsItIs
from apps.console.forms.entity_form import READ_VERSION, EntityForm
from apps.console.forms.inlines import Inline, children
from apps.console.forms.resume import FORM_ADDRESS, REFUSED
from apps.console.forms.row_forms import rows_view
from apps.console.forms.secret_fields import SecretField, secrets_of
from apps.console.forms.widgets import Words
from apps.console.lists.actions import RowActions
from apps.console.lists.autocomplete import Suggestions
from apps.console.lists.row_lists import FOUND, RowLists
from apps.errors import Conflict, Forbidden, Invalid, NotFound
from apps.storage.connection import default_store
from apps.storage.entity import Entity
from apps.storage.errors import StaleVersion

E = TypeVar("E", bound=Entity)


class EntityAdmin(RowActions, Suggestions, RowLists[E]):
    """Screens over one entity: a list by cursor, a page for each, forms, and its history.

    A subclass names `repository` and `sees` (the permission that opens these screens), and declares like any
    `ModelAdmin`: `list_display`, `fields`; where its list is read from, `RowLists` says, and what can be done to chosen
    rows, `RowActions`. `labels` names fields better.

    `about` is a sentence for the start page: what there is and what for.

    `children` are `Inline`s: rows of other tables that are shown on the page of this one's.
    `filled` makes what a new row needs and nobody enters, such as an id.

    With `changes` (a permission) there are forms: then `create`, `change` and `remove` call the services, which check
    the permission again and write the audit entry. With `sees_history` (a permission) there is a history.
    """

    sees: ClassVar[str]
    changes: ClassVar[str | None] = None
    sees_history: ClassVar[str | None] = None
    about: ClassVar[str] = ""
    children: ClassVar[Sequence[type[Inline]]] = ()
    filled: ClassVar[Mapping[str, Callable[[], Any]]] = {}

    checks_class = EntityAdminChecks
    actions = None
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    view_on_site = False
    change_list_template = "console/list.html"
    change_form_template = "console/form.html"
    delete_confirmation_template = "console/delete.html"
    form = EntityForm
    formfield_overrides: ClassVar[Any] = {models.TextField: {"widget": Words}}

    # --- who may -----------------------------------------------------------------------------------------------------

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may see this row; without one, whether they may see any, which opens the list."""
        return self._is_allowed(request, self.sees, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user may change any row, where changes are declared."""
        return self._is_allowed(request, self.changes)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may change this row."""
        return self._is_allowed(request, self.changes, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The same."""
        return self._is_allowed(request, self.changes, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the start page names these screens."""
        return self.has_view_permission(request)

    def _is_allowed(self, request: HttpRequest, permission: str | None, row: Any = None) -> bool:
        """Whether the user may do it: to this row, or to any."""
        entity = None if row is None else row.entity
        return permission is not None and self.admin_site.allowed(request.user, permission, entity)

    def _require(self, request: HttpRequest, row: Any = None, *, may: bool) -> None:
        """Say it as everywhere: what one may not see does not exist, what one sees but may not do is forbidden."""
        if not self.has_view_permission(request, row):
            raise NotFound("There is no such page, or you may not see it.")
        if not may:
            raise Forbidden("You may see this, but not change it here.")

    # --- screens -----------------------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, and what is done to rows chosen in it. A filter that is malformed answers 422."""
        actions = self.actions_for(request)
        self._require(request, may=request.method in {"GET", "HEAD"} or bool(actions))
        if request.method == "POST":
            return self.act(request)
        answer: Any = super().changelist_view(request, {**(extra_context or {}), "row_actions": actions.values()})
        shown = (getattr(answer, "context_data", None) or {}).get("cl")
        if shown is not None and shown.is_refused:
            answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return answer  # type: ignore[no-any-return]

    @method_decorator(sensitive_post_parameters())
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One row, or a new one. Django's own opens a transaction of a SQL database around this.

        What the service refuses is told in the form, with all that was typed.
        """
        if object_id is None:
            self._require(request, may=self.has_add_permission(request))
        else:
            writes = request.method not in {"GET", "HEAD"}
            try:
                row = self.get_object(request, unquote(object_id))
            except NotFound as gone:
                if request.method != "POST" or READ_VERSION not in request.POST or not self.has_add_permission(request):
                    raise
                return self._gone(request, unquote(object_id), gone)
            self._require(request, row, may=not writes or self.has_change_permission(request, row))
        form_url = vars(request).get(FORM_ADDRESS, form_url)
        view: Callable[..., HttpResponse] = super()._changeform_view  # type: ignore[misc]  # pinned in the tests
        try:
            return view(request, object_id, form_url, extra_context)
        except (Conflict, Invalid) as error:
            vars(request)[REFUSED] = error
            vars(request)[FOUND] = {}  # it may be another one by now
            return view(request, object_id, form_url, extra_context)

    def get_urls(self) -> list[Any]:
        """Django's, and the pages that change children as rows."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_rows"
        view = self.admin_site.admin_view(self.rows_view)
        return [path("<path:object_id>/rows/<int:number>/", view, name=name), *super().get_urls()]

    @method_decorator(sensitive_post_parameters())
    def rows_view(self, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
        """The children of a row, each with a form."""
        row = self.get_object(request, unquote(object_id))
        self._require(request, row, may=True)
        if number >= len(self.children):
            raise NotFound("There is no such page, or you may not see it.")
        return rows_view(self, request, row, self.children[number]())

    def _gone(self, request: HttpRequest, key: str, gone: NotFound) -> HttpResponse:
        """The form of what was deleted meanwhile: all that was typed, to be added anew or left."""
        typed = cast("QueryDict", request.POST).copy()
        for name, part in self.twin().keys.entered(key).items():
            typed.setdefault(name, part)
        cast("Any", request).POST = typed
        vars(request)[REFUSED] = gone
        view: Callable[..., HttpResponse] = super()._changeform_view  # type: ignore[misc]  # pinned in the tests
        add = reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_add")
        return view(request, None, add, {"gone": True})

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask, then delete the version that was shown. Django's own opens a transaction of a SQL database."""
        row = self.get_object(request, unquote(object_id))
        self._require(request, row, may=self.has_delete_permission(request, row))
        view: Callable[..., HttpResponse] = super()._delete_view  # type: ignore[misc]  # pinned in the tests
        try:
            return view(request, object_id, {"goes": self.goes_with(row.entity), **(extra_context or {})})
        except StaleVersion:
            self.message_user(request, "Somebody changed this in the meantime. Look at it again.", messages.WARNING)
            return HttpResponseRedirect(request.get_full_path())

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the audit log has on this key, also after the row was deleted; while it is there, it gives its name."""
        self._require(request, may=True)
        key = unquote(object_id)
        self.twin().keys.value(key)
        if not self._is_allowed(request, self.sees_history):
            raise NotFound("There is no such page, or you may not see it.")
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        row = self._if_there(request, key)
        cursor = request.GET.get(PAGE_VAR) or None
        page = AuditLog(default_store()).of(self.audited_as(key), cursor=cursor)
        context = {**(extra_context or {}), "opts": self.opts, "key": key, "page": page, "cursor": cursor}
        context["row"], context["name"] = row, key if row is None else str(row)
        context["object"] = self.audited_as(key)
        return render(request, "console/history.html", {**self.admin_site.each_context(request), **context})

    def _if_there(self, request: HttpRequest, key: str) -> Any:
        """The row, None where it is gone. Raises `NotFound` where this user may not see it."""
        try:
            row = self.get_object(request, key)
        except NotFound:
            return None
        self._require(request, row, may=True)
        return row

    # --- forms -------------------------------------------------------------------------------------------------------

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """What the page of a row shows; of a new one, what can be entered."""
        found = declared_fields(self)
        if obj is None:
            return [name for name in found if name not in {*self._shown_only(), *self.readonly_fields}]
        is_in_title = str(self.row(obj.entity)) == obj.pk and self.has_change_permission(request, obj)
        return [name for name in found if not (is_in_title and name == self.model._meta.pk.name)]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The declared ones, with what this page shows of them."""
        shown = self.get_fields(request, obj)
        if not self.fieldsets:
            return [(None, {"fields": shown})]
        found = [
            (title, {**options, "fields": [name for name in flatten(options["fields"]) if name in shown]})
            for title, options in self.fieldsets
        ]
        return [(title, options) for title, options in found if options["fields"]]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """What no form can edit, and the key of what has one; all of it for who may not change it."""
        if not self.has_change_permission(request, obj):
            return self.get_fields(request, obj)
        key = [] if obj is None else self.twin().keys.fields
        shown = {*self._shown_only(obj), *self.readonly_fields, *key}
        return [name for name in self.get_fields(request, obj) if name in shown]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002  (Django's signature)
        """The form, which knows the entity and what the service refused."""
        shown = set(self.get_fields(request, obj)) - set(self.get_readonly_fields(request, obj))
        entity = self.repository.entity
        secrets = {
            name: SecretField(info=entity.model_fields[name], label=self.labels.get(name, pretty_name(name)))
            for name in secrets_of(entity)
            if name in shown
        }
        base = kwargs.get("form", self.form)
        kwargs["form"] = type(base.__name__, (base,), secrets)
        form = super().get_form(request, obj, change, **kwargs)
        known: dict[str, Any] = {"filled": self.filled}
        known |= {"kind": self.repository.entity, "refused": vars(request).get(REFUSED)}
        return type(form.__name__, (form,), known)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Nothing: an address fills in no form."""
        del request
        return {}

    def get_formsets_with_inlines(self, request: HttpRequest, obj: Any = None) -> Iterator[Any]:
        """None."""
        del request, obj
        yield from ()

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """The page; refused forms answer 422, or 409 with both versions where somebody else was faster."""
        form = context["adminform"].form
        refused = vars(request).get(REFUSED)
        if form.stored is not None:
            row = self.row(form.stored)
            context["row_name"] = str(row)  # the original has what was typed
            groups = [children(self, one(), at=at, request=request, row=row) for at, one in enumerate(self.children)]
            context["children"] = [group for group in groups if group is not None]
            context["site_page"] = self.site_page(request, form.stored)
            context["links"] = self.links(request, form.stored)
        context["sees_history"] = self._is_allowed(request, self.sees_history, context.get("original"))
        if isinstance(refused, StaleVersion):
            context["differences"] = form.differences
        answer = super().render_change_form(request, context, *args, **kwargs)
        if form.errors:
            is_conflict = "differences" in context or "gone" in context
            answer.status_code = HTTPStatus.CONFLICT if is_conflict else HTTPStatus.UNPROCESSABLE_ENTITY
        return answer

    def _shown_only(self, obj: Any = None) -> list[str]:
        """What no form can edit: by its type, or because the inputs would not give this value back as it is."""
        return [field.name for field in self.model._meta.concrete_fields if not _can_edit(field, obj)]

    def site_page(self, request: HttpRequest, entity: E) -> str | None:
        """The address of this on the site itself, for a link "View on site"; None where the reader may not see it."""
        del request, entity
        return None

    # --- writing -----------------------------------------------------------------------------------------------------

    def create(self, request: HttpRequest, entity: E) -> E:
        """Call the service that adds. Its `Conflict` and `Invalid` are told in the form."""
        raise NotImplementedError

    def change(self, request: HttpRequest, *, before: E, after: E) -> E:
        """Call the service that changes. Its `Conflict` and `Invalid` are told in the form."""
        raise NotImplementedError

    def remove(self, request: HttpRequest, entity: E) -> None:
        """Call the service that deletes."""
        raise NotImplementedError

    def dependents(self, entity: E) -> Sequence[str]:
        """What would lose its footing with this entity: where there is any, deleting is refused and these are named."""
        del entity
        return ()

    def links(self, request: HttpRequest, entity: E) -> Sequence[tuple[str, str]]:
        """Where else something is to be seen of this entity: labels and addresses, of what this user may see."""
        del request, entity
        return ()

    def goes_with(self, entity: E) -> Sequence[str]:
        """What the service deletes together with this entity, in words for the question before it."""
        del entity
        return ()

    def audited_as(self, key: str) -> str:
        """The row in the audit log."""
        return f"{self.repository.table.name}#{key}"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Hand what the form made to the service."""
        if not change:
            obj.entity = self.create(request, form.entity)
            obj.pk = self.row(obj.entity).pk  # the service may have made the key
        elif form.changed:
            obj.entity = self.change(request, before=obj.entity, after=form.entity)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete the version that the page showed. Raises `StaleVersion`."""
        if request.POST.get(READ_VERSION) != str(obj.entity.version):
            raise StaleVersion("Somebody changed this in the meantime.")
        self.remove(request, obj.entity)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """The row itself; nothing cascades, and what depends on it is named and refuses."""
        del request
        return [str(row) for row in objs], {}, set(), [one for row in objs for one in self.dependents(row.entity)]

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Nothing: the service wrote the entry in the transaction of the change."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Nothing, for the same reason."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Nothing, for the same reason."""

    # --- afterwards --------------------------------------------------------------------------------------------------

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Say so, and go on."""
        del post_url_continue
        return self._told(request, obj, f"“{obj}” is added.")

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Say so, and go on."""
        return self._told(request, obj, f"“{obj}” is saved.")

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        """Say so, and go back to the list."""
        del obj_id
        self.message_user(request, f"“{obj_display}” is deleted.", messages.SUCCESS)
        return self.response_post_save_change(request, None)

    def _told(self, request: HttpRequest, obj: Any, sentence: str) -> HttpResponse:
        self.message_user(request, sentence, messages.SUCCESS)
        return self.onward(request, obj)

    def onward(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Where the button leads that was pressed: to the list, to this row again, or to a new one."""
        kept: dict[str, Any] = {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}"
        if "_continue" in request.POST:
            address = reverse(f"{name}_change", args=[quote(obj.pk)])
        elif "_addanother" in request.POST and self.has_add_permission(request):
            address = reverse(f"{name}_add")
        else:
            return self.response_post_save_change(request, obj)
        return HttpResponseRedirect(add_preserved_filters(kept, address))


def _can_edit(field: Any, row: Any) -> bool:
    if row is None or not isinstance(field, AsItIs):
        return bool(field.editable)
    return bool(field.editable) and field.fitting(getattr(row.entity, field.name)) is not None
