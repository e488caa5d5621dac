"""Rows of another table on the page of the row that they belong to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin.utils import label_for_field, quote
from django.http import HttpRequest
from django.urls import reverse

from apps.console.shown import Value
from apps.storage.conditions import Query

if TYPE_CHECKING:
    from apps.console.entity_admin import EntityAdmin


class Inline:
    """Children in one partition: at most `limit` of them on the parent's page, read in one query.

    A column of theirs in `related` shows names: one batch for each.

    A subclass names the children's `admin` and answers `query`. Who may see and change them is for that admin to say;
    where it has `changes`, and `given` says which fields follow from the parent, there is a page that changes them as
    rows, each through the service.

        class ResultsOfRun(Inline):
            admin, title, columns = ResultAdmin, "Results", ("policy_number", "status")

            def query(self, parent: Run) -> Query:
                return Query(partition=parent.execution_id)
    """

    admin: "ClassVar[type[EntityAdmin[Any]]]"
    title: ClassVar[str]
    columns: ClassVar[Sequence[str]]
    limit: ClassVar[int] = 20

    def query(self, parent: Any) -> Query:
        """The children of this entity."""
        raise NotImplementedError

    def given(self, parent: Any) -> Mapping[str, Any] | None:
        """The fields of a new child that follow from its parent; None where children are only shown."""
        del parent
        return None

    def as_shown(self, child: Any, parent: Any) -> Any:
        """The child as the parent's page shows it, where what is stored means another thing beside this parent."""
        del parent
        return child

    def all_address(self, request: HttpRequest, parent: Any) -> str | None:
        """Where all of them are listed, if anywhere."""
        del request, parent
        return None


@dataclass(frozen=True, slots=True)
class Child:
    """A row of an inline: its page, where the reader may open it, and its columns' values."""

    address: str | None
    cells: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """What the page shows of an inline; `is_all` says whether there are no more."""

    title: str
    labels: tuple[str, ...]
    rows: tuple[Child, ...]
    is_all: bool
    all_address: str | None
    change_address: str | None


def admin_of(parent: "EntityAdmin[Any]", inline: Inline) -> "EntityAdmin[Any]":
    """The children's admin: the registered one, or one of the inline's own."""
    site, kind = parent.admin_site, inline.admin
    found: Any = site._registry.get(kind.twin())  # noqa: SLF001  (public as `get_model_admin`, which raises)
    return found if isinstance(found, kind) else kind(kind.twin(), site)


def may_change(admin: "EntityAdmin[Any]", inline: Inline, *, request: HttpRequest, parent: Any) -> bool:
    """Whether the children can be changed as rows by whoever asks."""
    return inline.given(parent) is not None and admin.has_change_permission(request)


def children(
    parent_admin: "EntityAdmin[Any]", inline: Inline, *, at: int, request: HttpRequest, row: Any
) -> Children | None:
    """What to show of the inline declared `at` this place, on the page of `row`; None to whoever may not see it."""
    admin = admin_of(parent_admin, inline)
    if not admin.has_view_permission(request):
        return None
    page = admin.rows().page(inline.query(row.entity), limit=inline.limit)
    found = (admin.row(inline.as_shown(entity, row.entity)) for entity in page.items)
    rows = [one for one in found if admin.has_view_permission(request, one)]
    names = admin.related_names(request, [one.entity for one in rows], columns=inline.columns)
    parents = f"{parent_admin.admin_site.name}:{parent_admin.opts.app_label}_{parent_admin.opts.model_name}_rows"
    may = may_change(admin, inline, request=request, parent=row.entity)
    return Children(
        title=inline.title,
        labels=tuple(_capital(str(label_for_field(column, admin.model, admin))) for column in inline.columns),
        rows=tuple(
            Child(
                _address(admin, one, request=request),
                tuple(_cell(column, one, admin, names.get(column, {})) for column in inline.columns),
            )
            for one in rows
        ),
        is_all=page.next is None,
        all_address=inline.all_address(request, row.entity),
        change_address=reverse(parents, args=[quote(row.pk), at]) if may else None,
    )


def _cell(column: str, row: Any, admin: "EntityAdmin[Any]", names: Mapping[str, str]) -> Value:
    """A column of a child; of one that names another entity, that one's name."""
    from apps.console.templatetags.console import shown  # noqa: PLC0415  (it is drawn as in a list)

    name = names.get(str(getattr(row, column, "")))
    return shown(column, row, admin) if name is None else Value("text", name)


def _address(admin: "EntityAdmin[Any]", row: Any, *, request: HttpRequest) -> str | None:
    if not admin.admin_site.is_registered(admin.model) or not admin.has_view_permission(request, row):
        return None
    name = f"{admin.admin_site.name}:{admin.opts.app_label}_{admin.opts.model_name}_change"
    return reverse(name, args=[quote(row.pk)])


def _capital(label: str) -> str:
    return label[:1].upper() + label[1:]
