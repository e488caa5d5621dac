"""Which index answers a question, for the keys that tables have: templates, flags, numbers that are moments."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar

import pytest

from apps.console.lists.filters import Choices, Days, Exactly, YesNo
from apps.console.lists.listings import Asked, Listing, Lists
from apps.errors import Invalid
from apps.storage.entity import Entity, Instant, Stored, TimeForm
from apps.storage.repository import Repository
from apps.storage.table import Index, Key, Table, number
from tests.conftest import create_tables


class State(StrEnum):
    OPEN = "open"
    DONE = "done"


class Order(Entity):
    """Kept in one table under templates, with a flag and a moment in milliseconds among its index keys."""

    derived: ClassVar[Mapping[str, str]] = {
        "PK": "SHOP#{shop}",
        "SK": "ORDER#{order_id}",
        "GSI1PK": "STATE#{shop}#{state}",
        "GSI1SK": "{made_at}#{order_id}",
    }

    shop: str
    order_id: str
    state: State
    made_at: Instant
    is_gift: Annotated[bool, Stored(flag=True)] = False
    sent_at: Annotated[Instant | None, Stored(time=TimeForm.MILLISECONDS)] = None
    due_date: date | None = None


ORDERS = Table(
    name="Orders",
    partition_key=Key("PK"),
    sort_key=Key("SK"),
    indexes=(
        Index(name="GSI1", partition_key=Key("GSI1PK"), sort_key=Key("GSI1SK")),
        Index(name="gift-index", partition_key=number("is_gift"), sort_key=number("sent_at")),
        Index(
            name="due-index",
            partition_key=Key("shop"),
            sort_key=Key("due_date"),
            include=("order_id", "state", "made_at"),
        ),
    ),
)


class Orders(Repository[Order]):
    entity = Order
    table = ORDERS


LISTINGS = (
    Listing(by=("shop",)),
    Listing(index="GSI1", by=("shop", "state"), descending=True),
    Listing(index="gift-index", by=("is_gift",)),
    Listing(index="due-index", by=("shop",)),
)
FILTERS = (
    Exactly("shop"),
    Choices("state"),
    YesNo("is_gift"),
    Days("made_at"),
    Days("sent_at"),
    Days("due_date"),
    Exactly("order_id"),
)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND_DAY = (date(2026, 3, 2), date(2026, 3, 2))


@pytest.fixture
def lists():
    return Lists(Order, ORDERS, LISTINGS, FILTERS, {})


@pytest.fixture
def orders(store):
    create_tables(store, ORDERS)
    found = Orders(store)
    for at in range(6):
        made = START + timedelta(days=at)
        found.add(
            Order(
                shop="a" if at < 4 else "b",
                order_id=str(at),
                state=State.DONE if at % 2 else State.OPEN,
                made_at=made,
                is_gift=at % 3 == 0,
                sent_at=made,
                due_date=made.date(),
            )
        )
    return found


@pytest.mark.parametrize(
    ("values", "index", "filtered", "found"),
    [
        ({"shop": "a"}, None, (), "0123"),
        ({"shop": "a", "order_id": "2"}, None, (), "2"),
        ({"shop": "a", "state": "done"}, "GSI1", (), "31"),
        ({"shop": "a", "state": "done", "made_at": SECOND_DAY}, "GSI1", (), "1"),
        ({"shop": "a", "state": "done", "made_at": (None, date(2026, 3, 3))}, "GSI1", (), "1"),
        ({"shop": "a", "state": "open", "made_at": (date(2026, 3, 2), None)}, "GSI1", (), "2"),
        ({"is_gift": "yes"}, "gift-index", (), "03"),
        ({"is_gift": "no", "sent_at": (date(2026, 3, 3), None)}, "gift-index", (), "245"),
        ({"is_gift": "no", "sent_at": (date(2026, 3, 3), date(2026, 3, 5))}, "gift-index", (), "24"),
        ({"is_gift": "no", "state": "done"}, "gift-index", ("state",), "15"),
        ({"shop": "a", "due_date": (date(2026, 3, 2), date(2026, 3, 3))}, "due-index", (), "12"),
        ({"shop": "a", "made_at": SECOND_DAY}, None, ("made_at",), "1"),
        ({"shop": "a", "is_gift": "yes", "sent_at": (date(2026, 3, 2), None)}, "gift-index", ("shop",), "3"),
    ],
)
def test_a_question_goes_to_the_index_whose_keys_answer_most_of_it(lists, orders, values, index, filtered, found):
    plan = lists.plan(Asked(values=values))
    assert (plan.listing.index, plan.filtered) == (index, filtered)
    assert "".join(order.order_id for order in orders.page(plan.query).items) == found


def test_nothing_asked_and_no_listing_of_all_is_a_leafing(lists):
    assert lists.plan(Asked()) is None


@pytest.mark.parametrize("values", [{"state": "done"}, {"due_date": SECOND_DAY}, {"order_id": "1"}])
def test_what_no_index_answers_alone_is_refused_with_what_must_be_chosen_too(lists, values):
    with pytest.raises(Invalid, match=r"Choose “Shop”.* as well") as refused:
        lists.plan(Asked(values=values))
    assert str(refused.value).count("“Shop”") == 1


def test_a_value_that_cannot_stand_in_a_key_is_refused_with_a_sentence(lists):
    with pytest.raises(Invalid):
        lists.plan(Asked(values={"shop": "a#b", "state": "done"}))


def test_an_order_is_chosen_among_those_that_the_filters_leave(lists):
    by_day = lists.plan(Asked(values={"shop": "a"}, sort="due_date", descending=True))
    assert (by_day.listing.index, by_day.query.descending) == ("due-index", True)
    as_it_is = lists.plan(Asked(values={"shop": "a", "is_gift": "yes"}, sort="due_date", descending=True))
    assert (as_it_is.listing.index, as_it_is.query.descending) == (None, False), "that index carries no flag"
