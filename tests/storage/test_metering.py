"""What a block of code cost, in the engine's own figures."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from apps.storage.conditions import Query, Update, attribute
from apps.storage.connection import Store, off_loop
from apps.storage.engine import EngineKind
from apps.storage.errors import AlreadyExists, ConditionFailed
from apps.storage.metering import Cost, Exchange, Line, metering, observe_always, observers
from apps.storage.transaction import Transaction
from tests.conftest import create_tables, new_store
from tests.storage.things import BOOKS, NOON, THINGS, Book, Books, Thing, Things, row, some_id


@pytest.fixture(scope="module")
def engine(engine_endpoint: Callable[[EngineKind], str]) -> Store:
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, THINGS, BOOKS)
    return store


@pytest.fixture
def things(engine: Store) -> Things:
    return Things(engine)


class Listening(Store):
    """A store that keeps what the engine itself says of each request's cost."""

    def __init__(self, like: Store, **more: Any) -> None:
        super().__init__(
            environment=like.environment, prefix=like.prefix, endpoint=like.endpoint, region="eu-west-1", **more
        )
        self.heard: list[dict[str, Any]] = []

    def call(self, operation: str, *, table: str, **request: Any) -> dict[str, Any]:
        answer = super().call(operation, table=table, **request)
        consumed = answer.get("ConsumedCapacity", [])
        self.heard += consumed if isinstance(consumed, list) else [consumed]
        return answer


@pytest.mark.parametrize("data_plane", ["fast", "boto3"])
def test_units_by_table_and_index_are_the_engines_own(engine: Store, data_plane: str) -> None:
    listening = Listening(engine, data_plane=data_plane)
    things, partition = Things(listening), some_id()
    with metering() as cost:
        things.add(Thing(thing_id=partition, owner="ada", title="t", notes=("x" * 3000,)))
        things.put_many(row(some_id(), 3, owner="bob"))
        things.update((partition, NOON), Update(set={"queue": "open"}))
        things.find((partition, NOON), consistent=True)
        things.page(Query(partition="ada", index="owner-index"))
        list(things.stream(Query(partition=partition)))
        Transaction(listening, things.deleting((partition, NOON))).commit()
    physical = listening.physical(THINGS)
    indexes = [part.get("GlobalSecondaryIndexes", {}) for part in listening.heard]
    assert cost.units[physical, ""] == sum(part["Table"]["CapacityUnits"] for part in listening.heard)
    for index in ("owner-index", "queue-index"):
        told = sum(found[index]["CapacityUnits"] for found in indexes if index in found)
        assert cost.units[physical, index] == told > 0
    assert cost.read_units + cost.write_units == sum(part["CapacityUnits"] for part in listening.heard)
    assert cost.of(index="owner-index").read_units == cost.of(operation="query", index="owner-index").read_units == 0.5
    assert cost.of(table="Things") == Line(7, 0, cost.read_units, cost.write_units), (
        "declared names, whatever they stand for"
    )
    assert cost.requests == {
        ("put_item", "Things"): 1,
        ("batch_write_item", "Things"): 1,
        ("update_item", "Things"): 1,
        ("get_item", "Things"): 1,
        ("query", "Things"): 2,
        ("transact_write_items", "Things"): 1,
    }


def test_known_prices_are_met(things: Things) -> None:
    partition = some_id()
    with metering() as cost:
        things.add(Thing(thing_id=partition, notes=("x" * 2500,)))
    assert (cost.write_units, cost.read_units) == (3.0, 0.0)  # one for each begun KB, no index touched
    with metering() as cost:
        things.find((partition, NOON))
    assert (cost.write_units, cost.read_units) == (0.0, 0.5)  # half of one for each begun 4 KB
    with metering() as cost:
        things.find((partition, NOON), consistent=True)
    assert cost.read_units == 1.0


def test_what_was_refused_is_counted_apart(things: Things) -> None:
    there = things.add(Thing(thing_id=some_id()))
    with metering() as cost:
        with pytest.raises(AlreadyExists):
            things.add(there)
        with pytest.raises(ConditionFailed):
            Transaction(things.store, things.checking((there.thing_id, NOON), attribute("amount").equals(9))).commit()
    assert cost.total_requests == 0
    assert cost.failed == {("put_item", "Things"): 1, ("transact_write_items", "Things"): 1}


def test_a_meter_within_a_meter_counts_its_own_part_and_the_outer_one_all(things: Things) -> None:
    with metering() as outer:
        things.find((some_id(), NOON))
        with metering() as inner:
            things.find((some_id(), NOON))
        things.find((some_id(), NOON))
    things.find((some_id(), NOON))
    assert (outer.count("get_item"), inner.count("get_item")) == (3, 1)
    assert observers() == ()


