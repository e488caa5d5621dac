"""What a question asks of the store, told for people and for JSON."""

import json
from collections.abc import Callable

import pytest

from apps.storage.conditions import Query, Update, attribute, begins_with
from apps.storage.connection import Store, off_loop
from apps.storage.engine import EngineKind
from apps.storage.errors import AlreadyExists
from apps.storage.explain import explain, explaining
from apps.storage.metering import Exchange
from apps.storage.transaction import Transaction
from tests.conftest import create_tables, new_store
from tests.storage.things import BOOKS, NOON, THINGS, Book, Books, State, Thing, Things, row, some_id


@pytest.fixture(scope="module")
def engine(engine_endpoint: Callable[[EngineKind], str]) -> Store:
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, THINGS, BOOKS)
    return store


@pytest.fixture
def things(engine: Store) -> Things:
    return Things(engine)


@pytest.fixture
def shelf(things: Things) -> str:
    """A partition of twenty things, amounts 0 to 19, of one owner."""
    partition = some_id()
    things.put_many(row(partition, 20, owner=partition))
    return partition


def test_a_question_to_an_index_says_which_and_what_it_asks_for(things: Things, shelf: str) -> None:
    query = Query(partition=shelf, index="owner-index", sort=begins_with(f"{State.NEW}#t00"), descending=True)
    found = explain(lambda: things.page(query, limit=20))
    (step,) = found.steps
    assert (step.operation, step.table, step.index) == ("query", "Things", "owner-index")
    assert step.key == f"owner = '{shelf}' AND begins_with(stateKey, 'new#t00')"
    assert (step.limit, step.descending, step.consistent, step.projected) == (21, True, False, True)
    assert (step.examined, step.returned, step.read_units) == (10, 10, found.cost.read_units)
    assert found.indexes == ("owner-index",)
    assert not found.would_scan
    assert not found.reads_more_than_it_returns
    assert len(found.answer.items) == 10


def test_a_filter_shows_what_was_read_for_nothing_request_by_request(things: Things, shelf: str) -> None:
    rare = attribute("amount").at_least(15) & ~attribute("title").equals("t019")
    found = explain(lambda: things.page(Query(partition=shelf, filter=rare), limit=4, budget=12))
    first, *others = found.steps
    assert (first.examined, first.returned, first.continued) == (5, 0, False)
    assert others
    assert all(step.continued and step.returned == 0 for step in others)
    assert found.steps[0].filter == "(amount >= 15) AND (NOT (title = 't019'))"
    assert (found.examined, found.returned) == (12, 0)
    assert found.reads_more_than_it_returns
    assert not found.steps[0].projected


def test_a_count_reads_all_and_sends_none(things: Things, shelf: str) -> None:
    (step,) = explain(lambda: things.count(Query(partition=shelf))).steps
    assert (step.counts_only, step.examined, step.returned) == (True, 20, 20)


def test_gets_name_their_keys(things: Things, shelf: str) -> None:
    there, missing = (shelf, NOON), (some_id(), NOON)
    found = explain(lambda: (things.find(there, consistent=True), things.find(missing)))
    one, other = found.steps
    noon = int(NOON.timestamp() * 1000)
    assert (one.key, one.consistent, one.returned) == (f"thingId = '{shelf}' AND madeAt = {noon}", True, 1)
    assert (other.consistent, other.examined, other.returned) == (False, 0, 0)
    assert found.cost.read_units == 1.5
    assert not found.reads_more_than_it_returns

    keys = [(thing.thing_id, thing.made_at) for thing in row(shelf, 20)]
    (batch,) = explain(lambda: things.get_many([*keys, missing], consistent=True)).steps
    assert (batch.operation, batch.consistent, batch.examined, batch.returned) == ("batch_get_item", True, 20, 20)
    assert batch.key.startswith(f"thingId = '{shelf}' AND madeAt = {noon}; ")
    assert batch.key.endswith("; and 18 more")


def test_a_scan_is_called_one(things: Things, shelf: str) -> None:
    found = explain(lambda: things.leaf(limit=2))
    assert found.would_scan
    assert found.steps[0].is_scan
    assert "SCAN" in str(found)
    assert "1 scan" in str(found)


def test_a_stream_is_read_to_its_end(things: Things, shelf: str) -> None:
    found = explain(lambda: things.stream(Query(partition=shelf)))
    assert (len(found.answer), found.returned) == (20, 20)


