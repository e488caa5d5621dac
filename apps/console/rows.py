"""What Django's admin takes for a queryset: it carries the model, and refuses to build SQL."""

from types import SimpleNamespace
from typing import Any, NoReturn, Self

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q

from apps.console.errors import UnsupportedQuery


class Rows:
    """Deliberately not a QuerySet: whatever it does not know raises `UnsupportedQuery`.

    The changelist gets its rows from `EntityAdmin.listed`; this only answers what the admin asks around that.
    """

    ordered = True
    db = DEFAULT_DB_ALIAS
    _prefetch_related_lookups = ()

    def __init__(self, model: Any) -> None:
        self.model = model
        self.verbose_name = model._meta.verbose_name
        self.verbose_name_plural = model._meta.verbose_name_plural
        # True keeps Django from asking for joins.
        self.query = SimpleNamespace(order_by=(), select_related=True)

    def filter(self, *conditions: Q, **lookups: Any) -> Self:
        """The same rows where nothing is asked of them. Raises `UnsupportedQuery` for any lookup."""
        if lookups or any(condition.children for condition in conditions):
            raise UnsupportedQuery(f"no index answers {lookups or conditions}")
        return self

    def order_by(self, *fields: str) -> Self:
        """The same rows: their order is that of the index they are read from."""
        del fields
        return self

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # copying and pickling look for methods that need not be there
            raise AttributeError(name)
        raise UnsupportedQuery(f"rows of the console know no {name}")
