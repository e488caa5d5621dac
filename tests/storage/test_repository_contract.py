"""What a repository promises, on every engine that Rungs may meet."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.errors import Invalid
from apps.storage.conditions import Condition, Query, Update, at_most, attribute, begins_with, between
from apps.storage.connection import Store
from apps.storage.engine import EngineKind
from apps.storage.errors import (
    AlreadyExists,
    BadCursor,
    ConditionFailed,
    ItemNotFound,
    ItemTooLarge,
    StaleVersion,
    Throttled,
)
from apps.storage.items.size import item_bytes
from apps.storage.metering import metering
from apps.storage.plane import backoff
from tests.conftest import EVERY_WAY, create_tables, new_store
from tests.storage.things import BOOKS, NOON, THINGS, Book, Books, Fickle, Part, State, Thing, Things, raw, row, some_id


@pytest.fixture(scope="module", params=EVERY_WAY)
def engine(request: pytest.FixtureRequest, engine_endpoint: Callable[[EngineKind], str]) -> Store:
    kind, data_plane = request.param
    store = new_store(engine_endpoint(kind), data_plane=data_plane)
    create_tables(store, THINGS, BOOKS)
    return store


@pytest.fixture
def things(engine: Store) -> Things:
    return Things(engine)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries are left out."""
    monkeypatch.setattr(backoff, "LONGEST_SECONDS", 0.0)


def full(**fields: Any) -> Thing:
    return Thing(
        **{
            "thing_id": some_id(),
            "owner": "ada",
            "title": "anvil",
            "price": Decimal("1.10"),
            "amount": 7,
            "tags": frozenset({"iron", "heavy"}),
            "notes": ("one", "two"),
            "part": Part(name="horn", weight=Decimal("0.5")),
            "seen_at": NOON + timedelta(milliseconds=7),
            "extra": {"n": 1, "deep": [{"x": Decimal("1.5")}, None, True]},
            "text": "long " * 100,
        }
        | fields
    )


def key(thing: Thing) -> tuple[str, Any]:
    return thing.thing_id, thing.made_at


# --- reading and adding


def test_what_was_added_is_read_back_equal(things: Things) -> None:
    added = things.add(full())
    assert added.version == 1
    assert things.get(key(added)) == things.find(key(added), consistent=True) == added


def test_get_raises_and_find_gives_none_for_what_is_not_there(things: Things) -> None:
    with pytest.raises(ItemNotFound, match="There is no such thing"):
        things.get((some_id(), NOON))
    assert things.find((some_id(), NOON)) is None


@pytest.mark.parametrize("impossible", ["", "x" * 2049])
def test_a_key_that_cannot_exist_is_not_found_and_not_asked_for(things: Things, impossible: str) -> None:
    here = things.add(full())
    with metering() as cost:
        assert things.find((impossible, NOON)) is None
    assert cost.total_requests == 0
    assert things.get_many([(impossible, NOON), key(here)]) == [here]


def test_a_key_with_too_few_parts_is_a_mistake_in_the_code(things: Things) -> None:
    with pytest.raises(TypeError, match="2 parts, not 1"):
        things.get("alone")


def test_add_refuses_what_is_there_and_leaves_it(things: Things) -> None:
    first = things.add(full())
    with pytest.raises(AlreadyExists, match="This thing exists already"):
        things.add(first.evolve(title="usurper"))
    assert things.get(key(first)) == first


def test_an_error_that_is_no_failed_condition_is_not_taken_for_one(things: Things) -> None:
    with pytest.raises(Invalid, match=r"[Ee]mpty"):
        things.add(full(thing_id=""))


# --- saving


def test_save_stores_the_next_version(things: Things) -> None:
    saved = things.save(things.add(full()).evolve(title="hammer", state=State.WORN))
    assert (saved.version, saved.title) == (2, "hammer")
    assert things.get(key(saved)) == saved
    assert raw(things.store, saved)["stateKey"] == {"S": "worn#hammer"}


