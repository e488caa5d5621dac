"""An item whose time is up is gone for writers too, although the store deletes it only later."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from apps.storage.conditions import Query, Update, attribute
from apps.storage.connection import Store
from apps.storage.engine import EngineKind
from apps.storage.errors import AlreadyExists, ItemNotFound
from apps.storage.metering import metering
from tests.conftest import create_tables, new_store
from tests.storage.things import NOON, THINGS, Thing, Things, raw, some_id

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module", params=EngineKind)
def engine(request: pytest.FixtureRequest, engine_endpoint: Callable[[EngineKind], str]) -> Store:
    store = new_store(engine_endpoint(request.param))
    create_tables(store, THINGS)
    return store


@pytest.fixture
def before(engine: Store) -> Things:
    return Things(engine, clock=lambda: NOON)


@pytest.fixture
def after(engine: Store) -> Things:
    return Things(engine, clock=lambda: NOON + HOUR)


@pytest.fixture
def expired(before: Things) -> Thing:
    return before.add(Thing(thing_id=some_id(), title="old", amount=7, expires_at=NOON + HOUR))


def key(thing: Thing) -> tuple[str, Any]:
    return thing.thing_id, thing.made_at


def test_its_key_is_free_from_that_second_on(before: Things, after: Things, expired: Thing) -> None:
    again = Thing(thing_id=expired.thing_id, title="new")
    with pytest.raises(AlreadyExists):
        before.add(again)
    assert after.add(again) == after.get(key(expired))
    assert "expiresAt" not in raw(after.store, expired)


def test_it_can_be_saved_no_more(before: Things, after: Things, expired: Thing) -> None:
    longer = expired.evolve(expires_at=NOON + 2 * HOUR)
    with pytest.raises(ItemNotFound, match="does not exist any more"):
        after.save(longer)
    assert before.save(longer).version == 2
    assert after.get(key(expired)).title == "old"


def test_a_part_of_it_can_be_changed_no_more(before: Things, after: Things, expired: Thing) -> None:
    with pytest.raises(ItemNotFound):
        after.update(key(expired), Update(add={"amount": 1}))
    assert before.update(key(expired), Update(add={"amount": 1})).amount == 8


def test_what_is_created_in_its_place_has_none_of_it(after: Things, expired: Thing) -> None:
    made = after.update(key(expired), Update(add={"amount": 1}), or_create=True)
    assert (made.amount, made.title, made.expires_at, made.version) == (1, None, None, 1)


def test_a_condition_that_speaks_of_the_expiry_is_taken_at_its_word(after: Things, expired: Thing) -> None:
    up = attribute("expires_at").at_most(after.clock())
    with metering() as cost:
        renewed = after.update(key(expired), Update(set={"expires_at": NOON + 2 * HOUR}), condition=up)
    assert (renewed.title, renewed.amount) == ("old", 7)
    assert cost.total_requests == 1


def test_its_key_is_not_listed_any_more(before: Things, after: Things, expired: Thing) -> None:
    lasting = before.add(Thing(thing_id=expired.thing_id, made_at=NOON + HOUR, title="new"))
    query = Query(partition=expired.thing_id)
    assert len(before.keys(query, limit=5)) == 2
    (left,) = after.keys(query, limit=5)
    assert after.get(left) == lasting


@pytest.mark.parametrize(
    "odd",
    [{"S": "soon"}, {"NULL": True}, {"BOOL": True}, {"N": "1E+100"}, {"N": "1900000000000"}],
    ids=str,
)
def test_an_expiry_that_is_no_time_never_comes_and_stops_no_page(after: Things, odd: dict[str, Any]) -> None:
    thing = after.add(Thing(thing_id=some_id()))
    after.store.client.put_item(
        TableName=after.store.physical(THINGS), Item={**raw(after.store, thing), "expiresAt": odd}
    )
    query = Query(partition=thing.thing_id)
    assert after.get(key(thing)) == thing
    assert list(after.page(query).items) == [thing]
    assert len(after.keys(query, limit=5)) == 1


def test_an_expiry_with_a_fraction_comes_in_its_time(before: Things, after: Things) -> None:
    thing = before.add(Thing(thing_id=some_id(), expires_at=NOON + HOUR))
    stored = {**raw(before.store, thing), "expiresAt": {"N": f"{(NOON + HOUR).timestamp() - 1:.0f}.5"}}
    before.store.client.put_item(TableName=before.store.physical(THINGS), Item=stored)
    assert before.get(key(thing)).title == thing.title
    assert after.find(key(thing)) is None


def test_it_is_listed_by_an_index_no_more(before: Things, after: Things, expired: Thing) -> None:
    owner = some_id()
    before.save(expired.evolve(owner=owner, title="old"))
    query = Query(partition=owner, index="owner-index")
    assert [thing.title for thing in before.page(query).items] == ["old"]
    assert list(after.page(query).items) == []
    assert list(after.stream(query)) == []
    assert after.keys(query, limit=5) == []
