"""`manage.py check` finds declarations that could not work; each fault is made here on purpose."""

import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from django.core.checks import run_checks

from apps.storage.checks import faults_of
from apps.storage.entity import Entity, Expiry, Instant, Stored, TimeForm, Unique, Upgrade
from apps.storage.metering import metering
from apps.storage.registry import declared_readers, declared_repositories
from apps.storage.repository import Repository
from apps.storage.table import AttributeType, Index, Key, Table, number
from tests.storage.shuttle import KINDS
from tests.storage.things import Books, Things

ROOT = Path(__file__).resolve().parents[2]


class Level(IntEnum):
    LOW = 1


class Note(Entity):
    note_id: str
    count: int = 0
    level: Level = Level.LOW
    price: Decimal | None = None
    is_open: Annotated[bool | None, Stored(flag=True)] = None
    is_old: bool = False
    at: Instant | None = None
    since: Annotated[datetime | None, Stored(time=TimeForm.MILLISECONDS)] = None
    text: Annotated[str, Stored(compressed=True)] = ""
    mood: Literal["good", "bad"] = "good"
    tags: frozenset[str] = frozenset()
    expires_at: Expiry | None = None


def repository(kind: type[Entity] = Note, /, **table: Any) -> type[Repository[Any]]:
    """A repository of this kind in a table of its own."""
    declared = Table(**{"name": "Notes", "partition_key": Key("note_id"), **table})
    return type("Notes", (Repository,), {"entity": kind, "table": declared})


def variant(name: str = "Odd", /, **members: Any) -> type[Entity]:
    """A kind of note with something else declared."""
    return type(name, (Note,), {"__module__": __name__, "__annotations__": {}, **members})


def found(*repositories: type[Repository[Any]]) -> dict[str, str]:
    """The faults of these, as sentence and hint by number."""
    faults = faults_of(repositories)
    assert all(fault.hint for fault in faults)
    return {str(fault.id): f"{fault.msg} {fault.hint}" for fault in faults}


def index(*keys: Key, include: tuple[str, ...] | None = None) -> Index:
    return Index(name="an-index", partition_key=keys[0], sort_key=keys[1] if len(keys) > 1 else None, include=include)


# --- what is right


def test_the_declarations_of_this_project_are_right() -> None:
    with metering() as cost:
        assert run_checks(tags=["storage"]) == []
    assert cost.total_requests == 0


def test_the_declarations_of_the_tests_are_right() -> None:
    assert found(Things, Books, *KINDS) == {}


def test_what_the_apps_declare_is_found_and_nothing_of_the_tests() -> None:
    names = {kind.__name__ for kind in declared_readers()}
    assert {"Users", "Executions", "WebSessions", "Guards"} <= names
    assert not {"Things", "Shops", "JobRepository", "Repository"} & names
    assert all(issubclass(kind, Repository) for kind in declared_repositories())
    assert "Guards" not in {kind.__name__ for kind in declared_repositories()}


