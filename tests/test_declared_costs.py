"""The fixture and the marker that hold a test to a declared cost."""

from collections.abc import Callable

import pytest

from apps.storage.conditions import Query
from apps.storage.connection import Store, off_loop
from apps.storage.engine import EngineKind
from apps.storage.errors import AlreadyExists
from tests.conftest import create_tables, new_store
from tests.costs import Costs
from tests.storage.things import NOON, THINGS, Thing, Things, row, some_id

TOO_MUCH = pytest.mark.xfail(raises=pytest.fail.Exception, strict=True)


@pytest.fixture(scope="module")
def engine(engine_endpoint: Callable[[EngineKind], str]) -> Store:
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, THINGS)
    return store


@pytest.fixture
def things(engine: Store) -> Things:
    repository = Things(engine)
    repository.put_many(row("shelf", 3, owner="ada"))
    return repository


def test_what_stays_within_its_declaration_passes_and_can_be_looked_at(things: Things, costs: Costs) -> None:
    with costs(requests=2, rcu=1, wcu=0, gets=1, queries=1, writes=0) as cost:
        things.find(("shelf", NOON))
        things.page(Query(partition="ada", index="owner-index"))
    assert str(cost) == "2 requests, 1 RCU, 0 WCU"


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        ({"requests": 2}, "requests: 3, declared at most 2"),
        ({"rcu": 0.5}, "RCU: 1, declared at most 0.5"),
        ({"wcu": 0}, "WCU: 1, declared at most 0"),
        ({"gets": 0}, "gets: 1, declared at most 0"),
        ({"queries": 0}, "queries: 1, declared at most 0"),
        ({"writes": 0}, "writes: 1, declared at most 0"),
    ],
)
def test_each_limit_is_held_and_the_failure_shows_what_was_asked(
    things: Things, costs: Costs, limits: dict[str, float], complaint: str
) -> None:
    def asking() -> None:
        things.find(("shelf", NOON))
        things.page(Query(partition="ada", index="owner-index"))
        things.add(Thing(thing_id=some_id()))

    with pytest.raises(pytest.fail.Exception) as failure, costs(**limits):
        asking()
    lines = str(failure.value).splitlines()
    assert complaint in lines[1]
    assert ["query", "Things", "owner-index", "1", "0.5", "0"] in [line.split() for line in lines]
    assert ["get_item", "Things", "1", "0.5", "0"] in [line.split() for line in lines]


def test_a_scan_fails_unless_it_was_said(things: Things, costs: Costs) -> None:
    with pytest.raises(pytest.fail.Exception, match="scans: 1, declared at most 0"), costs():
        things.leaf(limit=1)
    with costs(scans=1, requests=1):
        things.leaf(limit=1)


def test_refused_requests_count_and_an_error_of_the_block_goes_first(things: Things, costs: Costs) -> None:
    there = Thing(thing_id="shelf")
    with pytest.raises(AlreadyExists), costs(requests=0):
        things.add(there)
    with pytest.raises(pytest.fail.Exception, match="writes: 1"), costs(writes=0), pytest.raises(AlreadyExists):
        things.add(there)


@pytest.mark.costs(requests=1, rcu=0.5, wcu=0)
def test_the_marker_holds_a_whole_test_and_not_its_fixtures(things: Things) -> None:
    things.find(("shelf", NOON))


@TOO_MUCH
@pytest.mark.costs(requests=1)
def test_the_marker_fails_a_test_that_asks_for_more(things: Things) -> None:
    things.find(("shelf", NOON))
    things.find(("shelf", NOON))


@TOO_MUCH
@pytest.mark.costs
def test_the_marker_alone_forbids_scans(things: Things) -> None:
    things.leaf(limit=1)


@TOO_MUCH
@pytest.mark.costs(requests=1)
async def test_the_marker_sees_what_async_tests_ask_in_threads(things: Things) -> None:
    for _ in range(2):
        await off_loop(things.find, ("shelf", NOON))


@TOO_MUCH
@pytest.mark.costs(rcu=0.4)
async def test_the_marker_sees_the_units_of_async_tests(things: Things) -> None:
    await off_loop(things.find, ("shelf", NOON))
