"""System checks of what the consoles declare: what cannot work is refused, with a hint that says what can."""

import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.admin.checks import ModelAdminChecks
from django.contrib.admin.sites import all_sites
from django.core.checks import CheckMessage, Error

from apps.console.declared import declared_fields
from apps.console.secret_fields import secrets_of
from apps.storage.items.codec import Codec
from apps.storage.table import Index

if TYPE_CHECKING:
    from apps.console.entity_admin import EntityAdmin

_NO_SCRIPTS = "The back office loads no scripts of Django's: leave it out, and show the field as it is."
_NO_RELATIONS = "Entities have keys, not relations: show the key, or a method of the admin that tells it."
CANNOT_WORK = {
    "list_filter": "Filters need an index that carries them: make it the `listing` of an admin of its own.",
    "date_hierarchy": "It counts rows by month. Make an index by day the `listing` instead.",
    "list_editable": "Several rows cannot be saved in one form: change them on their own pages.",
    "ordering": "Rows come in the order of the index: name another one in `listing`.",
    "list_select_related": _NO_RELATIONS,
    "inlines": _NO_RELATIONS,
    "autocomplete_fields": _NO_SCRIPTS,
    "raw_id_fields": _NO_RELATIONS,
    "filter_horizontal": _NO_SCRIPTS,
    "filter_vertical": _NO_SCRIPTS,
    "prepopulated_fields": _NO_SCRIPTS,
    "radio_fields": "Enums are shown as a list to choose from: leave it out.",
    "actions": "Change rows on their own pages.",
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
            *_listing(admin_obj),
            *_search(admin_obj),
            *_fields(admin_obj),
            *_writers(admin_obj),
        ]
        return found or super().check(admin_obj, **kwargs)


def _error(admin: "EntityAdmin[Any]", number: int, sentence: str, hint: str) -> Error:
    return Error(sentence, hint=hint, obj=type(admin), id=f"console.E{number:03}")


def _options(admin: "EntityAdmin[Any]") -> Iterator[Error]:
    for option, hint in CANNOT_WORK.items():
        if getattr(admin, option):
            yield _error(admin, 1, f"`{option}` cannot work without SQL.", hint)


def _listing(admin: "EntityAdmin[Any]") -> Iterator[Error]:
    if admin.listing is None:
        return
    index, table = _index(admin), admin.repository.table
    if index is None:
        known = ", ".join(one.name for one in table.indexes) or "none"
        hint = f"{table.name} has these indexes: {known}."
        yield _error(
            admin, 2, f"The list is read from {admin.listing.index}, which {table.name} does not declare.", hint
        )
        return
    if index.include is None:
        return
    carried = {*index.include, *(key.name for key in (*table.keys, *index.keys))}
    codec = Codec(admin.repository.entity, table)
    for name in admin.model.keys.fields:
        stored = codec.stored(name) if name in codec.fields else None
        if stored not in carried:
            hint = f"Add {stored or name} to the index's `include`: the rows' addresses are made of it."
            yield _error(admin, 9, f"{index.name} does not carry `{name}`: its rows could not be opened.", hint)
    for column in admin.list_display:
        if column in admin.repository.entity.model_fields and codec.stored(str(column)) not in carried:
            hint = f"Add {codec.stored(str(column))} to the index's `include`, or leave the column out."
            yield _error(admin, 3, f"{index.name} does not carry `{column}`: the column would show a default.", hint)


def _search(admin: "EntityAdmin[Any]") -> Iterator[Error]:
    index, fields = _index(admin), [str(field) for field in admin.search_fields]
    if not fields:
        return
    if admin.listing is None or admin.listing.folded is None or index is None or index.sort_key is None:
        hint = "Search works by the beginning of an index's sort key: name such an index in `listing`, with `folded`."
        yield _error(admin, 4, f"No index answers a search of {', '.join(fields)}.", hint)
        return
    sorted_by = _fields_of(admin, index.sort_key.name)
    for field in fields if len(fields) > 1 else [field for field in fields if field not in sorted_by]:
        hint = (
            f"Name one field, by which {index.name} is sorted, without prefix or lookup: only beginnings can be found."
        )
        yield _error(admin, 5, f"`{field}` cannot be searched: {index.name} is sorted by {index.sort_key.name}.", hint)


def _fields(admin: "EntityAdmin[Any]") -> Iterator[Error]:
    known = {field.name for field in admin.model._meta.concrete_fields} | set(secrets_of(admin.repository.entity))
    for field in declared_fields(admin):
        if field not in known and not callable(getattr(admin, str(field), None)):
            hint = "What the entity keeps out of its dumps is never shown here."
            yield _error(admin, 6, f"`{field}` is nothing that can be shown of {admin.model.__name__}.", hint)


def _writers(admin: "EntityAdmin[Any]") -> Iterator[Error]:
    from apps.console.entity_admin import EntityAdmin  # noqa: PLC0415  (it is checked by what is here)

    if admin.changes is None:
        return
    missing = [name for name in WRITERS if getattr(type(admin), name) is getattr(EntityAdmin, name)]
    if missing:
        hint = f"Let {' and '.join(missing)} call the service, or leave `changes` out."
        yield _error(admin, 7, "Changes are allowed, but there is no service behind all of them.", hint)
    secrets = set(secrets_of(admin.repository.entity))
    editable = {field.name for field in admin.model._meta.concrete_fields if field.editable} | secrets
    editable &= set(declared_fields(admin))
    for name, field in admin.repository.entity.model_fields.items():
        if field.is_required() and name not in {*(editable - set(admin.readonly_fields)), *admin.filled}:
            hint = "Show it in `fields` where a form can edit it, make it in `filled`, or leave `changes` out."
            yield _error(admin, 8, f"`{name}` is required, but no form can give it.", hint)


def _index(admin: "EntityAdmin[Any]") -> Index | None:
    wanted = admin.listing.index if admin.listing else None
    return next((index for index in admin.repository.table.indexes if index.name == wanted), None)


def _fields_of(admin: "EntityAdmin[Any]", attribute: str) -> set[str]:
    """The fields that make a stored attribute; a folded `name_key` is made from `name`."""
    entity = admin.repository.entity
    template = entity.derived.get(attribute)
    names = re.findall(r"{(\w+)", template) if template else []
    codec = Codec(entity, admin.repository.table)
    plain = {name for name in entity.model_fields if codec.stored(name) == attribute}
    return {*plain, *names[:1], *(name.removesuffix("_key") for name in names[:1])}