def test_checking_neither_loads_boto3_nor_needs_a_store() -> None:
    code = (
        "import sys, django; django.setup(); from django.core.checks import run_checks;"
        "assert run_checks(tags=['storage']) == []; assert 'boto3' not in sys.modules; print('checked')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "project.settings", "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("checked\n", 0), done.stderr


@pytest.mark.parametrize(
    "key",
    [
        number("count"),
        number("level"),
        number("price"),
        number("is_open"),
        Key("at"),
        number("since"),
        Key("mood"),
        number("expires_at"),
    ],
    ids=lambda key: key.name,
)
def test_each_type_that_can_be_a_key_is_known_by_its_form(key: Key) -> None:
    assert found(repository(indexes=(index(key),))) == {}


# --- what is wrong


def test_a_kind_that_cannot_be_stored_is_told() -> None:
    faults = found(repository(variant(__annotations__={"share": float}, share=0.5)))
    assert "float has no exact stored form" in faults["storage.E001"]
    faults = found(repository(variant(derived={"x": "{a}{b}"})))
    assert "two fields without a delimiter" in faults["storage.E001"]


def test_a_derived_attribute_that_hides_a_field_is_told() -> None:
    assert "would overwrite the field mood" in found(repository(variant(derived={"mood": "{mood}"})))["storage.E002"]


def test_a_template_over_no_field_is_told() -> None:
    faults = found(repository(variant(derived={"x": "A#{colour}"})))
    assert list(faults) == ["storage.E003"]
    assert "names colour, which is no field. Correct the name in `derived`" in faults["storage.E003"]


def test_a_template_over_a_property_is_right() -> None:
    assert found(repository(variant(derived={"x": "A#{shade}"}, shade=property(lambda _: "red")))) == {}


def test_a_number_that_would_sort_as_text_is_told() -> None:
    keys = {"sort_key": Key("x")}
    faults = found(repository(variant(derived={"x": "{count}"}), **keys))
    assert list(faults) == ["storage.W004"]
    assert "{count:06}: else 10 comes before 9" in faults["storage.W004"]
    assert found(repository(variant(derived={"x": "{count:06}"}), **keys)) == {}


@pytest.mark.parametrize("unique", [Unique("colour"), Unique("mood", within="colour")])
def test_uniqueness_of_no_field_is_told(unique: Unique) -> None:
    faults = found(repository(variant(unique=(unique,))))
    assert "`unique` names colour, which is no field" in faults["storage.E005"]


def test_a_table_key_that_nothing_fills_is_told() -> None:
    faults = found(repository(partition_key=Key("PK"), sort_key=Key("SK")))
    assert "it has no SK, which is a key of Notes. Add a field that is stored as SK" in faults["storage.E006"]


def test_an_index_that_would_stay_empty_is_told() -> None:
    faults = found(repository(indexes=(index(Key("mood"), Key("colour")),)))
    assert "nothing of it would ever be in an-index of Notes: it has no mood or colour" in faults["storage.E007"]


def test_an_included_name_that_is_not_stored_is_told() -> None:
    faults = found(repository(indexes=(index(Key("mood"), include=("count", "colour")),)))
    assert "includes colour, which is not stored. Write the stored name; there are at, count" in faults["storage.E008"]


def same(item: dict[str, Any]) -> dict[str, Any]:
    return item


def test_an_index_that_does_not_tell_the_schema_version_is_told() -> None:
    upgrades: tuple[Upgrade, ...] = (same,)
    kind = variant(upgrades=upgrades)
    faults = found(repository(kind, indexes=(index(Key("mood"), include=("count",)),)))
    assert "Add 'schema_version' to `include` of an-index" in faults["storage.E009"]
    for include in (None, ("count", "schema_version")):
        assert found(repository(kind, indexes=(index(Key("mood"), include=include),))) == {}


def test_an_expiry_that_dynamodb_would_not_understand_is_told() -> None:
    assert found(repository(ttl="expires_at")) == {}
    assert "it has no gone_at, by which items of Notes expire" in found(repository(ttl="gone_at"))["storage.E010"]
    for name in ("at", "since", "count"):
        faults = found(repository(ttl=name))
        assert f"Declare {name} as Expiry" in faults["storage.E011"]


@pytest.mark.parametrize(
    ("key", "letter"),
    [
        (Key("count"), "stored as N; an-index declares S"),
        (number("mood"), "stored as S"),
        (number("at"), "stored as S"),
        (Key("since"), "stored as N"),
        (number("is_old"), "cannot be a key"),
        (Key("text"), "stored as B"),
        (Key("tags"), "cannot be a key"),
    ],
    ids=lambda key: getattr(key, "name", ""),
)
def test_a_key_of_another_type_is_told(key: Key, letter: str) -> None:
    assert letter in found(repository(indexes=(index(key),)))["storage.E013"]


def test_a_derived_key_is_text() -> None:
    faults = found(repository(variant(derived={"x": "A#{mood}"}), partition_key=number("x")))
    assert "x is stored as S; Notes declares N" in faults["storage.E013"]


def test_a_table_key_that_may_be_missing_is_told() -> None:
    faults = found(repository(sort_key=Key("at")))
    assert "at may be None, and Notes needs it for its key at" in faults["storage.E014"]
    faults = found(repository(variant(derived={"x": "A#{price}"}), partition_key=Key("x")))
    assert "price may be None" in faults["storage.E014"]


class Job(Entity):
    derived: ClassVar[Mapping[str, str]] = {"PK": "{shop}", "SK": "JOB#{job}"}
    shop: str
    job: str


class Profile(Entity):
    derived: ClassVar[Mapping[str, str]] = {"PK": "{shop}", "SK": "PROFILE"}
    shop: str


class Anything(Entity):
    derived: ClassVar[Mapping[str, str]] = {"PK": "{shop}", "SK": "{what}#{number:06}"}
    shop: str
    what: str
    number: int


def test_two_kinds_that_could_be_taken_for_each_other_are_told() -> None:
    shared: Any = {"partition_key": Key("PK"), "sort_key": Key("SK")}
    job, profile, anything = (repository(kind, **shared) for kind in (Job, Profile, Anything))
    assert found(job, profile) == found(profile, anything) == {}
    assert found(job, job) == {}
    faults = found(job, anything)
    assert "Job: its keys in Notes could be those of Anything too" in faults["storage.E012"]
    assert "storage.E012" in found(repository(), repository(variant()))


def test_an_index_through_which_expired_items_would_be_read_is_told() -> None:
    faults = found(repository(ttl="expires_at", indexes=(index(Key("mood"), include=("count",)),)))
    assert "Add 'expires_at' to `include` of an-index" in faults["storage.E015"]
    assert "storage.E015" in found(repository(ttl="expires_at", indexes=(index(Key("mood"), include=()),)))
    for include in (None, ("count", "expires_at")):
        assert found(repository(ttl="expires_at", indexes=(index(Key("mood"), include=include),))) == {}
    sorted_by_it = Index(name="an-index", partition_key=Key("mood"), sort_key=number("expires_at"), include=())
    assert found(repository(ttl="expires_at", indexes=(sorted_by_it,))) == {}


def test_a_key_of_bytes_is_told() -> None:
    kind = type("Blob", (Entity,), {"__module__": __name__, "__annotations__": {"digest": bytes}})
    faults = found(repository(kind, partition_key=Key("digest", AttributeType.BINARY)))
    assert "as text, for example in hexadecimal" in faults["storage.E016"]
