"""What is deleted can be restored for as long as its kind is kept, and is in no list until then."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from pydantic import Field

from apps.storage.conditions import Query, Update
from apps.storage.connection import Store
from apps.storage.engine import EngineKind
from apps.storage.entity import Entity, Stamped, Unique
from apps.storage.errors import AlreadyExists, Duplicate, ItemNotFound, StaleVersion
from apps.storage.metering import metering
from apps.storage.repository import Repository
from apps.storage.table import Index, Key, Table
from apps.storage.tables import TRASH, UNIQUES
from apps.storage.trash import Trash
from tests.conftest import create_tables, new_store
from tests.storage.things import some_id

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
WEEK = timedelta(days=7)


class Note(Stamped):
    """A note with a title of its own; deleted ones are kept for a week."""

    unique: ClassVar[tuple[Unique, ...]] = (Unique("title"),)
    kept_deleted: ClassVar[timedelta | None] = WEEK

    note_id: str
    title: str | None = None
    owner: str = "ada"
    raw: bytes = b"\x00\xff"
    tags: frozenset[str] = frozenset()
    deep: Mapping[str, Any] = Field(default_factory=dict)


NOTES = Table(
    name="Notes",
    partition_key=Key("note_id"),
    indexes=(Index(name="owner-index", partition_key=Key("owner")),),
)


class Notes(Repository[Note]):
    entity = Note
    table = NOTES
    noun = "note"


@pytest.fixture(scope="module", params=EngineKind)
def engine(request: pytest.FixtureRequest, engine_endpoint: Callable[[EngineKind], str]) -> Store:
    store = new_store(engine_endpoint(request.param))
    create_tables(store, NOTES, TRASH, UNIQUES)
    return store


@pytest.fixture
def notes(engine: Store) -> Notes:
    return Notes(engine, clock=lambda: NOW, actor_id="ada")


def note(**fields: Any) -> Note:
    return Note(**{"note_id": some_id(), "title": some_id(), **fields})


def test_a_deleted_item_is_gone_from_its_table_and_its_indexes(notes: Notes) -> None:
    owner = some_id()
    kept, gone = notes.add(note(owner=owner)), notes.add(note(owner=owner))
    notes.delete(gone)
    assert notes.find(gone.note_id, consistent=True) is None
    assert [one.note_id for one in notes.stream(Query(partition=owner, index="owner-index"))] == [kept.note_id]


@pytest.mark.parametrize("by_key", [True, False])
def test_restoring_brings_everything_back_as_it_was(notes: Notes, *, by_key: bool) -> None:
    deep = {"list": [1, None, True], "map": {"x": "y"}}
    made = notes.add(note(tags=frozenset({"a", "b"}), raw=b"\x01\xfe", deep=deep))
    notes.store.client.update_item(
        TableName=notes.store.physical(NOTES),
        Key={"note_id": {"S": made.note_id}},
        UpdateExpression="SET legacy = :l",
        ExpressionAttributeValues={":l": {"L": [{"NULL": True}, {"BS": [b"\x00"]}, {"N": "2.5"}]}},
    )
    notes.delete(made.note_id if by_key else made)
    back = notes.restore(made.note_id)
    assert back == notes.get(made.note_id, consistent=True)
    assert back == made.model_copy(update={"version": made.version + 1})
    stored = notes.store.client.get_item(TableName=notes.store.physical(NOTES), Key={"note_id": {"S": made.note_id}})
    assert stored["Item"]["legacy"] == {"L": [{"NULL": True}, {"BS": [b"\x00"]}, {"N": "2.5"}]}
    with pytest.raises(ItemNotFound, match="no deleted note to restore"):
        notes.restore(made.note_id)


def test_who_read_it_before_it_was_deleted_does_not_save_over_the_restored_one(notes: Notes) -> None:
    made = notes.add(note())
    notes.delete(made)
    notes.restore(made.note_id)
    with pytest.raises(StaleVersion):
        notes.save(made.evolve(owner="bob"))


def test_the_unique_value_is_free_meanwhile_and_taken_again_by_restoring(notes: Notes) -> None:
    first = notes.add(note())
    notes.delete(first)
    second = notes.add(note(title=first.title))
    with pytest.raises(Duplicate) as taken:
        notes.restore(first.note_id)
    assert taken.value.field == "title"
    notes.delete(second)
    back = notes.restore(first.note_id)
    assert notes.find_unique("title", first.title) == back


def test_a_restored_item_does_not_replace_what_has_its_key_by_now(notes: Notes) -> None:
    first = notes.add(note())
    notes.delete(first)
    newer = notes.add(note(note_id=first.note_id))
    with pytest.raises(AlreadyExists):
        notes.restore(first.note_id)
    assert notes.get(first.note_id) == newer


def test_it_is_kept_until_its_time_is_up(notes: Notes) -> None:
    made = notes.add(note())
    notes.delete(made)
    later = Notes(notes.store, clock=lambda: NOW + WEEK)
    with pytest.raises(ItemNotFound):
        later.restore(made.note_id)
    almost = Notes(notes.store, clock=lambda: NOW + WEEK - timedelta(seconds=1))
    assert almost.restore(made.note_id).title == made.title


def test_the_trash_lists_what_was_deleted_when_and_by_whom_the_latest_first(
    engine_endpoint: Callable[[EngineKind], str],
) -> None:
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, NOTES, TRASH, UNIQUES)
    times = iter(NOW + timedelta(minutes=minute) for minute in range(10))
    notes = Notes(store, clock=lambda: next(times), actor_id="ada")
    made = [notes.add(note()) for _ in range(3)]
    clock = {"now": NOW}
    notes = Notes(store, clock=lambda: clock["now"]).on_behalf_of("bob")
    for number, one in enumerate(made):
        clock["now"] = NOW + timedelta(hours=number)
        notes.delete(one)
    with metering() as cost:
        page = Trash(store, clock=lambda: NOW).of(NOTES, limit=2)
    assert [(one.item, one.deleted_by) for one in page.items] == [
        (f"Notes#{made[2].note_id}", "bob"),
        (f"Notes#{made[1].note_id}", "bob"),
    ]
    assert all(one.content == {} for one in page.items)
    assert cost.total_requests == 1
    assert page.next


def test_deleting_a_changed_item_shows_the_change_and_deletes_nothing(notes: Notes) -> None:
    read = notes.add(note())
    changed = notes.save(read.evolve(owner="bob"))
    with pytest.raises(StaleVersion) as stale:
        notes.delete(read)
    assert stale.value.stored == changed == notes.get(read.note_id)
    with pytest.raises(ItemNotFound):
        notes.restore(read.note_id)


def test_of_two_who_delete_the_same_only_one_does(notes: Notes) -> None:
    read = notes.add(note())
    notes.delete(read)
    with pytest.raises(ItemNotFound, match="does not exist any more"):
        notes.delete(read)
    notes.delete(read.note_id)  # by key it is fine
    assert notes.restore(read.note_id).title == read.title


# --- stamps


def test_times_and_maker_are_filled_in(notes: Notes) -> None:
    made = notes.add(note())
    whole = NOW.replace(microsecond=123000)
    assert (made.created_at, made.updated_at, made.created_by) == (whole, whole, "ada")
    later = Notes(notes.store, clock=lambda: NOW + WEEK, actor_id="bob")
    saved = later.save(later.get(made.note_id).evolve(owner="bob"))
    assert (saved.created_at, saved.updated_at, saved.created_by) == (whole, whole + WEEK, "ada")
    assert later.get(made.note_id) == saved


def test_a_time_that_the_caller_gives_is_kept(notes: Notes) -> None:
    early = NOW.replace(microsecond=0) - WEEK
    made = notes.add(note(created_at=early, updated_at=early, created_by="eve"))
    assert (made.created_at, made.updated_at, made.created_by) == (early, early, "eve")
    later = early + timedelta(days=1)
    assert notes.save(made.evolve(owner="x", updated_at=later)).updated_at == later
    assert notes.get(made.note_id).updated_at == later


def test_a_partial_update_notes_its_time(notes: Notes) -> None:
    made = notes.add(note())
    later = Notes(notes.store, clock=lambda: NOW + WEEK)
    assert later.update(made.note_id, Update(set={"owner": "bob"})).updated_at == NOW.replace(microsecond=123000) + WEEK
    early = NOW.replace(microsecond=0)
    assert later.update(made.note_id, Update(set={"updated_at": early})).updated_at == early


def test_a_kind_without_stamps_gets_none() -> None:
    class Plain(Entity):
        key: str

    assert Plain(key="x").remembered == ()
