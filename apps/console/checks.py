"""System checks of what the consoles declare: what cannot work is refused, with a hint that says what can."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.admin.checks import ModelAdminChecks
from django.contrib.admin.sites import all_sites
from django.core.checks import CheckMessage, Error

from apps.console.declared import declared_fields
from apps.console.forms.secret_fields import secrets_of
from apps.console.lists.checks import check_lists, refused

if TYPE_CHECKING:
    from apps.console.entity_admin import EntityAdmin

_NO_SCRIPTS = "The back office loads no scripts of Django's: leave it out, and show the field as it is."
CANNOT_WORK = {
    "list_filter": "It asks SQL what there is: declare `filters` (see apps/console/lists/filters.py).",
    "date_hierarchy": "It counts rows by month: declare a filter `Days` or `Day` instead.",
    "list_editable": "Several rows cannot be saved in one form: change them on their own pages.",
    "ordering": "Rows come in the order of an index: declare the preferred one first in `listings`.",
    "list_select_related": "Declare `related`: names of a whole page are read in one batch.",
    "inlines": "Children are found by key, not by relation: declare them as `Inline`s in `children`.",
    "autocomplete_fields": "Declare `related`: it looks for names through an index.",
    "raw_id_fields": "Declare `related`: it looks for names through an index.",
    "filter_horizontal": _NO_SCRIPTS,
    "filter_vertical": _NO_SCRIPTS,
    "prepopulated_fields": _NO_SCRIPTS,
    "radio_fields": "Enums are shown as a list to choose from: leave it out.",
    "actions": "They take querysets: declare `row_actions` (see apps/console/lists/actions.py).",
    "save_as": "A copy would need a key of its own: add it on the page for a new one.",
    "show_full_result_count": "Counting reads the whole table: leave it out.",
}
WRITERS = ("create", "change", "remove")


def check_consoles(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """Check every console that the addresses lead to."""
    del kwargs
    from apps.console.site import Console  # noqa: PLC0415  (a console's admins are checked by what is here)

    import_module(settings.ROOT_URLCONF)
    return [found for site in all_sites if isinstance(site, Console) for found in site.check(app_configs)]


class EntityAdminChecks(ModelAdminChecks):
    """Django's checks of an admin, where nothing is declared that no index or service stands behind."""

    def check(self, admin_obj: Any, **kwargs: Any) -> list[CheckMessage]:
        """What is wrong; Django's own findings only where ours are none, since they would tell the same worse."""
        found: list[CheckMessage] = [
            *_options(admin_obj),
            *_unknown(admin_obj),
            *check_lists(admin_obj),
            *_fields(admin_obj),
            *_writers(admin_obj),
        ]
        return found or super().check(admin_obj, **kwargs)


def _options(admin: "EntityAdmin[Any]") -> Iterator[Error]:
    for option, hint in CANNOT_WORK.items():
        if getattr(admin, option):
            yield refused(admin, 1, f"`{option}` cannot work without SQL.", hint)


def _unknown(admin: "EntityAdmin[Any]") -> Iterator[Error]:
    """What nothing reads: an old name, or one mistyped. Admins may have attributes of their own, with a type."""
    from apps.console.entity_admin import EntityAdmin  # noqa: PLC0415  (it is checked by what is here)

    known = {name for kind in EntityAdmin.__mro__ for name in {*vars(kind), *vars(kind).get("__annotations__", {})}}
    for kind in type(admin).__mro__[: type(admin).__mro__.index(EntityAdmin)]:
        typed = vars(kind).get("__annotations__", {})
        for name, value in vars(kind).items():
            if name.startswith("_") or name in known or callable(value) or hasattr(value, "__get__"):
                continue
            near = get_close_matches(name, known, n=1, cutoff=0.8)
            if near or name not in typed:
                meant = f"Did you mean `{near[0]}`?" if near else "For one of its own, give it a type (ClassVar)."
                yield refused(admin, 17, f"`{name}` is nothing that an admin declares: it would be ignored.", meant)


def _fields(admin: "EntityAdmin[Any]") -> Iterator[Error]:
    known = {field.name for field in admin.model._meta.concrete_fields} | set(secrets_of(admin.repository.entity))
    for field in declared_fields(admin):
        if field not in known and not callable(getattr(admin, str(field), None)):
            hint = "What the entity keeps out of its dumps is never shown here."
            yield refused(admin, 6, f"`{field}` is nothing that can be shown of {admin.model.__name__}.", hint)


def _writers(admin: "EntityAdmin[Any]") -> Iterator[Error]:
    from apps.console.entity_admin import EntityAdmin  # noqa: PLC0415  (it is checked by what is here)

    if admin.changes is None:
        return
    missing = [name for name in WRITERS if getattr(type(admin), name) is getattr(EntityAdmin, name)]
    if missing:
        hint = f"Let {' and '.join(missing)} call the service, or leave `changes` out."
        yield refused(admin, 7, "Changes are allowed, but there is no service behind all of them.", hint)
    secrets = set(secrets_of(admin.repository.entity))
    editable = {field.name for field in admin.model._meta.concrete_fields if field.editable} | secrets
    editable &= set(declared_fields(admin))
    for name, field in admin.repository.entity.model_fields.items():
        if field.is_required() and name not in {*(editable - set(admin.readonly_fields)), *admin.filled}:
            hint = "Show it in `fields` where a form can edit it, make it in `filled`, or leave `changes` out."
            yield refused(admin, 8, f"`{name}` is required, but no form can give it.", hint)
