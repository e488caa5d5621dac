"""One query that gathers several kinds of entity."""

from collections.abc import Callable

import pytest

from apps.storage.collection import Collection, Gathered
from apps.storage.conditions import Query, at_most, attribute
from apps.storage.connection import Store
from apps.storage.engine import EngineKind
from apps.storage.errors import BadCursor
from apps.storage.metering import metering
from tests.conftest import create_tables, new_store
from tests.storage.shuttle import (
    SHUTTLE,
    Import,
    Imports,
    Job,
    Jobs,
    Product,
    Products,
    Shop,
    Shops,
    UsageDay,
    UsageDays,
    UsageMonth,
    UsageMonths,
)
from tests.storage.things import NOON, Things


@pytest.fixture(scope="module")
def store(engine_endpoint: Callable[[EngineKind], str]) -> Store:
    """A shop with twelve jobs, two imports and some usage."""
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, SHUTTLE)
    Shops(store).add(Shop(domain="a"))
    Jobs(store).put_many(Job(job_id=f"{number:02}", shop_domain="a", created_at=NOON) for number in range(12))
    Imports(store).put_many(Import(shop_domain="a", timestamp=NOON.replace(hour=hour)) for hour in (1, 2))
    UsageDays(store).put_many(UsageDay(domain="a", day=NOON.replace(day=day).date()) for day in (1, 2, 3))
    UsageMonths(store).add(UsageMonth(domain="a", month="2026-03"))
    return store


def test_a_shop_comes_with_its_latest_jobs_in_one_query(store: Store) -> None:
    collection = Collection(store, Shops, Jobs)
    query = collection.where(domain="a", sort=at_most("PROFILE"), descending=True)
    with metering() as cost:
        gathered = collection.gather(query, limit=4)
    assert cost.total_requests == cost.count("query") == 1
    assert gathered.one(Shop) == Shops(store).get(("SHOP#a", "PROFILE"))
    jobs: list[Job] = gathered.all(Job)
    assert [job.job_id for job in jobs] == ["11", "10", "09"]
    assert (gathered.examined, gathered.unknown) == (5, 0)


def test_a_collection_goes_on_where_it_stopped_and_back(store: Store) -> None:
    collection = Collection(store, Shops, Jobs)
    query = collection.where(domain="a", sort=at_most("PROFILE"), descending=True)
    first = collection.gather(query, limit=10)
    rest = collection.gather(query, limit=10, cursor=first.next)
    assert (rest.one(Shop), [job.job_id for job in rest.all(Job)], rest.next) == (None, ["02", "01", "00"], None)
    back = collection.gather(query, limit=10, cursor=rest.previous)
    assert (back.items, back.previous) == (first.items, None)
    with pytest.raises(BadCursor):
        collection.gather(collection.where(domain="a"), limit=10, cursor=first.next)


def test_items_of_no_declared_kind_are_counted_and_left_out(store: Store) -> None:
    collection = Collection(store, Shops, Jobs)
    gathered = collection.gather(collection.where(domain="a"))
    assert {type(item) for item in gathered.items} == {Shop, Job}
    assert (len(gathered.items), gathered.unknown, gathered.examined) == (13, 2, 15)
    everything = Collection(store, Shops, Jobs, Imports)
    assert everything.gather(everything.where(domain="a")).unknown == 0


def test_usage_by_day_and_by_month_comes_from_one_query(store: Store) -> None:
    usage = Collection(store, UsageDays, UsageMonths)
    with metering() as cost:
        gathered = usage.gather(usage.where(domain="a"))
    assert cost.total_requests == 1
    assert len(gathered.all(UsageDay)) == 3
    assert gathered.one(UsageMonth) == UsageMonths(store).get(("USAGE#a", "M#2026-03"))


def test_an_index_gathers_too(store: Store) -> None:
    collection = Collection(store, Jobs, Shops)
    (found,) = collection.gather(Query(partition="JOB#03", index="GSI1")).all(Job)
    assert found.job_id == "03"
    shops = collection.gather(Query(partition="PLAN#FREE", index="GSI1"))
    assert [shop.domain for shop in shops.all(Shop)] == ["a"]


def test_a_filter_works_under_the_read_budget(store: Store) -> None:
    collection = Collection(store, Jobs, Shops)
    query = collection.where(shop_domain="a", filter=attribute("job_id").equals("11"))
    page = collection.gather(query, budget=6)
    assert (page.items, page.examined, page.exhausted_budget) == ([], 6, True)
    page = collection.gather(query, budget=100, cursor=page.next)
    assert [job.job_id for job in page.all(Job)] == ["11"]


def test_one_of_several_is_not_chosen_by_chance(store: Store) -> None:
    collection = Collection(store, Shops, Jobs)
    gathered = collection.gather(collection.where(domain="a"))
    with pytest.raises(ValueError, match="there are 12 of Job, not one"):
        gathered.one(Job)
    with pytest.raises(TypeError, match="Product is not among Shop, Job"):
        gathered.all(Product)


def test_kinds_that_no_query_could_gather_are_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="one and the same table"):
        Collection(store, Shops, Things)
    with pytest.raises(ValueError, match="one and the same table"):
        Collection(store)
    with pytest.raises(ValueError, match=r"different partitions: PRODUCTS#\{\}, SHOP#\{\}"):
        Collection(store, Shops, Products).where(domain="a")
    with pytest.raises(ValueError, match="nothing in the keys of Thing"):
        Collection(store, Things, Things)
    with pytest.raises(TypeError, match="made of domain, not of name"):
        Collection(store, Shops, Jobs).where(domain="a", name="b")


def test_all_of_a_kind_are_of_exactly_that_kind() -> None:
    class Late(Job):
        pass

    gathered = Gathered(items=[Job(job_id="1", shop_domain="a"), Late(job_id="2", shop_domain="a")], kinds=(Job, Late))
    assert [job.job_id for job in gathered.all(Job)] == ["1"]
    assert [job.job_id for job in gathered.all(Late)] == ["2"]
