"""Moments in the reader's zone, dates, exact numbers and what is one of a few, in a form."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.console.forms.instants import MomentField
from tests.console.pages import form_of
from tests.console.ships import Ship

CHANGE = "/admin/console/ship/s-1/change/"
ADD = "/admin/console/ship/add/"
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def in_berlin(settings):
    """Readers who chose no zone of their own are in Berlin."""
    settings.TIME_ZONE = "Europe/Berlin"


@pytest.fixture
def ship(ships):
    seen = datetime(2026, 7, 1, 8, 30, 15, 250_000, tzinfo=UTC)
    return ships.add(Ship(ship_id="s-1", seen_at=seen, tonnage=Decimal("1200.500"), rig="ketch", plan=b"x" * 2048))


def entered(moment, **more):
    return {"date": moment[:10], "time": moment[11:], "zone": "Europe/Berlin", "fold": "", **more}


def test_a_moment_is_entered_in_the_zone_of_who_reads_which_is_named_beside_it(in_berlin, adas, ship, ships):
    page = adas.get(CHANGE)
    form = form_of(page)
    assert (form["seen_at-date"], form["seen_at-time"]) == ("2026-07-01", "10:30:15.250")
    assert "Europe/Berlin</span>" in page.content.decode()
    assert adas.post(CHANGE, form | {"sails_at-date": "2026-12-24", "sails_at-time": "18:00"}).status_code == 302
    kept = ships.get("s-1", consistent=True)
    assert kept.sails_at == datetime(2026, 12, 24, 17, tzinfo=UTC)
    assert kept.seen_at == ship.seen_at, "to the millisecond"


def test_the_zone_in_which_a_page_was_read_counts_when_it_comes_back(in_berlin, adas, ship, ships, settings):
    form = form_of(adas.get(CHANGE)) | {"sails_at-date": "2026-07-01", "sails_at-time": "12:00"}
    settings.TIME_ZONE = "Asia/Tokyo"
    assert adas.post(CHANGE, form).status_code == 302
    kept = ships.get("s-1", consistent=True)
    assert (kept.sails_at, kept.seen_at) == (datetime(2026, 7, 1, 10, tzinfo=UTC), ship.seen_at)


def test_a_time_that_the_clocks_leave_out_is_refused_with_the_one_that_may_be_meant(in_berlin, adas, ship):
    form = form_of(adas.get(CHANGE)) | {"sails_at-date": "2026-03-29", "sails_at-time": "02:30"}
    answer = adas.post(CHANGE, form)
    told = "In Europe/Berlin the clocks go forward on that day by 1:00:00: 02:30 is left out. Perhaps you mean 03:30."
    assert (answer.status_code, answer.content.decode().count(told)) == (422, 2)
    assert form_of(answer)["sails_at-time"] == "02:30"


def test_of_a_time_that_comes_twice_one_is_chosen(in_berlin, adas, ship, ships):
    form = form_of(adas.get(CHANGE)) | {"sails_at-date": "2026-10-25", "sails_at-time": "02:30"}
    asked = adas.post(CHANGE, form)
    html = asked.content.decode()
    assert asked.status_code == 422
    assert "02:30 comes twice" in html
    assert "the first, CEST (UTC+0200)" in html
    assert "the second, CET (UTC+0100)" in html
    for fold, hour in (("1", 1), ("0", 0)):
        assert adas.post(CHANGE, form_of(asked) | {"sails_at-fold": fold}).status_code in {302, 409}
        stored = ships.get("s-1", consistent=True)
        if stored.version == 2 and fold == "1":
            assert stored.sails_at == datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
            asked = adas.get(CHANGE)
            assert form_of(asked)["sails_at-fold"] == "1"
    assert stored.sails_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (entered("2026-02-30T09:30"), "Enter a date such as 2026-03-01."),
        (entered("2026-02-20T9"), "Enter a time such as"),
        (entered("2026-02-20T09:30+02:00"), "Enter a time such as"),
        (entered("2026-02-20T"), "Enter a time as well"),
        ({"date": "", "time": "09:30"}, "Enter a date as well"),
        ({}, "This field is required."),
        (entered("0001-01-01T00:10"), "between the years 1 and 9999"),
    ],
)
def test_what_is_no_moment_is_refused_with_what_to_enter(value, told):
    with pytest.raises(ValidationError, match=told):
        MomentField().clean(value)


MOMENTS = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ZONES = st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "UTC", "Africa/Casablanca"])


@given(MOMENTS, ZONES)
def test_every_moment_comes_back_as_it_was_in_every_zone(moment, zone):
    with timezone.override(zone):
        field = MomentField()
        assert field.clean(field.entered(moment)) == moment


@given(st.integers(-90, 90), st.integers(0, 59), ZONES)
def test_moments_around_a_change_of_the_clocks_come_back_too(minutes, seconds, zone):
    moment = datetime(2026, 10, 25, 1, tzinfo=UTC) + timedelta(minutes=minutes, seconds=seconds)
    with timezone.override(zone):
        field = MomentField()
        assert field.clean(field.entered(moment)) == moment


def test_numbers_stay_exact_and_dates_and_choices_are_kept(adas, ship, ships):
    page = adas.get(CHANGE)
    form = form_of(page)
    assert (form["tonnage"], form["draught"], form["rig"]) == ("1200.5", "1.5", "ketch")
    assert "2.0\xa0KB" in page.content.decode(), "bytes are shown as their size"
    changes = {"draught": "0.1234567890123456789012345678901234567", "built_on": "1999-12-31"}
    assert adas.post(CHANGE, form | changes | {"rig": "sloop", "tonnage": ""}).status_code == 302
    kept = ships.get("s-1", consistent=True)
    assert (str(kept.draught), kept.tonnage) == ("0.1234567890123456789012345678901234567", None)
    assert (kept.built_on, kept.rig, kept.plan) == (date(1999, 12, 31), "sloop", ship.plan)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"draught": "much"}, "Enter a number such as 12.50."),
        ({"draught": "NaN"}, "Enter a number such as 12.50."),
        ({"draught": ""}, "This field is required."),
        ({"built_on": "yesterday"}, "Enter a date such as 2026-03-01."),
        ({"rig": "raft"}, "Choose one of those that are offered."),
        ({"draught": "0." + "1" * 39}, "at most 38 digits"),
    ],
)
def test_what_cannot_be_is_told_beside_its_field(adas, ship, ships, changes, told):
    answer = adas.post(CHANGE, form_of(adas.get(CHANGE)) | changes)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert ships.get("s-1", consistent=True) == ship


def test_what_is_left_empty_of_a_new_one_takes_its_default(adas, ships):
    form = form_of(adas.get(ADD))
    assert (form["seen_at-date"], form["draught"], form["sails_at-date"]) == ("2026-01-01", "1.50", "")
    assert adas.post(ADD, form | {"ship_id": "s-1"}).status_code == 302
    assert ships.get("s-1", consistent=True) == Ship(ship_id="s-1").at_version(1)
