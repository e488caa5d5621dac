"""The models made from entities, and what stands in for querysets: they carry values, and refuse SQL."""

from datetime import UTC, datetime
from enum import StrEnum

import pytest
from django.db.models import Q
from pydantic import Field

from apps.console.errors import UnsupportedQuery
from apps.console.twins import twin
from apps.policy_runs.admin import HostAdmin
from apps.storage.entity import Entity, Instant
from apps.storage.secrets import Secret
from apps.storage.table import Key, Table


class Size(StrEnum):
    SMALL = "small"
    VERY_LARGE = "very_large"


class Crate(Entity):
    crate_id: str
    size: Size = Size.SMALL
    depth: int | None = None
    sealed: bool = False
    made_at: Instant | None = None
    marks: frozenset[Size] = frozenset()
    log: tuple[str, ...] = ()
    contents: dict[str, int] = Field(default_factory=dict)
    lock: Secret | None = None


CRATES = Table(name="Crates", partition_key=Key("crate_id"))


@pytest.fixture
def crate():
    return Crate(
        crate_id="c-1",
        size=Size.VERY_LARGE,
        made_at=datetime(2026, 3, 1, tzinfo=UTC),
        marks={Size.SMALL, Size.VERY_LARGE},
        log=("b", "a"),
        contents={"nails": 7},
        lock="open sesame",
    )


def test_every_kind_of_field_has_its_form_and_secrets_have_none(crate):
    model = twin(Crate, CRATES)
    fields = {field.name: field for field in model._meta.concrete_fields}
    assert set(fields) == set(Crate.model_fields) - {"lock"}
    assert model._meta.pk.name == "crate_id"
    assert fields["size"].choices == [("small", "Small"), ("very_large", "Very large")]
    assert (fields["depth"].null, fields["depth"].blank, fields["sealed"].get_internal_type()) == (
        True,
        True,
        "BooleanField",
    )
    assert {name for name, field in fields.items() if field.editable} == set(fields) - {"version"}


def test_a_row_carries_the_entity_and_its_values(crate):
    row = twin(Crate, CRATES).of(crate)
    assert row.entity is crate
    assert (row.pk, row.size, row.made_at, row.depth) == ("c-1", "very_large", crate.made_at, None)
    assert (row.marks, row.log, row.contents) == (crate.marks, crate.log, crate.contents)
    assert "sesame" not in repr(vars(row))
    assert str(row) == "c-1"


def test_there_is_one_model_of_an_entity():
    assert twin(Crate, CRATES) is twin(Crate, CRATES)


def test_a_row_writes_nothing_by_itself():
    row = HostAdmin.twin()(host_name="a", address="b", port=1)
    for forbidden in (row.save, row.delete, row.refresh_from_db):
        with pytest.raises(UnsupportedQuery):
            forbidden()
    row.validate_unique()
    row.validate_constraints()


@pytest.mark.parametrize(
    "ask",
    [
        lambda rows: rows.get(pk="a"),
        lambda rows: rows.filter(pk="a"),
        lambda rows: rows.filter(Q(pk__startswith="a")),
        lambda rows: rows.count(),
        lambda rows: rows.exclude(pk="a"),
        lambda rows: rows.delete(),
        lambda rows: rows.update(port=1),
        lambda rows: rows.values_list("pk"),
    ],
)
def test_what_only_sql_could_answer_is_refused_by_name(ask):
    with pytest.raises(UnsupportedQuery):
        ask(HostAdmin.twin().objects.all())