def test_the_second_of_two_savers_loses_and_is_shown_what_the_first_saved(things: Things) -> None:
    read = things.add(full())
    winner = things.save(read.evolve(title="first"))
    with pytest.raises(StaleVersion, match="Somebody changed this thing") as lost:
        things.save(read.evolve(title="second"))
    assert lost.value.stored == winner == things.get(key(read))


def test_saving_what_was_deleted_does_not_bring_it_back(things: Things) -> None:
    read = things.add(full())
    things.delete(key(read))
    with pytest.raises(ItemNotFound, match="does not exist any more"):
        things.save(read.evolve(title="ghost"))
    with pytest.raises(ItemNotFound):
        things.save(full())
    assert things.find(key(read)) is None


def test_save_keeps_attributes_it_does_not_know_and_removes_those_that_became_none(things: Things) -> None:
    read = things.add(full(queue="open"))
    things.store.client.update_item(
        TableName=things.store.physical(THINGS),
        Key=things.key(key(read)),
        UpdateExpression="SET legacy = :l",
        ExpressionAttributeValues={":l": {"S": "kept"}},
    )
    things.save(read.evolve(price=None, queue=None, tags=frozenset(), title=None))
    stored = raw(things.store, read)
    assert stored["legacy"] == {"S": "kept"}
    assert not {"price", "queue", "tags", "title", "stateKey"} & stored.keys()


def test_save_may_demand_more_than_the_version(things: Things) -> None:
    read = things.add(full())
    with pytest.raises(ConditionFailed) as refused:
        things.save(read.evolve(title="x"), condition=attribute("state").equals(State.WORN))
    assert not isinstance(refused.value, StaleVersion)
    assert refused.value.stored == read
    assert things.save(read.evolve(title="x"), condition=attribute("state").equals(State.NEW)).version == 2


def test_an_item_of_a_program_that_counts_no_versions_can_be_saved_once_by_each_reader(things: Things) -> None:
    adopted = full()
    item = {name: value for name, value in things.codec.encode(adopted).items() if name != "version"}
    things.store.client.put_item(TableName=things.store.physical(THINGS), Item=item)
    read = things.get(key(adopted))
    assert read.version == 0
    assert things.save(read.evolve(title="ours")).version == 1
    with pytest.raises(StaleVersion):
        things.save(read.evolve(title="late"))


# --- updating


def test_update_sets_adds_defaults_appends_and_removes(things: Things) -> None:
    before = things.add(full(seen_at=None))
    after = things.update(
        key(before),
        Update(
            set={"price": Decimal(2), "part": Part(name="face"), "text": "short", "owner": None},
            add={"amount": 5},
            default={"seen_at": NOON, "extra": {"never": "used"}},
            append={"notes": ("three",)},
            remove=("tags",),
        ),
    )
    assert after == before.evolve(
        price=Decimal(2),
        part=Part(name="face"),
        text="short",
        owner=None,
        amount=12,
        seen_at=NOON,
        notes=("one", "two", "three"),
        tags=frozenset(),
        version=2,
    )
    assert things.get(key(before)) == after


def test_update_appends_to_and_counts_up_what_is_not_there_yet(things: Things) -> None:
    new = things.update((some_id(), NOON), Update(add={"amount": 3}, append={"notes": ("first",)}), or_create=True)
    assert (new.amount, new.notes, new.version) == (3, ("first",), 1)


def test_update_refuses_what_is_not_there(things: Things) -> None:
    with pytest.raises(ItemNotFound):
        things.update((some_id(), NOON), Update(set={"amount": 1}))


TRUE: list[Condition] = [
    attribute("amount").equals(7),
    attribute("amount").differs(8),
    attribute("queue").differs("open"),
    attribute("amount").below(8),
    attribute("amount").at_most(7),
    attribute("amount").above(6),
    attribute("amount").at_least(7),
    attribute("price").above(1),
    attribute("state").one_of(State.WORN, State.NEW),
    attribute("title").exists(),
    attribute("queue").missing(),
    attribute("title").begins_with("an"),
    attribute("seen_at").at_least(NOON),
    attribute("tags").equals(frozenset({"heavy", "iron"})),
    attribute("stateKey").equals("new#anvil"),
    attribute("amount").equals(7) & (attribute("queue").exists() | attribute("title").equals("anvil")),
]