def test_a_meter_stops_when_its_block_breaks(things: Things) -> None:
    with pytest.raises(KeyError), metering():
        raise KeyError
    assert observers() == ()


async def test_what_runs_off_the_loop_counts_where_it_was_asked_for(things: Things) -> None:
    partition = some_id()

    async def work(number: int) -> int:
        with metering() as mine:
            for _ in range(number):
                await off_loop(things.find, (partition, NOON))
        return mine.count("get_item")

    with metering() as cost:
        counts = await asyncio.gather(*(work(number) for number in range(1, 9)))
    assert counts == [1, 2, 3, 4, 5, 6, 7, 8]
    assert cost.count("get_item") == 36
    assert cost.read_units == 18.0


async def test_what_breaks_off_the_loop_breaks_where_it_is_awaited(things: Things) -> None:
    there = await off_loop(things.add, Thing(thing_id=some_id()))
    with pytest.raises(AlreadyExists):
        await off_loop(things.add, there)


def test_without_a_meter_the_store_is_not_asked_for_the_cost(engine: Store) -> None:
    listening = Listening(engine)
    Things(listening).find((some_id(), NOON))
    assert listening.heard == []


def test_a_transaction_over_several_tables_is_told_apart_by_their_declared_names(engine: Store) -> None:
    renamed = Store(
        environment="dev",
        prefix=engine.prefix,
        names={"Books": f"{engine.prefix}-library", "Things": engine.physical(THINGS)},
        endpoint=engine.endpoint,
        region="eu-west-1",
    )
    create_tables(renamed, BOOKS)
    for store in (engine, renamed):
        things, books = Things(store), Books(store)
        with metering() as cost:
            book = Book(shelf="a", genre="g", serial=some_id(), title="x" * 1500)
            Transaction(store, books.adding(book), things.adding(Thing(thing_id=some_id()))).commit()
        assert cost.of(table="Books").write_units == 4.0, "two for each begun KB"
        assert cost.of(table="Things").write_units == 2.0
        assert cost.of(operation="transact_write_items").requests == 1


def test_a_transaction_that_was_repeated_under_its_token_only_read() -> None:
    told = {
        "TableName": "x-dev-Things",
        "CapacityUnits": 2.0,
        "ReadCapacityUnits": 2.0,
        "Table": {"ReadCapacityUnits": 2.0},
    }
    answer = {"ConsumedCapacity": [told]}
    cost = Cost()
    cost.saw(Exchange(operation="transact_write_items", table="Things", request={}, answer=answer, seconds=0.25))
    assert (cost.read_units, cost.write_units, cost.seconds) == (2.0, 0.0, 0.25)


def test_costs_add_up_and_read_aloud(things: Things) -> None:
    there = Thing(thing_id=some_id(), owner="ada", title="t")
    with metering() as whole:
        with metering() as first:
            things.add(there)
            things.page(Query(partition=some_id(), index="owner-index"))
        with metering() as second:
            things.leaf(limit=1)
            with pytest.raises(AlreadyExists):
                things.add(there)
    assert first + second == whole
    assert sum([first, second], start=Cost()) == whole
    assert (str(Cost()), str(first)) == ("0 requests, 0 RCU, 0 WCU", "2 requests, 0.5 RCU, 2 WCU")
    assert str(second) == "1 request, 0.5 RCU, 0 WCU, 1 failed, 1 scan"
    assert (first.scans, second.scans, second.total_failed) == (0, 1, 1)
    assert whole.table().splitlines() == [
        "operation  table   index        requests  failed  RCU  WCU",
        "put_item   Things               1         1       0    1",
        "put_item   Things  owner-index  0                 0    1",
        "query      Things  owner-index  1                 0.5  0",
        "scan       Things               1                 0.5  0",
    ]


def test_who_watches_always_sees_every_thread_until_it_ends(
    things: Things, in_threads: Callable[[int, Callable[[int], None]], None]
) -> None:
    cost = Cost()
    end = observe_always(cost)
    try:
        observe_always(cost)  # twice is once
        in_threads(4, lambda _: things.find((some_id(), NOON)) and None)
        with metering() as mine:
            things.find((some_id(), NOON))
    finally:
        end()
    things.find((some_id(), NOON))
    assert (cost.count("get_item"), mine.count("get_item")) == (5, 1)
    assert cost.read_units == 2.5
    assert observers() == ()
