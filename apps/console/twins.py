"""The Django model that stands in for an entity in the admin: made from it, never written by hand.

A twin that somebody writes and forgets to extend wipes the field it lacks. These only carry values to forms and
columns; what is saved is the entity that was read, with what the form changed.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, models

from apps.console.errors import UnsupportedQuery
from apps.console.fields import column, model_fields
from apps.console.forms.secret_fields import IS_NOT_SET, IS_SET, secrets_of
from apps.console.keys import RowKeys, row_keys
from apps.console.rows import Rows
from apps.storage.entity import Entity
from apps.storage.table import Table

if TYPE_CHECKING:
    _Manager = models.Manager[Any]
else:
    _Manager = models.Manager


ROW_KEY = "row_key"
"""The primary key of a model whose entity's key is not one text field: see `RowKeys`."""


class RowsManager(_Manager):
    """Gives out what knows how to refuse SQL."""

    def get_queryset(self) -> Any:
        """Rows of nothing in particular: lists come from the repository."""
        return Rows(self.model)


class Twin(models.Model):
    """A row in the admin. It has no table, and writes nothing."""

    entity: ClassVar[Any] = None
    """The entity that this row shows; None in the form of a new one."""
    keys: ClassVar[RowKeys]
    """How its rows are named."""

    class Meta:
        """No table of its own."""

        abstract = True

    @classmethod
    def of(cls, entity: Entity) -> Self:
        """The row of this entity."""
        names = [field.name for field in cls._meta.concrete_fields if field.name != ROW_KEY]
        row = cls(**{name: column(getattr(entity, name)) for name in names})
        if cls.keys.single is None:
            row.pk = cls.keys.text(entity)
        row._state.adding = False
        vars(row)["entity"] = entity
        return row

    def save(self, *_args: Any, **_kwargs: Any) -> None:
        """Raise `UnsupportedQuery`: services write."""
        raise UnsupportedQuery(f"{type(self).__name__} is written by a service, never by its stand-in")

    def delete(self, *_args: Any, **_kwargs: Any) -> tuple[int, dict[str, int]]:
        """Raise `UnsupportedQuery`: services write."""
        raise UnsupportedQuery(f"{type(self).__name__} is deleted by a service, never by its stand-in")

    def refresh_from_db(self, *_args: Any, **_kwargs: Any) -> None:
        """Raise `UnsupportedQuery`: there is nothing to refresh from."""
        raise UnsupportedQuery(f"{type(self).__name__} is read from its repository")

    def validate_unique(self, exclude: Any = None) -> None:
        """Nothing: guards in the transaction of the change know better than a look before it."""

    def validate_constraints(self, exclude: Any = None) -> None:
        """Nothing, for the same reason."""

    def __str__(self) -> str:
        shown = self if self.entity is None else self.entity
        if named := getattr(shown, "name", None):
            return str(named)
        return " · ".join(str(column(getattr(shown, name, ""))) for name in self.keys.fields)


@cache
def twin(
    entity: type[Entity], table: Table, labels: tuple[tuple[str, str], ...] = (), *, noun: str = "", plural: str = ""
) -> type[Twin]:
    """The model of an entity, one for the process; `labels` are words for fields whose names do not say it well.

    `noun` is what people call one of them, `plural` several, where that is not the noun and an s.

    Raises `TypeError` for a key that is bytes, and for a field called `row_key`.
    """
    keys = row_keys(entity, table)
    if ROW_KEY in entity.model_fields:
        raise TypeError(f"{entity.__name__} has a field {ROW_KEY}: the console calls the key of a row so")
    noun = noun or entity.__name__.lower()
    config = apps.get_containing_app_config(entity.__module__)
    label = config.label if config else "console"
    options = {
        "app_label": label,
        "managed": False,
        "base_manager_name": "objects",
        "default_manager_name": "objects",
        "verbose_name": noun,
        "verbose_name_plural": plural or f"{noun}s",
    }
    body: dict[str, Any] = dict(model_fields(entity, key=keys.single))
    if keys.single is None:
        body[ROW_KEY] = models.TextField(primary_key=True, editable=False)
    for name, word in labels:
        if name in body:  # a secret has no column
            body[name].verbose_name = word
    body |= {name: property(_secret_state(name)) for name in secrets_of(entity)}
    body |= {"keys": keys, "objects": RowsManager(), "Meta": type("Meta", (), options), "__module__": entity.__module__}
    # An entity may have another admin with other words, on another site: Django's registry knows the last one's model.
    apps.all_models[label].pop(entity.__name__.lower(), None)
    made: type[Twin] = type(entity.__name__, (Twin,), body)
    _prime_content_type(made)
    return made


def _secret_state(name: str) -> Callable[[Twin], str]:
    """All that a row knows of a secret: whether there is one."""
    return lambda row: IS_NOT_SET if getattr(row.entity, name, None) is None else IS_SET


def _prime_content_type(model: type[Twin]) -> None:
    """Django's change form asks for the model's content type: put it where a look into SQL would have put it."""
    types: Any = ContentType.objects
    known = len(types._cache.get(DEFAULT_DB_ALIAS, {}))  # noqa: SLF001  (pinned in the tests)
    options = model._meta
    made = ContentType(id=known + 1, app_label=options.app_label, model=options.model_name or "")
    types._add_to_cache(DEFAULT_DB_ALIAS, made)  # noqa: SLF001  (pinned in the tests)