@pytest.mark.parametrize("condition", TRUE, ids=lambda condition: type(condition).__name__)
def test_a_condition_lets_pass_what_it_holds_of_and_stops_what_it_does_not(
    things: Things, condition: Condition
) -> None:
    thing = things.add(full())
    assert things.update(key(thing), Update(set={"notes": ("passed",)}), condition=condition).notes == ("passed",)
    with pytest.raises(ConditionFailed) as stopped:
        things.update(key(thing), Update(set={"notes": ("slipped",)}), condition=~condition)
    assert stopped.value.stored.notes == ("passed",)


@pytest.mark.parametrize("number", [0, 101])
def test_one_of_needs_something_to_choose_from_and_not_too_much(number: int) -> None:
    with pytest.raises(ValueError, match="1 to 100"):
        attribute("amount").one_of(*range(number))


def test_derived_keys_follow_an_update_that_gives_all_their_parts(things: Things) -> None:
    thing = things.add(full())
    things.update(key(thing), Update(set={"state": State.WORN, "title": "saw"}))
    assert raw(things.store, thing)["stateKey"] == {"S": "worn#saw"}
    things.update(key(thing), Update(set={"state": State.WORN}, remove=("title",)))
    assert "stateKey" not in raw(things.store, thing)


@pytest.mark.parametrize(
    "update",
    [
        Update(set={"state": State.WORN}),
        Update(remove=("title",)),
        Update(default={"title": "x", "state": State.NEW}),
        Update(append={"title": ("x",)}),
        Update(add={"title": 1}),
    ],
    ids=["set", "remove", "default", "append", "add"],
)
def test_an_update_that_would_leave_a_derived_key_wrong_is_a_mistake_in_the_code(
    things: Things, update: Update
) -> None:
    thing = things.add(full())
    with pytest.raises(TypeError, match="this update changes stateKey, so it must also give"):
        things.update(key(thing), update)
    assert things.get(key(thing)) == thing


def test_an_entity_whose_key_is_derived_is_stored_found_and_updated(engine: Store) -> None:
    books = Books(engine)
    shelf = some_id()
    book = books.add(Book(shelf=shelf, genre="crime", serial="007"))
    where = (f"SHELF#{shelf}", "crime#007")
    assert books.get(where) == book
    assert books.update(where, Update(set={"title": "No", "serial": "007"})).title == "No"
    with pytest.raises(TypeError, match="SK, which is part of the key"):
        books.update(where, Update(set={"serial": "008"}))
    assert books.save(books.get(where).evolve(title="Yes")).version == 3
    assert [found.title for found in books.stream(Query(partition=where[0], sort=begins_with("crime#")))] == ["Yes"]


# --- deleting


def test_deleting_what_is_gone_is_fine_but_not_under_a_condition(things: Things) -> None:
    thing = things.add(full())
    with pytest.raises(ConditionFailed):
        things.delete(key(thing), condition=attribute("state").equals(State.WORN))
    things.delete(key(thing), condition=attribute("state").equals(State.NEW))
    assert things.find(key(thing)) is None
    things.delete(key(thing))
    with pytest.raises(ItemNotFound):
        things.delete(key(thing), condition=attribute("state").equals(State.NEW))


# --- many at once


def test_many_are_read_a_hundred_keys_at_a_time_in_the_order_of_the_keys(things: Things) -> None:
    made = row(some_id(), 130)
    assert things.put_many(made) == 130
    wanted = [key(thing) for thing in reversed(made)]
    with metering() as cost:
        found = things.get_many([*wanted, wanted[0], (some_id(), NOON)], consistent=True)
    assert [thing.amount for thing in found] == list(reversed(range(130)))
    assert all(thing.version == 1 for thing in found)
    assert cost.count("batch_get_item") == 2


