"""Counts, exact and capped."""

from collections.abc import Callable

import orjson
import pytest

from apps.storage.conditions import Query, attribute
from apps.storage.engine import EngineKind
from apps.storage.metering import metering
from apps.storage.page import Count
from tests.conftest import create_tables, new_store
from tests.storage.things import THINGS, Things, row

MANY = 1200


@pytest.fixture(scope="module")
def things(engine_endpoint: Callable[[EngineKind], str]) -> Things:
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, THINGS)
    things = Things(store)
    things.put_many(row("few", 37))
    things.put_many(row("many", MANY))
    return things


def test_a_count_is_exact_unless_a_cap_is_given(things: Things) -> None:
    count = things.count(Query(partition="many"))
    assert count == count.number == MANY
    assert (str(count), f"{count}", count.is_capped) == ("1200", "1200", False)


def test_a_capped_count_stops_at_the_cap_and_says_so(things: Things) -> None:
    with metering() as cost:
        capped = things.count(Query(partition="many"), cap=1000)
    full = metered(things, Query(partition="many"))
    assert (capped, str(capped), capped.is_capped) == (1000, "1000+", True)
    assert cost.read_units < full


def metered(things: Things, query: Query) -> float:
    with metering() as cost:
        things.count(query)
    return cost.read_units


def test_a_count_below_its_cap_is_the_number(things: Things) -> None:
    for cap in (37, 38, 1000):
        count = things.count(Query(partition="few"), cap=cap)
        assert (count, str(count), count.is_capped) == (37, "37", False)
    assert str(things.count(Query(partition="few"), cap=36)) == "36+"
    assert str(things.count(Query(partition="nothing"), cap=5)) == "0"


def test_a_filtered_count_looks_no_further_than_its_budget(things: Things) -> None:
    rare = Query(partition="many", filter=attribute("amount").at_least(MANY - 5))
    assert things.count(rare) == 5
    with metering() as cost:
        found = things.count(rare, cap=10)
    assert str(found) == "0+"  # the five are beyond the thousand items that were looked at
    assert cost.read_units < metered(things, rare)
    common = Query(partition="many", filter=attribute("amount").below(30))
    assert str(things.count(common, cap=10)) == "10+"


def test_a_cap_below_one_counts_nothing(things: Things) -> None:
    with pytest.raises(ValueError, match="capped at 1 or more, not at 0"):
        things.count(Query(partition="few"), cap=0)


def test_a_count_is_a_number_wherever_one_is_wanted() -> None:
    count = Count(1000, is_capped=True)
    assert count + 1 == 1001
    assert orjson.dumps({"count": count}) == b'{"count":1000}'
    assert repr(count) == "Count(1000+)"
