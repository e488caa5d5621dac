"""Thirty-two threads on one store, which none of them has used before: not a single error."""

from collections.abc import Callable
from typing import Any, get_args

import pytest
from botocore.retries import standard

from apps.storage.conditions import Query, Update, attribute
from apps.storage.connection import DataPlaneName, Store
from apps.storage.engine import EngineKind
from apps.storage.errors import ConditionFailed, StaleVersion
from apps.storage.plane import backoff
from apps.storage.transaction import Transaction
from tests.conftest import create_tables, new_store
from tests.storage.fault_proxy import Fault, by_chance, fault_proxy
from tests.storage.things import NOON, THINGS, Thing, Things

THREADS = 32
ROUNDS = 2
SHARED = ("shared", NOON)
OTHER = ("other", NOON)

PLANES = pytest.mark.parametrize("data_plane", get_args(DataPlaneName))


@pytest.fixture
def direct(engine_endpoint: Callable[[EngineKind], str]) -> Store:
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, THINGS)
    for thing_id, _ in (SHARED, OTHER):
        Things(store).add(Thing(thing_id=thing_id))
    return store


def untouched(like: Store, data_plane: DataPlaneName, endpoint: str | None = None) -> Store:
    """A store whose client is still to be made."""
    return Store(
        environment=like.environment,
        prefix=like.prefix,
        endpoint=endpoint or like.endpoint,
        region="eu-west-1",
        data_plane=data_plane,
    )


def own_business(things: Things, number: int, turn: int) -> None:
    """Everything that a repository can do, on things that nobody else touches."""
    mine = f"mine-{number}-{turn}"
    kept = things.add(Thing(thing_id=mine, title="new", owner=f"owner-{number}", tags=frozenset({"a", "b"})))
    assert things.get((mine, NOON), consistent=True) == kept
    saved = things.save(kept.evolve(title="saved", text="much text " * 20))
    assert things.update((mine, NOON), Update(set={"text": "set"}, add={"amount": turn})).version == saved.version + 1
    assert things.find((mine, NOON), consistent=True) is not None
    assert [thing.text for thing in things.page(Query(partition=mine)).items] == ["set"]
    many = [Thing(thing_id=f"{mine}-{position}", amount=position) for position in range(26)]
    keys = [(thing.thing_id, NOON) for thing in many]
    things.put_many(many)
    assert [thing.amount for thing in things.get_many(keys, consistent=True)] == list(range(26))
    things.delete_many(keys)
    assert things.get_many(keys, consistent=True) == []
    things.delete((mine, NOON), condition=attribute("title").equals("saved"))
    assert things.find((mine, NOON), consistent=True) is None


def shared_business(things: Things) -> None:
    """Counting on what all others count on: alone, and in a transaction that moves one from here to there."""
    things.update(SHARED, Update(add={"amount": 1}))
    Transaction(
        things.store,
        things.updating(SHARED, Update(add={"amount": 1})),
        things.updating(OTHER, Update(add={"amount": -1})),
    ).commit()
    assert things.count(Query(partition="shared")) == 1


def save_until_it_holds(things: Things) -> None:
    """What a caller does who reads, changes and saves."""
    while True:
        read = things.get(SHARED, consistent=True)
        try:
            things.save(read.evolve(notes=(*read.notes, "was here")))
        except StaleVersion:
            continue
        return


@PLANES
def test_thirty_two_threads_use_a_new_store_without_an_error(
    direct: Store, in_threads: Any, data_plane: DataPlaneName
) -> None:
    store = untouched(direct, data_plane)

    def work(number: int) -> None:
        things = Things(store)
        for turn in range(ROUNDS):
            shared_business(things)
            own_business(things, number, turn)

    in_threads(THREADS, work)
    there, here = Things(direct).get(OTHER, consistent=True), Things(direct).get(SHARED, consistent=True)
    assert (here.amount, there.amount) == (2 * THREADS * ROUNDS, -THREADS * ROUNDS)
    assert (here.version, there.version) == (1 + 2 * THREADS * ROUNDS, 1 + THREADS * ROUNDS)
    left = direct.client.scan(TableName=direct.physical(THINGS), ConsistentRead=True)
    assert left["Count"] == 2


@PLANES
def test_savers_of_one_item_lose_nothing(direct: Store, in_threads: Any, data_plane: DataPlaneName) -> None:
    store = untouched(direct, data_plane)
    in_threads(8, lambda _: save_until_it_holds(Things(store)))
    assert len(Things(direct).get(SHARED, consistent=True).notes) == 8


@PLANES
def test_exactly_one_of_all_takes_what_is_free(direct: Store, in_threads: Any, data_plane: DataPlaneName) -> None:
    store = untouched(direct, data_plane)
    took: list[int] = []
    told: list[str] = []

    def take(number: int) -> None:
        try:
            Things(store).update(
                SHARED, Update(set={"owner": f"worker-{number}"}), condition=attribute("owner").missing()
            )
        except ConditionFailed as error:
            told.append(error.stored.owner)
        else:
            took.append(number)

    in_threads(THREADS, take)
    assert [Things(direct).get(SHARED, consistent=True).owner] == [f"worker-{number}" for number in took]
    assert told == [f"worker-{took[0]}"] * (THREADS - 1)


@pytest.fixture
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standard.ExponentialBackoff, "delay_amount", lambda *_: 0.001)
    monkeypatch.setattr(backoff, "LONGEST_SECONDS", 0.002)


@PLANES
def test_contention_is_resolved_by_the_layer_itself(
    direct: Store, briefly: None, in_threads: Any, data_plane: DataPlaneName
) -> None:
    with fault_proxy(str(direct.endpoint)) as proxy:
        proxy.plan = by_chance({Fault.CONFLICT: 0.15, Fault.THROTTLED: 0.1, Fault.PARTIAL: 0.3}, seed=11)
        store = untouched(direct, data_plane, proxy.address)

        def work(number: int) -> None:
            things = Things(store)
            shared_business(things)
            own_business(things, number, turn=0)

        in_threads(THREADS, work)
        assert min(proxy.count(fault) for fault in (Fault.CONFLICT, Fault.THROTTLED, Fault.PARTIAL)) > 10
    assert Things(direct).get(SHARED, consistent=True).amount == 2 * THREADS
    assert Things(direct).get(OTHER, consistent=True).amount == -THREADS
