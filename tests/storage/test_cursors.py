"""Cursors that open under their own question only, budgets that hold, and items that are let go of."""

import base64
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from apps.storage import page as page_module
from apps.storage.conditions import Query, attribute
from apps.storage.engine import EngineKind
from apps.storage.errors import BadCursor
from apps.storage.metering import metering
from apps.storage.page import Cursor, Page, open_cursor
from apps.storage.requests.asking import fingerprint, request_of
from tests.conftest import create_tables, new_store
from tests.storage.things import NOON, THINGS, Thing, Things, row, some_id

LONGEST = 60
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def things(engine_endpoint: Callable[[EngineKind], str]) -> Things:
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, THINGS)
    things = Things(store)
    things.put_many(row("long", LONGEST))
    return things


def amounts(page: Page[Thing]) -> list[int]:
    return [thing.amount for thing in page.items]


# --- cursors

keys = some.dictionaries(
    some.text(min_size=1, max_size=8),
    some.builds(lambda letter, text: {letter: text}, some.sampled_from("SN"), some.text(max_size=8)),
    max_size=4,
)


@settings(max_examples=50, deadline=None)
@given(key=keys, backward=some.booleans(), question=some.text(max_size=20), other=some.text(max_size=20))
def test_a_cursor_opens_under_its_own_question_and_no_other(
    key: dict[str, Any], backward: Any, question: str, other: str
) -> None:
    cursor = Cursor(key, backward=backward)
    text = cursor.sign(question)
    assert open_cursor(text, question) == cursor
    if other != question:
        with pytest.raises(BadCursor):
            open_cursor(text, other)


@pytest.mark.parametrize(
    "content",
    [
        [{"thingId": {"S": "x"}}, False],  # as it was before there was a number for the format
        [1, {}, False],
        [3, {}, False],
        [2, [], False],
        [2, {}, 0],
        [2, {"thingId": "x"}, False],
        [2, {"thingId": {"S": 7}}, False],
        [2, {"thingId": {"S": "x", "N": "1"}}, False],
        [2, {"thingId": {"M": {}}}, False],
        [2, {}],
        {},
        None,
    ],
)
def test_a_cursor_of_another_format_is_refused_although_it_is_signed(content: Any) -> None:
    with pytest.raises(BadCursor):
        open_cursor(signed(orjson.dumps(content)), "question")


def test_signed_bytes_that_are_no_cursor_are_refused() -> None:
    assert open_cursor(signed(b"[2,{},true]"), "question") == Cursor({}, backward=True)
    for body in (b"", b"\xff", b"[2,{},true"):
        with pytest.raises(BadCursor):
            open_cursor(signed(body), "question")


def signed(body: bytes) -> str:
    """Any body under a right signature."""
    return base64.urlsafe_b64encode(page_module._signature(body, "question") + body).decode().rstrip("=")


def test_a_cursor_is_refused_after_the_question_changed_by_a_little(things: Things) -> None:
    tagged, counted = attribute("tags").contains("a"), attribute("amount").above(0)
    query = Query(partition="long", filter=tagged | counted)
    following = things.page(query, limit=5).next
    assert following is not None
    assert things.page(query, limit=9, cursor=following).items
    for other in (tagged & counted, counted | tagged, attribute("tags").contains("b") | counted, ~(tagged | counted)):
        with pytest.raises(BadCursor):
            things.page(Query(partition="long", filter=other), limit=5, cursor=following)


def test_every_process_binds_a_question_to_the_same_cursor(things: Things) -> None:
    """The order of a set's elements differs between processes; a page may be asked of any of them."""
    code = (
        "from tests.storage.test_cursors import bound\n"
        "from tests.storage.things import Things\n"
        "print(bound(Things(None)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "project.settings", "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert told.strip() == bound(things)


def bound(things: Things) -> str:
    """What the cursors of a question with a set in it are bound to."""
    query = Query(partition="x", filter=attribute("tags").equals(frozenset(map(str, range(20)))))
    request = request_of(query, things.kind)
    assert request is not None
    return fingerprint("x", request, things.kind, descending=False)


# --- the read budget


@settings(max_examples=15, deadline=None)
@given(wanted=some.integers(0, LONGEST - 1), limit=some.integers(1, 6), budget=some.integers(1, 25))
def test_the_budget_holds_on_the_way_back_too(things: Things, wanted: int, limit: int, budget: int) -> None:
    query = Query(partition="long", filter=attribute("amount").one_of(wanted, LONGEST - 1))
    page, found = things.page(query, limit=limit, budget=budget), []
    while page.next:
        page = things.page(query, limit=limit, budget=budget, cursor=page.next)
        assert page.examined <= budget
    while page.previous:
        with metering() as cost:
            page = things.page(query, limit=limit, budget=budget, cursor=page.previous)
        assert page.examined <= budget
        assert cost.read_units <= budget
        assert len(page.items) <= limit
        assert not page.exhausted_budget or (page.examined == budget and page.previous)
        found += amounts(page)
    assert set(found) <= {wanted, LONGEST - 1}


def test_a_long_search_takes_few_requests(things: Things) -> None:
    rare = Query(partition="long", filter=attribute("amount").equals(LONGEST - 1))
    with metering() as cost:
        page = things.page(rare, limit=2)
    assert (amounts(page), page.examined) == ([LONGEST - 1], LONGEST)
    assert cost.total_requests <= 5


def test_a_budget_of_nothing_finds_nothing(things: Things) -> None:
    with pytest.raises(ValueError, match="budget of at least one item, not 0"):
        things.page(Query(partition="long"), budget=0)


def test_a_page_larger_than_the_usual_budget_is_still_one_page(things: Things) -> None:
    assert len(things.page(Query(partition="long"), limit=50, budget=3).items) == 50


def test_expired_items_leave_no_hole_in_a_page(things: Things) -> None:
    partition = some_id()
    things.put_many(row(partition, 4, expires_at=NOON - timedelta(days=1)))
    things.put_many(thing.evolve(made_at=thing.made_at + timedelta(hours=1)) for thing in row(partition, 3))
    page = things.page(Query(partition=partition), limit=2)
    assert (amounts(page), page.examined >= 7) == ([0, 1], True)
    rest = things.page(Query(partition=partition), limit=2, cursor=page.next)
    assert (amounts(rest), rest.next) == ([2], None)