def test_keys_that_differ_by_less_than_a_stored_millisecond_are_one(things: Things) -> None:
    thing = things.add(full())
    near = (thing.thing_id, NOON + timedelta(microseconds=400))
    assert things.get_many([key(thing), near]) == [thing]


def test_many_are_written_and_deleted_25_at_a_time(things: Things) -> None:
    made = row(some_id(), 60)
    with metering() as cost:
        things.put_many(made)
    assert cost.count("batch_write_item") == 3
    assert things.delete_many([key(thing) for thing in made[:-1]]) == 59
    assert [thing.amount for thing in things.stream(Query(partition=made[0].thing_id))] == [59]


@pytest.mark.usefixtures("impatient")
def test_what_a_batch_left_undone_is_sent_again(engine: Store) -> None:
    fickle = Fickle(like=engine, rounds=3)
    made = row(some_id(), 30)
    Things(fickle).put_many(made)
    assert fickle.sizes == [25, 12, 6, 3, 5]
    fickle = Fickle(like=engine, rounds=2)
    assert len(Things(fickle).get_many([key(thing) for thing in made])) == 30
    assert fickle.sizes == [30, 15, 7]
    fickle = Fickle(like=engine, rounds=1)
    Things(fickle).delete_many([key(thing) for thing in made])
    assert Things(engine).count(Query(partition=made[0].thing_id)) == 0


@pytest.mark.usefixtures("impatient")
def test_a_batch_that_is_never_done_ends_as_throttled(engine: Store) -> None:
    class Refusing(Fickle):
        def call(self, operation: str, *, table: str, **request: Any) -> dict[str, Any]:
            assert table == "Things"
            kind = "UnprocessedKeys" if operation == "batch_get_item" else "UnprocessedItems"
            self.sizes.append(1)
            return {"Responses": {}, kind: request["RequestItems"]}

    refusing = Refusing(like=engine, rounds=0)
    with pytest.raises(Throttled, match="left part of a batch write on Things undone 9 times") as busy:
        Things(refusing).put_many(row(some_id(), 2))
    assert busy.value.retry_after_seconds
    with pytest.raises(Throttled, match="batch get"):
        Things(refusing).get_many([("x", NOON)])
    assert len(refusing.sizes) == 18


# --- asking


def test_a_stream_follows_the_answer_to_its_end(things: Things) -> None:
    partition = some_id()
    things.put_many(row(partition, 7, text="".join(chr(33 + n * n % 90) for n in range(4000)), notes=("x" * 200_000,)))
    with metering() as cost:
        forward = [thing.amount for thing in things.stream(Query(partition=partition), consistent=True)]
        assert things.count(Query(partition=partition)) == 7
    assert forward == list(range(7))
    assert cost.count("query") >= 4  # each answer ends at 1 MB
    backward = things.stream(Query(partition=partition, descending=True))
    assert [thing.amount for thing in backward] == list(reversed(range(7)))


def test_a_range_of_sort_keys_is_asked_for_in_the_fields_own_terms(things: Things) -> None:
    partition = some_id()
    things.put_many(row(partition, 10, owner=partition))
    early, late = NOON + timedelta(seconds=2), NOON + timedelta(seconds=4)
    ranged = Query(partition=partition, sort=between(early, late))
    assert [thing.amount for thing in things.stream(ranged)] == [2, 3, 4]
    assert things.count(Query(partition=partition, sort=at_most(early))) == 3
    titled = Query(partition=partition, index="owner-index", sort=begins_with("new#t00"))
    assert things.count(titled) == 10
    assert things.count(Query(partition=partition, filter=attribute("amount").above(5))) == 4


def test_only_what_has_an_index_key_is_in_a_sparse_index(things: Things) -> None:
    partition = some_id()
    things.put_many(row(partition, 4))
    things.update((partition, NOON), Update(set={"queue": partition}))
    opened = Query(partition=partition, index="queue-index")
    assert [thing.amount for thing in things.stream(opened)] == [0]
    things.update((partition, NOON), Update(remove=("queue",)))
    assert things.count(opened) == 0


