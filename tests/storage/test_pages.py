"""Lists page by page: nothing lost, nothing twice, nothing read that is not shown."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from apps.storage.conditions import Query, SortKey, attribute, begins_with, between
from apps.storage.engine import EngineKind
from apps.storage.errors import BadCursor
from apps.storage.metering import metering
from apps.storage.page import Page
from tests.conftest import EVERY_WAY, create_tables, new_store
from tests.storage.things import NOON, THINGS, Thing, Things, row, some_id

LONGEST = 60


@pytest.fixture(scope="module", params=EVERY_WAY)
def things(request: pytest.FixtureRequest, engine_endpoint: Callable[[EngineKind], str]) -> Things:
    kind, data_plane = request.param
    store = new_store(engine_endpoint(kind), data_plane=data_plane)
    create_tables(store, THINGS)
    things = Things(store)
    things.put_many(row("long", LONGEST, owner="long"))
    return things


def amounts(page: Page[Thing]) -> list[int]:
    return [thing.amount for thing in page.items]


def walk(things: Things, query: Query, *, limit: int, **more: Any) -> list[Page[Thing]]:
    """All pages, forward."""
    pages = [things.page(query, limit=limit, **more)]
    while pages[-1].next:
        pages.append(things.page(query, limit=limit, cursor=pages[-1].next, **more))
    return pages


def first(count: int) -> SortKey:
    """The first `count` of the long row."""
    return between(NOON - timedelta(seconds=1), NOON + timedelta(seconds=count - 1))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(length=some.integers(0, LONGEST), limit=some.integers(1, 20), descending=some.booleans())
def test_walking_forward_shows_everything_once_and_walking_back_the_same_pages(
    things: Things, length: int, limit: int, descending: Any
) -> None:
    query = Query(partition="long", sort=first(length), descending=descending)
    pages = walk(things, query, limit=limit)
    seen = [amount for page in pages for amount in amounts(page)]
    assert seen == (list(reversed(range(length))) if descending else list(range(length)))
    assert len(pages) == max(1, -(-length // limit))
    assert pages[0].previous is None
    back = [pages[-1]]
    while back[-1].previous:
        back.append(things.page(query, limit=limit, cursor=back[-1].previous))
    assert [amounts(page) for page in reversed(back)] == [amounts(page) for page in pages]
    assert [page.next is None for page in reversed(back)] == [page.next is None for page in pages]


def test_a_page_reads_one_item_more_than_it_shows(things: Things) -> None:
    with metering() as cost:
        page = things.page(Query(partition="long"), limit=7)
    assert (page.examined, cost.total_requests) == (8, 1)
    assert not page.exhausted_budget


def test_an_index_is_walked_both_ways_too(things: Things) -> None:
    query = Query(partition="long", index="owner-index", sort=begins_with("new#t01"), descending=True)
    pages = walk(things, query, limit=4)
    assert [[thing.title for thing in page.items] for page in pages] == [
        ["t019", "t018", "t017", "t016"],
        ["t015", "t014", "t013", "t012"],
        ["t011", "t010"],
    ]
    assert things.page(query, limit=4, cursor=pages[2].previous).items == pages[1].items


def test_a_page_without_items_would_not_end(things: Things) -> None:
    with pytest.raises(ValueError, match="at least one item, not 0"):
        things.page(Query(partition="long"), limit=0)


# --- filters


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(every=some.integers(1, 30), limit=some.integers(1, 20), budget=some.integers(1, 40))
def test_a_filter_loses_nothing_whatever_its_budget_and_says_how_far_it_looked(
    things: Things, every: int, limit: int, budget: int
) -> None:
    wanted = [amount for amount in range(LONGEST) if amount % every == 0][:30]
    query = Query(partition="long", filter=attribute("amount").one_of(*wanted))
    pages = walk(things, query, limit=limit, budget=budget)
    assert [amount for page in pages for amount in amounts(page)] == wanted
    assert all(len(page.items) <= limit and page.examined <= budget for page in pages)
    assert all(page.next for page in pages if page.exhausted_budget)
    seen, page = amounts(pages[-1]), pages[-1]
    while page.previous:
        page = things.page(query, limit=limit, budget=budget, cursor=page.previous)
        seen = amounts(page) + seen
    assert seen == wanted


def test_a_filter_stops_at_its_budget(things: Things) -> None:
    rare = Query(partition="long", filter=attribute("amount").equals(59))
    page = things.page(rare, limit=5, budget=30)
    assert (amounts(page), page.examined, page.exhausted_budget) == ([], 30, True)
    page = things.page(rare, limit=5, budget=100, cursor=page.next)
    assert (amounts(page), page.examined, page.exhausted_budget, page.next) == ([59], 30, False, None)


# --- lists that change meanwhile


def test_an_item_deleted_under_the_cursor_loses_no_other(things: Things) -> None:
    partition = some_id()
    made = row(partition, 9)
    things.put_many(made)
    query = Query(partition=partition)
    page = things.page(query, limit=3)
    things.delete((partition, made[2].made_at))
    page = things.page(query, limit=3, cursor=page.next)
    assert amounts(page) == [3, 4, 5]
    assert amounts(things.page(query, limit=3, cursor=page.previous)) == [0, 1]


def test_an_end_that_was_deleted_leads_back_to_what_is_left(things: Things) -> None:
    partition = some_id()
    made = row(partition, 6)
    things.put_many(made)
    query = Query(partition=partition)
    page = things.page(query, limit=3)
    things.delete_many((partition, thing.made_at) for thing in made[3:])
    beyond = things.page(query, limit=3, cursor=page.next)
    assert (amounts(beyond), beyond.next) == ([], None)
    back = things.page(query, limit=3, cursor=beyond.previous)
    assert (amounts(back), back.next, back.previous) == ([0, 1, 2], None, None)


def test_a_beginning_that_was_deleted_leads_on_to_what_is_left(things: Things) -> None:
    partition = some_id()
    made = row(partition, 6)
    things.put_many(made)
    query = Query(partition=partition)
    page = things.page(query, limit=3, cursor=things.page(query, limit=3).next)
    things.delete_many((partition, thing.made_at) for thing in made[:3])
    before = things.page(query, limit=3, cursor=page.previous)
    assert (amounts(before), before.previous) == ([], None)
    assert amounts(things.page(query, limit=3, cursor=before.next)) == [3, 4, 5]


# --- cursors


def refused(things: Things, query: Query, cursor: str) -> None:
    with pytest.raises(BadCursor, match="Start again from the first page") as error:
        things.page(query, limit=5, cursor=cursor)
    assert error.value.field == "cursor"


@pytest.fixture
def cursor(things: Things) -> str:
    following = things.page(Query(partition="long"), limit=5).next
    assert following is not None
    return following


@pytest.mark.parametrize(
    "other",
    [
        Query(partition="other"),
        Query(partition="long", descending=True),
        Query(partition="long", index="owner-index"),
        Query(partition="long", sort=first(50)),
        Query(partition="long", filter=attribute("amount").above(1)),
    ],
    ids=["partition", "order", "index", "range", "filter"],
)
def test_a_cursor_of_another_question_is_refused(things: Things, cursor: str, other: Query) -> None:
    refused(things, other, cursor)


def test_a_cursor_of_another_table_is_refused(things: Things, cursor: str) -> None:
    neighbour = new_store(str(things.store.endpoint))
    create_tables(neighbour, THINGS)
    refused(Things(neighbour), Query(partition="long"), cursor)


@pytest.mark.parametrize("text", ["x", "AAAA", "é", "a" * 200, "=", "////", "\0"])
def test_text_that_is_no_cursor_is_refused(things: Things, text: str) -> None:
    refused(things, Query(partition="long"), text)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=some.data())
def test_a_cursor_with_any_bit_turned_is_refused(things: Things, cursor: str, data: some.DataObject) -> None:
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    bit = data.draw(some.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    refused(things, Query(partition="long"), base64.urlsafe_b64encode(raw).decode().rstrip("="))


def test_a_cursor_signed_with_a_former_key_is_refused(
    things: Things, cursor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.conf.settings.SECRET_KEY", "another key of this site, long enough to be one")
    refused(things, Query(partition="long"), cursor)


def test_a_cursor_is_safe_in_an_address(cursor: str) -> None:
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_page_may_be_shown_as_something_else(things: Things) -> None:
    page = things.page(Query(partition="long"), limit=2)
    changed = page.map(lambda thing: thing.title)
    assert changed.items == ["t000", "t001"]
    assert (changed.next, changed.examined) == (page.next, page.examined)