def test_writes_say_condition_changes_and_units(things: Things) -> None:
    partition = some_id()
    added = explain(lambda: things.add(Thing(thing_id=partition, owner="ada", title="t"))).steps[-1]
    noon = int(NOON.timestamp() * 1000)
    assert (added.operation, added.key) == ("put_item", f"thingId = '{partition}' AND madeAt = {noon}")
    assert added.condition.startswith("attribute_not_exists(thingId)")
    assert {"owner", "title", "stateKey"} <= set(added.changes)
    assert (added.write_units, added.read_units, added.examined) == (2.0, 0.0, 0)

    owned = attribute("owner").equals("ada")
    changed = explain(
        lambda: things.update((partition, NOON), Update(set={"amount": 3}, remove=("queue",)), condition=owned)
    ).steps[-1]
    assert {"amount", "queue", "version"} <= set(changed.changes)
    assert "owner = 'ada'" in changed.condition

    (gone,) = explain(lambda: things.delete((partition, NOON))).steps
    assert (gone.operation, gone.write_units) == ("delete_item", 2.0)
    (batch,) = explain(lambda: things.put_many(row(partition, 3))).steps
    assert (batch.key, batch.write_units) == ("3 PutRequest", 3.0)


def test_a_transaction_tells_each_of_its_writes(engine: Store, things: Things) -> None:
    books, partition = Books(engine), some_id()
    writes = (books.adding(Book(shelf="a", genre="g", serial=partition)), things.adding(Thing(thing_id=partition)))
    (step,) = explain(lambda: Transaction(engine, *writes).commit()).steps
    assert step.table == "Books+Things"
    assert f"Put Books PK = 'SHELF#a' AND SK = 'g#{partition}'; Put Things thingId = '{partition}'" in step.key
    assert step.condition.startswith("Books: attribute_not_exists(PK); Things: attribute_not_exists(thingId)")
    assert step.write_units == 4.0


def test_what_was_refused_is_explained_too(things: Things) -> None:
    there = things.add(Thing(thing_id=some_id()))
    with pytest.raises(AlreadyExists), explaining() as found:
        things.add(there)
    assert [step.answered for step in found.steps] == [False]
    assert "failed" in str(found)


def test_secrets_and_other_bytes_are_never_shown(things: Things) -> None:
    request = {
        "TableName": "x-dev-Things",
        "Key": {"thingId": {"B": b"hunter2"}},
        "ConditionExpression": "#0 = :0 AND #1 IN (:1, :2) AND #2 = :3",
        "ExpressionAttributeNames": {"#0": "sealed", "#1": "pair", "#2": "note"},
        "ExpressionAttributeValues": {
            ":0": {"B": "aHVudGVyMg=="},
            ":1": {"BS": [b"hunter2", b"x"]},
            ":2": {"M": {"inner": {"L": [{"B": b"hunter2"}, {"NULL": True}, {"BOOL": True}]}}},
            ":3": {"S": ":0 #0 " + "long " * 20},
        },
    }
    with explaining() as found:
        found.saw(Exchange(operation="update_item", table="Things", request=request, answer={}, seconds=0.1))
    (step,) = found.steps
    assert step.key == "thingId = <7 bytes>"
    assert step.condition.startswith(
        "sealed = <7 bytes> AND pair IN ({<7 bytes>, <1 byte>}, {inner: [<7 bytes>, null, true]}) AND note = ':0 #0 "
    )
    assert len(step.condition) < 160
    assert "hunter2" not in f"{found}{found.as_dict()}"
    assert "aHVu" not in f"{found}{found.as_dict()}"


def test_an_explanation_is_a_small_table_and_json(things: Things, shelf: str) -> None:
    query = Query(partition=shelf, index="owner-index")
    found = explain(lambda: (things.find((shelf, NOON), consistent=True), things.page(query, limit=3)))
    heading, *lines = str(found).splitlines()
    noon = int(NOON.timestamp() * 1000)
    assert heading.split() == ["operation", "table", "index", "limit", "read", "returned", "RCU", "WCU", "notes"]
    assert [line.split() for line in lines[:2]] == [
        ["1", "get_item", "Things", "1", "1", "1", "0", "consistent"],
        ["2", "query", "Things", "owner-index", "4", "4", "4", "0.5", "0", "projected"],
    ]
    assert lines[2:] == [
        f"1  key thingId = '{shelf}' AND madeAt = {noon}",
        f"2  key owner = '{shelf}'",
        "2 requests, 1.5 RCU, 0 WCU: read 5 items, returned 5",
    ]
    told = json.loads(json.dumps(found.as_dict()))
    assert (told["requests"], told["read_units"], told["indexes"]) == (2, 1.5, ["owner-index"])
    assert [step["operation"] for step in told["steps"]] == ["get_item", "query"]
    assert (told["would_scan"], told["reads_more_than_it_returns"]) == (False, False)


def test_no_request_is_said_plainly() -> None:
    assert str(explain(lambda: 7)) == "No request."


async def test_what_is_awaited_is_explained_in_a_block(things: Things, shelf: str) -> None:
    with explaining() as found:
        await off_loop(things.find, (shelf, NOON))
    assert [step.operation for step in found.steps] == ["get_item"]
    with pytest.raises(TypeError, match="explaining"):
        explain(lambda: off_loop(things.find, (shelf, NOON)))
