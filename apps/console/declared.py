"""What an admin declares to be shown."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin.utils import flatten

from apps.console.forms.secret_fields import secrets_of
from apps.console.twins import ROW_KEY

if TYPE_CHECKING:
    from apps.console.entity_admin import EntityAdmin


def declared_fields(admin: "EntityAdmin[Any]") -> list[str]:
    """What an admin's pages show: as declared, or everything the entity has, and the admin's own read-only methods."""
    declared: list[Any] = flatten(admin.fields or [])
    for _, options in admin.fieldsets or ():
        declared += flatten(list(options["fields"]))
    if declared:
        return [str(name) for name in declared]
    every = [field.name for field in admin.model._meta.concrete_fields if field.name not in {"version", ROW_KEY}]
    every += secrets_of(admin.repository.entity)
    return [*every, *(str(name) for name in admin.readonly_fields if name not in every)]
