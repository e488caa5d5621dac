"""Several kinds of entity in one table: told apart by their keys, found by questions from their fields."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from apps.storage import conditions
from apps.storage.conditions import Query, SortKey, Update, at_least, attribute, begins_with, below, between
from apps.storage.connection import Store
from apps.storage.engine import EngineKind
from apps.storage.errors import ItemNotFound
from apps.storage.items.keys import UnfitKey
from apps.storage.metering import metering
from tests.conftest import create_tables, new_store
from tests.storage.shuttle import (
    SHUTTLE,
    Import,
    Imports,
    Job,
    Jobs,
    JobStatus,
    Plan,
    Product,
    Products,
    Schema,
    Schemas,
    Session,
    Sessions,
    Shop,
    Shops,
    UsageDay,
    UsageDays,
    UsageMonth,
    UsageMonths,
)
from tests.storage.things import NOON, THINGS, Thing, Things, some_id

HOUR = timedelta(hours=1)
LATER = datetime(2126, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def shuttle(engine_endpoint: Callable[[EngineKind], str]) -> Store:
    """A table of all kinds: two shops, and everything of each."""
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, SHUTTLE, THINGS)
    for shop, plan in (("a.example", Plan.FREE), ("b.example", Plan.LARGE)):
        Shops(store).add(Shop(domain=shop, plan=plan))
        Jobs(store).put_many(job(shop, number) for number in range(12))
        Imports(store).put_many(Import(shop_domain=shop, timestamp=NOON + number * HOUR) for number in range(5))
        UsageDays(store).put_many(UsageDay(domain=shop, day=date(2026, 3, day)) for day in range(1, 11))
        UsageMonths(store).put_many(UsageMonth(domain=shop, month=f"2026-{month:02}") for month in range(1, 7))
        Schemas(store).put_many(Schema(domain=shop, name="prices", number=number) for number in (2, 10, 9, 100))
        Schemas(store).add(Schema(domain=shop, name="images", number=1))
        Sessions(store).add(Session(session_id=f"s-{shop}", domain=shop, expires_at=LATER))
        Products(store).put_many(Product(domain=shop, handle=handle) for handle in ("anvil", "saw"))
        Products(store).add(Product(domain=shop, handle="rope", status="DRAFT"))
    return store


def job(shop: str, number: int) -> Job:
    status = JobStatus.FAILED if number % 4 == 0 else JobStatus.QUEUED
    return Job(job_id=f"{shop[0]}{number:02}", shop_domain=shop, status=status, created_at=NOON + number * HOUR)


def asked(question: Callable[[], Iterable[Any]]) -> list[Any]:
    """The answer to a question, which cost exactly one request."""
    with metering() as cost:
        answer = list(question())
    assert cost.total_requests == cost.count("query") == 1
    return answer


# --- each question is one request


def test_a_shop_is_one_get_and_so_is_a_session(shuttle: Store) -> None:
    shops, sessions = Shops(shuttle), Sessions(shuttle)
    with metering() as cost:
        assert shops.get(shops.at(domain="a.example")).plan is Plan.FREE
        assert sessions.get(sessions.at(session_id="s-b.example")).domain == "b.example"
    assert cost.total_requests == cost.count("get_item") == 2


def test_shops_are_found_by_plan_and_by_billing_status(shuttle: Store) -> None:
    shops = Shops(shuttle)
    assert [shop.domain for shop in asked(lambda: shops.stream(shops.where("GSI1", plan=Plan.LARGE)))] == ["b.example"]
    active = shops.where("GSI2", billing_status="ACTIVE")
    assert {shop.domain for shop in asked(lambda: shops.stream(active))} == {"a.example", "b.example"}


def test_a_job_is_found_by_its_id_alone(shuttle: Store) -> None:
    jobs = Jobs(shuttle)
    assert asked(lambda: jobs.page(jobs.where("GSI1", job_id="a07"), limit=1).items) == [
        jobs.get(("SHOP#a.example", "JOB#a07"))
    ]


def test_jobs_are_found_by_shop_and_by_status(shuttle: Store) -> None:
    jobs = Jobs(shuttle)
    newest = jobs.where(shop_domain="a.example", descending=True)
    assert [found.job_id for found in asked(lambda: jobs.page(newest, limit=3).items)] == ["a11", "a10", "a09"]
    failed = jobs.where("StatusIndex", shop_domain="b.example", status=JobStatus.FAILED)
    assert sorted(found.job_id for found in asked(lambda: jobs.stream(failed))) == ["b00", "b04", "b08"]
    everywhere = jobs.where("GSI2", status=JobStatus.FAILED)
    oldest = [found.job_id for found in asked(lambda: jobs.stream(everywhere))]
    assert oldest == ["a00", "b00", "a04", "b04", "a08", "b08"]


def test_imports_are_found_by_shop_by_time_and_by_month(shuttle: Store) -> None:
    imports = Imports(shuttle)
    assert len(asked(lambda: imports.stream(imports.where(shop_domain="a.example")))) == 5
    ranged = imports.where(shop_domain="a.example", sort=between(NOON + HOUR, NOON + 3 * HOUR))
    assert [found.timestamp for found in asked(lambda: imports.stream(ranged))] == [
        NOON + HOUR,
        NOON + 2 * HOUR,
        NOON + 3 * HOUR,
    ]
    march = asked(lambda: imports.stream(imports.where("GSI3", month="2026-03")))
    assert [found.shop_domain for found in march[:4]] == ["a.example", "b.example"] * 2


def test_usage_is_found_by_day_by_month_and_over_all_shops(shuttle: Store) -> None:
    days, months = UsageDays(shuttle), UsageMonths(shuttle)
    assert len(asked(lambda: days.stream(days.where(domain="a.example")))) == 10
    late = days.where(domain="a.example", sort=at_least(date(2026, 3, 9)))
    assert [found.day.day for found in asked(lambda: days.stream(late))] == [9, 10]
    early = months.where(domain="a.example", sort=below("2026-03"))
    assert [found.month for found in asked(lambda: months.stream(early))] == ["2026-01", "2026-02"]
    one_day = days.where("GSI3", day=date(2026, 3, 4))
    assert [found.domain for found in asked(lambda: days.stream(one_day))] == ["a.example", "b.example"]
    assert len(asked(lambda: months.stream(months.where("GSI3", month="2026-02")))) == 2


def test_schemas_are_found_by_shop_by_name_and_by_version_in_the_order_of_numbers(shuttle: Store) -> None:
    schemas = Schemas(shuttle)
    assert len(asked(lambda: schemas.stream(schemas.where(domain="a.example")))) == 5
    prices = schemas.where(domain="a.example", name="prices")
    assert [found.number for found in asked(lambda: schemas.stream(prices))] == [2, 9, 10, 100]
    some_prices = schemas.where(domain="a.example", name="prices", sort=between(9, 99))
    assert [found.number for found in asked(lambda: schemas.stream(some_prices))] == [9, 10]
    one = schemas.where(domain="a.example", name="prices", number=10)
    assert [found.number for found in asked(lambda: schemas.stream(one))] == [10]
    users = schemas.where("GSI1", name="images")
    assert [found.domain for found in asked(lambda: schemas.stream(users))] == ["a.example", "b.example"]


def test_sessions_and_products_are_found_by_shop(shuttle: Store) -> None:
    sessions, products = Sessions(shuttle), Products(shuttle)
    assert len(asked(lambda: sessions.stream(sessions.where("GSI1", domain="a.example")))) == 1
    assert [found.handle for found in asked(lambda: products.stream(products.where(domain="a.example")))] == [
        "anvil",
        "rope",
        "saw",
    ]
    drafts = products.where("GSI1", domain="a.example", status="DRAFT")
    assert [found.handle for found in asked(lambda: products.stream(drafts))] == ["rope"]


# --- other kinds are never taken for one's own


def test_every_reading_passes_over_other_kinds(shuttle: Store) -> None:
    jobs = Jobs(shuttle)
    mixed = Query(partition="SHOP#a.example")
    assert [found.job_id for found in jobs.stream(mixed)] == [f"a{number:02}" for number in range(12)]
    assert jobs.keys(mixed, limit=2) == [("SHOP#a.example", "JOB#a00"), ("SHOP#a.example", "JOB#a01")]
    assert {type(found) for found in jobs.leaf(limit=50)} == {Job}
    assert len(jobs.leaf(limit=50)) == 24
    assert len(jobs.leaf(limit=5)) == 5
    keys = [("SHOP#a.example", "PROFILE"), ("SHOP#a.example", "JOB#a03"), ("SHOP#a.example", "IMPORT#x")]
    assert [found.job_id for found in jobs.get_many(keys)] == ["a03"]
    assert (jobs.count(mixed), Shops(shuttle).count(mixed), jobs.count(mixed, cap=10)) == (12, 1, 10)


@settings(max_examples=15, deadline=None)
@given(limit=some.integers(1, 20), budget=some.integers(1, 40), descending=some.booleans())
def test_pages_of_one_kind_lose_nothing_among_others_and_lead_back(
    shuttle: Store, limit: int, budget: int, descending: Any
) -> None:
    jobs = Jobs(shuttle)
    query = Query(partition="SHOP#a.example", descending=descending)
    pages = [jobs.page(query, limit=limit, budget=budget)]
    while pages[-1].next:
        pages.append(jobs.page(query, limit=limit, budget=budget, cursor=pages[-1].next))
    seen = [found.job_id for page in pages for found in page.items]
    assert seen == sorted((f"a{number:02}" for number in range(12)), reverse=descending)
    assert all(page.examined <= max(budget, limit + 1) for page in pages)
    assert sum(page.examined for page in pages) >= 18  # a shop, its jobs and its imports
    back, page = [found.job_id for found in pages[-1].items], pages[-1]
    while page.previous:
        page = jobs.page(query, limit=limit, budget=budget, cursor=page.previous)
        back = [found.job_id for found in page.items] + back
    assert back == seen


def test_a_key_of_another_kind_finds_nothing_and_costs_nothing(shuttle: Store) -> None:
    shops = Shops(shuttle)
    with metering() as cost:
        assert shops.find(("SHOP#a.example", "JOB#a01")) is None
        assert shops.get_many([("SHOP#a.example", "JOB#a01")]) == []
        with pytest.raises(ItemNotFound, match="There is no such shop"):
            shops.get(("JOB#a01", "JOB"))
    assert cost.total_requests == 0


def test_a_key_of_another_kind_cannot_be_changed_or_deleted(shuttle: Store) -> None:
    jobs, shops, key = Jobs(shuttle), Shops(shuttle), ("SHOP#a.example", "JOB#a02")
    before = jobs.get(key)
    with pytest.raises(ItemNotFound):
        shops.update(key, Update(set={"billing_status": "SUSPENDED"}))
    with pytest.raises(ItemNotFound):
        shops.delete(key)
    with pytest.raises(ItemNotFound):
        shops.delete_many([key])
    assert jobs.get(key) == before


# --- keys from fields and fields from keys


def test_a_key_is_made_from_fields_and_read_back_in_their_types(shuttle: Store) -> None:
    schemas, days = Schemas(shuttle), UsageDays(shuttle)
    key = schemas.at(domain="a.example", name="prices", number=7)
    assert key == ("SCHEMAS#a.example", "prices#000007")
    assert schemas.fields_of(key) == {"domain": "a.example", "name": "prices", "number": 7}
    day = days.at(domain="a.example", day=date(2026, 3, 1))
    assert days.fields_of(day) == {"domain": "a.example", "day": date(2026, 3, 1)}
    with pytest.raises(ValueError, match="is not of the form"):
        schemas.fields_of(day)


def test_the_fields_of_an_index_key_are_typed_too(shuttle: Store) -> None:
    found = Jobs(shuttle).kind.fields_of(
        {"GSI2PK": {"S": "JOBSTATUS#FAILED"}, "GSI2SK": {"S": "2026-03-01T12:00:00.000Z#a00"}}
    )
    assert found == {"status": JobStatus.FAILED, "created_at": NOON, "job_id": "a00"}
    assert found["status"] is JobStatus.FAILED


def test_a_plain_key_is_made_from_typed_fields_too(shuttle: Store) -> None:
    things = Things(shuttle)
    thing = things.add(Thing(thing_id=some_id(), owner=some_id(), title="saw"))
    key = things.at(thing_id=thing.thing_id, made_at=NOON)
    assert key == (thing.thing_id, "1772366400000")
    assert things.get(key) == thing
    assert things.fields_of(key) == {"thing_id": thing.thing_id, "made_at": NOON}
    assert list(things.stream(things.where(thing_id=thing.thing_id, made_at=NOON))) == [thing]
    assert list(things.stream(things.where(thing_id=thing.thing_id, sort=below(NOON)))) == []
    by_owner = things.where("owner-index", owner=thing.owner, state=thing.state, sort=begins_with("s"))
    assert [found.title for found in things.stream(by_owner)] == ["saw"]


def test_a_thing_that_lacks_a_part_of_an_index_key_is_not_in_that_index(shuttle: Store) -> None:
    things, owner = Things(shuttle), some_id()
    nameless = things.add(Thing(thing_id=some_id(), owner=owner))
    question = things.where("owner-index", owner=owner)
    assert list(things.stream(question)) == []
    things.save(nameless.evolve(title="saw"))
    assert [found.title for found in things.stream(question)] == ["saw"]


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda schemas: schemas.at(domain="a"), "SK of Schema needs name, number too"),
        (lambda schemas: schemas.at(domain="a", name=None, number=1), "needs name too"),
        (
            lambda schemas: schemas.at(domain="a", name="b", number=1, colour=2),
            "name, number, not of colour",
        ),
        (lambda schemas: schemas.where(name="prices"), "PK of Schema needs domain too"),
        (lambda schemas: schemas.where(domain="a", number=7), "SK of Schema needs name before number"),
        (lambda schemas: schemas.where("GSI1", domain="a"), "GSI1PK of Schema needs name too"),
        (lambda schemas: schemas.where("GSI2", domain="a"), "neither a field nor a template for GSI2PK"),
        (lambda schemas: schemas.where(domain="a", name="b", number=1, sort=below(1)), "SK is given already"),
    ],
)
def test_fields_that_are_missing_or_unknown_are_named(shuttle: Store, ask: Callable[[Any], Any], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        ask(Schemas(shuttle))


def test_a_range_of_a_given_plain_sort_key_is_a_mistake(shuttle: Store) -> None:
    with pytest.raises(TypeError, match="madeAt is given already"):
        Things(shuttle).where(thing_id="x", made_at=NOON, sort=below(NOON))


@pytest.mark.parametrize("fields", [{"name": "a#b", "number": 1}, {"name": "a", "number": -1}])
def test_values_that_cannot_stand_in_a_key_are_told_as_such(shuttle: Store, fields: Any) -> None:
    with pytest.raises(UnfitKey):
        Schemas(shuttle).at(domain="a.example", **fields)


# --- ranges of a part of a key

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": lambda field, value: field == value,
    "at_least": lambda field, value: field >= value,
    "above": lambda field, value: field > value,
    "at_most": lambda field, value: field <= value,
    "below": lambda field, value: field < value,
}
instants = some.integers(0, 6).map(lambda hours: NOON + hours * HOUR)
days = some.integers(1, 9).map(lambda day: date(2026, 3, day))


def holds(sort: SortKey, key: str) -> bool:
    """What DynamoDB makes of a range of texts."""
    first, *more = sort.values
    match sort.operator:
        case "begins_with":
            return key.startswith(first)
        case "BETWEEN":
            return bool(first <= key <= more[0])
        case operator:
            return bool({"=": key == first, "<": key < first, "<=": key <= first}[operator])


@given(some.sampled_from(sorted(OPERATORS)), some.lists(instants, max_size=9), instants)
def test_a_range_of_the_first_part_of_a_key_is_that_of_its_values(
    shuttle: Store, name: str, times: Sequence[datetime], value: datetime
) -> None:
    sort = Jobs(shuttle).where("GSI2", status="FAILED", sort=getattr(conditions, name)(value)).sort
    assert sort is not None
    for number, time in enumerate(times):
        key = Job(job_id=f"j{number}", shop_domain="a", created_at=time)
        text = Jobs(shuttle).codec.encode(key)["GSI2SK"]["S"]
        assert holds(sort, text) is OPERATORS[name](time, value)


@given(some.sampled_from(sorted(OPERATORS)), days, days)
def test_a_range_of_the_last_part_of_a_key_stays_with_its_kind(
    shuttle: Store, name: str, stored: date, value: date
) -> None:
    sort = UsageDays(shuttle).where(domain="a", sort=getattr(conditions, name)(value)).sort
    assert sort is not None
    assert holds(sort, f"D#{stored}") is OPERATORS[name](stored, value)
    assert not any(holds(sort, other) for other in ("A#1", "C", "D", "E#", "M#2026-03", "PROFILE"))


@given(days, days, days)
def test_a_range_between_two_values_holds_both(shuttle: Store, stored: date, low: date, high: date) -> None:
    sort = UsageDays(shuttle).where(domain="a", sort=between(low, high)).sort
    assert sort is not None
    assert holds(sort, f"D#{stored}") is (low <= stored <= high)


# --- questions that nothing can answer


@pytest.mark.parametrize(
    "question",
    [
        Query(partition=""),
        Query(partition="x" * 2049),
        Query(partition="x", index="owner-index", sort=conditions.equals("")),
        Query(partition="x", index="owner-index", sort=below("")),
        Query(partition="x", index="owner-index", sort=between("b", "a")),
        Query(partition="x", index="owner-index", sort=begins_with("x" * 1025)),
        Query(partition="x", sort=between(NOON, NOON - HOUR)),
    ],
    ids=["empty", "long", "empty sort", "below all", "turned round", "long prefix", "numbers turned round"],
)
def test_what_no_key_can_be_is_not_asked_for(shuttle: Store, question: Query) -> None:
    things = Things(shuttle)
    with metering() as cost:
        page = things.page(question)
        assert (page.items, page.next, page.previous, page.examined) == ([], None, None, 0)
        assert list(things.stream(question)) == things.keys(question, limit=5) == []
        assert things.count(question) == 0
    assert cost.total_requests == 0


def test_an_empty_bound_is_no_bound(shuttle: Store) -> None:
    things, owner = Things(shuttle), some_id()
    things.put_many(Thing(thing_id=some_id(), owner=owner, title=title) for title in "ab")
    for sort in (begins_with(""), at_least(""), conditions.above(""), between("", "new#b")):
        question = Query(partition=owner, index="owner-index", sort=sort)
        assert [thing.title for thing in things.stream(question)] == ["a", "b"]


def test_a_range_where_there_is_no_sort_key_is_a_mistake(shuttle: Store) -> None:
    with pytest.raises(TypeError, match="no sort key"):
        NoSort(shuttle).page(Query(partition="x", sort=begins_with("x"), filter=attribute("amount").above(1)))
    with pytest.raises(TypeError, match="no sort key"):
        NoSort(shuttle).where(thing_id="x", sort=begins_with("x"))


class NoSort(Things):
    table = type(THINGS)(name="Things", partition_key=THINGS.partition_key)
