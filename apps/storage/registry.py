"""Every table that an installed app declares in its `tables.py`, and every repository in its `repository.py`."""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.storage.table import Table

if TYPE_CHECKING:
    from apps.storage.repository import Repository
    from apps.storage.requests.reading import Reader

# The layer's own repositories live beside what they serve.
_OWN_MODULES = ("apps.storage.sessions", "apps.storage.unique", "apps.storage.trash")


def declared_tables() -> tuple[Table, ...]:
    """The tables of all installed apps, by name.

    An app's `tables.py` lists them in `TABLES`. Raises `ValueError` where two apps declare the same name, and
    `ImproperlyConfigured` where a table is mapped to another name that nobody declares.
    """
    found: dict[str, Table] = {}
    for config in apps.get_app_configs():
        module = f"{config.name}.tables"
        if not config.name.startswith("apps.") or find_spec(module) is None:
            continue
        for table in import_module(module).TABLES:
            if table.name in found:
                raise ValueError(f"{module} declares {table.name}, which another app declares too")
            found[table.name] = table
    unknown = sorted(set(settings.STORAGE["TABLE_NAMES"]) - set(found))
    if unknown:
        names = ", ".join(sorted(found))
        raise ImproperlyConfigured(f"RUNGS_TABLE_NAMES: there is no table {unknown[0]}; there are {names}.")
    return tuple(found[name] for name in sorted(found))


def declared_repositories() -> tuple[type["Repository[Any]"], ...]:
    """The repositories of all installed apps, by table and name; see `declared_readers`."""
    from apps.storage.repository import Repository  # noqa: PLC0415  (needs botocore: only where it is used)

    return tuple(kind for kind in declared_readers() if issubclass(kind, Repository))


def declared_readers() -> tuple[type["Reader[Any]"], ...]:
    """Whatever reads a table for an installed app, by table and name: the classes of every `repository.py`, and others
    in use.

    A class without an entity or a table of its own is a base of others, and is left out.
    """
    from apps.storage.requests.reading import Reader  # noqa: PLC0415  (needs botocore: only where it is used)

    installed = tuple(f"{config.name}." for config in apps.get_app_configs() if config.name.startswith("apps."))
    for name in (*_OWN_MODULES, *(f"{app}repository" for app in installed)):
        if find_spec(name) is not None:
            import_module(name)
    found = (kind for kind in _below(Reader) if kind.__module__.startswith(installed))
    declared = {kind for kind in found if hasattr(kind, "entity") and hasattr(kind, "table")}
    return tuple(sorted(declared, key=lambda kind: (kind.table.name, kind.__module__, kind.__qualname__)))


def _below(kind: type["Reader[Any]"]) -> Iterator[type["Reader[Any]"]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _below(subclass)
