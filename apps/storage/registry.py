"""Every table that an installed app declares in its `tables.py`."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.storage.table import Table


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
