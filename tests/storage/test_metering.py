"""What a block of code cost, in the engine's own figures."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from apps.storage.conditions import Query, Update, attribute
from apps.storage.connection import Store, off_loop
from apps.storage.engine import EngineKind
from apps.storage.errors import AlreadyExists, ConditionFailed
from apps.storage.metering import metering, observers
from apps.storage.transaction import Transaction
from tests.conftest import create_tables, new_store
from tests.storage.things import NOON, THINGS, Thing, Things, row, some_id


@pytest.fixture(scope="module")
def engine(engine_endpoint: Callable[[EngineKind], str]) -> Store:
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, THINGS)
    return store


@pytest.fixture
def things(engine: Store) -> Things:
    return Things(engine)


class Listening(Store):
    """A store that keeps what the engine itself says of each request's cost."""

    def __init__(self, like: Store) -> None:
        super().__init__(environment=like.environment, prefix=like.prefix, endpoint=like.endpoint, region="eu-west-1")
        self.heard: list[dict[str, Any]] = []
        self.client.meta.events.register("after-call.dynamodb", self.listen)

    def listen(self, parsed: dict[str, Any], **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", [])
        self.heard += consumed if isinstance(consumed, list) else [consumed]


def test_units_by_table_and_index_are_the_engines_own(engine: Store) -> None:
    listening = Listening(engine)
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
