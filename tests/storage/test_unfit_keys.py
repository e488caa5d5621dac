"""Keys that no item can have: they are found nowhere, refused by field, and never sent."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from apps.errors import Invalid
from apps.storage.conditions import Query, SortKey, above, at_most, begins_with, between, equals
from apps.storage.connection import Store
from apps.storage.engine import EngineKind
from apps.storage.entity import Entity
from apps.storage.errors import ItemNotFound, UnreadableItem
from apps.storage.items.keys import UnfitKey
from apps.storage.metering import metering
from apps.storage.repository import Repository
from apps.storage.table import Index, Key, Table, number
from tests.conftest import create_tables, new_store

HALF = "\ud800"


class Buoy(Entity):
    derived: ClassVar[Mapping[str, str]] = {"bay": "all", "name_key": "{name_key}"}

    buoy_id: str
    name: str = "a"
    depth: int = 0

    @property
    def name_key(self) -> str:
        return self.name.casefold()


BUOYS = Table(
    name="Buoys",
    partition_key=Key("buoy_id"),
    indexes=(
        Index(name="bay-index", partition_key=Key("bay"), sort_key=Key("name_key")),
        Index(name="depth-index", partition_key=Key("bay"), sort_key=number("depth")),
    ),
)


class Buoys(Repository[Buoy]):
    entity = Buoy
    table = BUOYS
    noun = "buoy"


class Lock(Entity):
    number: int


class Locks(Repository[Lock]):
    entity = Lock
    table = Table(name="Locks", partition_key=number("number"))
    noun = "lock"


class Price(Entity):
    derived: ClassVar[Mapping[str, str]] = {"PK": "PRICE#{amount}"}

    amount: Decimal
    name: str = ""


class Prices(Repository[Price]):
    entity = Price
    table = Table(name="Prices", partition_key=Key("PK"))
    noun = "price"


@pytest.fixture(scope="module", params=EngineKind)
def store(request: pytest.FixtureRequest, engine_endpoint: Callable[[EngineKind], str]) -> Store:
    store = new_store(engine_endpoint(request.param))
    create_tables(store, BUOYS, Locks.table, Prices.table)
    Buoys(store).put_many([Buoy(buoy_id="one", name="North", depth=3), Buoy(buoy_id="two", name="south", depth=40)])
    Locks(store).add(Lock(number=5))
    return store


# --- writing


@pytest.mark.parametrize(
    ("buoy", "field", "why"),
    [
        (Buoy(buoy_id=""), "buoy_id", "must not be empty"),
        (Buoy(buoy_id="x" * 2049), "buoy_id", "at most 2048 bytes"),
        (Buoy(buoy_id="a", name=""), "name_key", "must not be empty"),
        (Buoy(buoy_id="a", name="x" * 1025), "name_key", "at most 1024 bytes"),
        (Buoy(buoy_id="a", name="é" * 513), "name_key", "at most 1024 bytes"),
        (Buoy(buoy_id=f"a{HALF}"), "buoy_id", "cannot be stored"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_key_that_cannot_be_stored_is_refused_by_field(store: Store, buoy: Buoy, field: str, why: str) -> None:
    kind = Buoys(store).kind
    with pytest.raises(UnfitKey, match=f"{field}.*{why}") as refused:
        kind.refuse_unfit(kind.codec.encode(buoy))
    assert isinstance(refused.value, Invalid)
    assert refused.value.field == field


def test_a_key_at_its_limit_is_fit_and_an_index_key_may_be_missing(store: Store) -> None:
    kind = Buoys(store).kind
    item = kind.codec.encode(Buoy(buoy_id="é" * 1024, name="é" * 512))
    kind.refuse_unfit(item)
    kind.refuse_unfit({name: value for name, value in item.items() if name != "name_key"})
    with pytest.raises(UnfitKey, match="buoy_id is needed"):
        kind.refuse_unfit({name: value for name, value in item.items() if name != "buoy_id"})
    Locks(store).kind.refuse_unfit({"number": {"N": "5"}})


# --- reading


@pytest.mark.parametrize("key", ["abc", "", "NaN", "Infinity", 10**130, Decimal("1E+126"), Decimal("NaN"), "1" * 39])
def test_no_item_has_a_key_that_is_no_number(store: Store, key: Any) -> None:
    locks = Locks(store)
    with metering() as cost:
        assert locks.find(key) is None
        assert locks.get_many([key]) == []
        with pytest.raises(ItemNotFound):
            locks.get(key)
    assert cost.total_requests == 0
    assert [lock.number for lock in locks.get_many([key, "5"])] == [5]


@pytest.mark.parametrize("key", [HALF, HALF * 300, f"one{HALF}", "", "x" * 3000])
def test_no_item_has_a_key_that_cannot_be_sent(store: Store, key: str) -> None:
    buoys = Buoys(store)
    with metering() as cost:
        assert buoys.find(key) is None
        assert buoys.get_many([key]) == []
        assert buoys.page(Query(partition=key, index="bay-index")).items == []
    assert cost.total_requests == 0


@pytest.mark.parametrize("sort", [between("", ""), equals(HALF), begins_with(HALF), equals("x" * 1025), at_most("")])
def test_a_range_that_no_key_can_meet_is_not_asked(store: Store, sort: SortKey) -> None:
    with metering() as cost:
        assert Buoys(store).page(Query(partition="all", index="bay-index", sort=sort)).items == []
    assert cost.total_requests == 0


@pytest.mark.parametrize("sort", [at_most("x" * 1025), above(HALF), between("a", "x" * 1025)])
def test_a_bound_that_no_key_could_have_is_refused(store: Store, sort: SortKey) -> None:
    with pytest.raises(UnfitKey, match="cannot be compared with keys"):
        Buoys(store).page(Query(partition="all", index="bay-index", sort=sort))


def test_a_bound_that_is_no_number_is_refused_where_keys_are_numbers(store: Store) -> None:
    def depths(sort: SortKey) -> list[int]:
        return [buoy.depth for buoy in Buoys(store).page(Query(partition="all", index="depth-index", sort=sort)).items]

    assert depths(above(3)) == [40]
    assert depths(between("3", "40")) == [3, 40]
    assert depths(equals("abc")) == []
    for bound in (above("abc"), between("abc", 5), above(10**130)):
        with pytest.raises(UnfitKey):
            depths(bound)


# --- numbers in keys


def test_an_item_keyed_by_a_number_can_be_saved_as_it_was_read(store: Store) -> None:
    prices = Prices(store)
    prices.add(Price(amount=Decimal("1.10")))
    found = prices.get(prices.at(amount=Decimal("1.1000")))
    prices.save(found.evolve(name="b"))
    assert [price.name for price in prices.leaf(limit=5)] == ["b"]
    long = Decimal("1." + "2" * 37)
    prices.put_many([Price(amount=long)])
    assert prices.get(prices.at(amount=long)).amount == long


# --- what is stored is not as it should be


def test_an_item_that_does_not_fit_its_type_is_told_with_its_key(store: Store) -> None:
    buoys = Buoys(store)
    odd = {"buoy_id": {"S": "odd"}, "bay": {"S": "odd"}, "name_key": {"S": "odd"}, "depth": {"N": "1.5"}}
    store.client.put_item(TableName=store.physical(BUOYS), Item=odd)
    reads: list[Callable[[], Any]] = [
        lambda: buoys.find("odd"),
        lambda: buoys.get_many(["odd"]),
        lambda: buoys.page(Query(partition="odd", index="bay-index")),
        lambda: list(buoys.stream(Query(partition="odd", index="bay-index"))),
    ]
    for read in reads:
        with pytest.raises(UnreadableItem, match="this buoy is not as it should be: depth") as told:
            read()
        assert (told.value.table, dict(told.value.key), told.value.retryable) == ("Buoys", {"buoy_id": "odd"}, False)
        assert told.value.__cause__ is not None
        assert "odd" not in told.value.public_message
    store.client.delete_item(TableName=store.physical(BUOYS), Key={"buoy_id": odd["buoy_id"]})