def test_what_was_read_through_a_partial_index_cannot_be_saved(things: Things) -> None:
    thing = things.add(full(owner=some_id()))
    (partial,) = things.page(Query(partition=thing.owner, index="owner-index")).items
    assert partial.is_projected
    assert (partial.title, partial.price) == ("anvil", None)
    with pytest.raises(TypeError, match="get it first"):
        things.save(partial.evolve(title="broken"))
    assert things.get(key(thing)) == thing


def test_the_keys_that_an_index_tells_find_the_things(things: Things) -> None:
    partition = some_id()
    things.put_many(row(partition, 5, queue=partition))
    keys = things.keys(Query(partition=partition, index="queue-index", descending=True), limit=3)
    assert [thing.amount for thing in things.get_many(keys)] == [4, 3, 2]
    assert things.get(keys[0]).amount == 4


def test_leafing_reads_no_more_than_it_shows(things: Things) -> None:
    things.put_many(row(some_id(), 5))
    assert len(things.leaf(limit=3)) == 3


def test_a_whole_table_is_leafed_through_page_by_page(things: Things) -> None:
    partition = some_id()
    things.put_many(row(partition, 5))
    page = things.leafed(limit=2)
    found, sizes = list(page.items), [len(page.items)]
    while page.next:
        page = things.leafed(limit=2, cursor=page.next)
        found += page.items
        sizes.append(len(page.items))
        assert page.previous is None
    assert set(sizes[:-1]) == {2}
    assert sum(thing.thing_id == partition for thing in found) == 5
    with pytest.raises(BadCursor):
        things.page(Query(partition=partition), cursor=things.leafed(limit=2).next)


def test_what_has_expired_is_gone_when_it_is_read(things: Things) -> None:
    partition = some_id()
    things.put_many(row(partition, 3, owner=partition, expires_at=NOON + timedelta(minutes=1)))
    lasting = things.add(Thing(thing_id=partition, made_at=NOON - timedelta(days=1), owner=partition, title="t"))
    before = Things(things.store, clock=lambda: NOON + timedelta(seconds=59))
    after = Things(things.store, clock=lambda: NOON + timedelta(seconds=60))
    query = Query(partition=partition)
    through_index = Query(partition=partition, index="owner-index")
    assert len(list(before.stream(query))) == len(before.page(query).items) == 4
    assert list(after.stream(query)) == after.page(query).items == [lasting]
    assert [thing.title for thing in after.page(through_index).items] == ["t"]
    assert after.find((partition, NOON)) is None
    assert after.get_many([(partition, NOON), key(lasting)]) == [lasting]
    with pytest.raises(ItemNotFound):
        after.get((partition, NOON))


# --- size


def test_an_item_over_400_kb_is_refused_with_its_size_before_it_is_sent(things: Things) -> None:
    large = full(notes=("é" * 205_000,))
    small = things.add(full())
    with metering() as cost:
        for write in (things.add, things.save, lambda entity: things.put_many([entity])):
            with pytest.raises(ItemTooLarge, match="This thing would take 401 KB; the store keeps at most 400 KB"):
                write(large)
    assert cost.total_requests == sum(cost.failed.values()) == 0
    with pytest.raises(ItemTooLarge, match="400 KB"):
        things.update(key(small), Update(set={"notes": ("x" * 410_000,)}))


def test_an_item_just_below_400_kb_is_stored(things: Things) -> None:
    empty = Thing(thing_id=some_id(), notes=("",))
    room = 400 * 1024 - item_bytes(things.codec.encode(empty))
    stored = things.add(empty.evolve(notes=("x" * (room - 5000),)))
    assert things.get(key(stored)) == stored


def test_a_value_that_dynamodb_cannot_take_is_a_mistake_and_not_repeated_in_the_error(engine: Store) -> None:
    with pytest.raises(TypeError) as mistake:
        engine.call("put_item", table="Things", TableName=engine.physical(THINGS), Item={"thingId": {"S": ["hunter2"]}})
    assert "hunter2" not in str(mistake.value)
    assert mistake.value.__suppress_context__
