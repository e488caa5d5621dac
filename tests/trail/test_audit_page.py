"""The audit log as administrators read it, and take it away."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from functools import partialmethod

import pytest
from django.test import AsyncClient

from apps.accounts.entities import Role
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog, Selection
from apps.storage.transaction import Transaction
from apps.trail import showing
from apps.trail.showing import changes
from tests.policy_runs.web import browser, member

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OLGA = Actor(actor_id="u-olga", name="Olga", address="192.0.2.1")
EVE = Actor(actor_id="u-eve", name="=HYPERLINK(1)", address="192.0.2.2")


@pytest.fixture
def log(store):
    return AuditLog(store)


@pytest.fixture
def record(store, log):
    def write(target="Things#1", *, action="thing.changed", actor=OLGA, at=NOON, **more):
        Transaction(store, log.recording(target, action=action, actor=actor, at=at, **more)).commit()

    return write


@pytest.fixture
def ada(store):
    return member(store, Role.ADMIN, name="Ada Admin")


@pytest.fixture
def page(ada):
    """The page as Ada sees it."""
    client = browser(ada)

    def ask(**query):
        answer = client.get("/audit/", query)
        assert answer.status_code == 200
        return answer.content.decode()

    return ask


@pytest.fixture
def export(ada):
    """The lines of an export of Ada's, after the headings."""

    async def ask(**query):
        answer = await browser(ada, kind=AsyncClient).get("/audit/export.csv", query)
        assert answer.status_code == 200
        body = b"".join([part async for part in answer.streaming_content])
        lines = list(csv.reader(io.StringIO(body.decode())))
        assert lines[0] == ["at", "action", "object", "actor_id", "actor_name", "address", "before", "after", "via"]
        return lines[1:]

    return ask


def actions(html):
    return re.findall(r'<td><span class="mono">([^<]+)', html)


def test_an_entry_of_an_api_token_names_it(record, page):
    record(actor=Actor(actor_id="u-olga", name="Olga", via="token nightly export (…ab12)"))
    assert "by token nightly export (…ab12)" in page(object="Things#1")


def test_only_administrators_learn_that_the_page_is_there(store):
    for role in Role:
        client = browser(member(store, role))
        expected = 200 if role is Role.ADMIN else 404
        assert client.get("/audit/").status_code == expected, role
        assert client.get("/audit/export.csv").status_code == expected, role
        assert ('href="/audit/"' in client.get("/").content.decode()) is (role is Role.ADMIN)
    assert browser(None).get("/audit/")["Location"].startswith("/account/sign-in/")
    assert browser(None).get("/audit/export.csv")["Location"].startswith("/account/sign-in/")


def test_nothing_there_changes_the_log(ada):
    for method in ("post", "put", "delete"):
        assert getattr(browser(ada), method)("/audit/").status_code == 405


def test_entries_are_found_by_day_by_person_and_by_object(record, page):
    record("Things#1", action="one")
    record("Things#2", action="two", actor=EVE)
    record("Things#1", action="three", actor=EVE, at=NOON + timedelta(days=1))
    assert actions(page(day="2026-03-01")) == ["two", "one"]
    assert actions(page(day="2026-03-02")) == ["three"]
    assert actions(page(actor="u-eve")) == ["three", "two"]
    assert actions(page(object="Things#1")) == ["three", "one"]
    assert actions(page(object="Things#1", actor="u-olga")) == ["one"]
    assert actions(page(object="Things#1", day="2026-03-01")) == ["one"]
    assert actions(page(actor="u-eve", day="2026-03-01")) == ["two"]
    assert actions(page(day="2026-03-01", action="tw")) == ["two"]
    assert actions(page(object="Things#3")) == []


def test_without_a_choice_the_page_shows_today(record, page):
    record(action="long.ago")
    record(action="just.now", at=datetime.now(UTC))
    assert actions(page()) == ["just.now"]
    assert actions(page(action="long")) == []


def test_a_day_holds_its_first_and_its_last_millisecond(record, log):
    day = datetime(2026, 3, 1, tzinfo=UTC)
    moments = [day - timedelta(milliseconds=1), day, day + timedelta(hours=23, minutes=59, seconds=59.999)]
    for moment in (*moments, day + timedelta(days=1)):
        record(at=moment)
    for selection in (
        Selection(object="Things#1", day=date(2026, 3, 1)),
        Selection(actor_id="u-olga", day=date(2026, 3, 1)),
        Selection(day=date(2026, 3, 1)),
    ):
        assert [entry.at for entry in log.selected(selection).items] == [moments[2], moments[1]]


def test_somebody_is_found_by_their_address_as_well(record, page, ada):
    record(action="ada.did", actor=ada.acting())
    assert actions(page(actor=ada.email.upper())) == ["ada.did"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"actor": "nobody@example.org"}, "Nobody has this e-mail address now."),
        ({"day": "yesterday"}, "Enter a day such as 2026-03-31."),
        ({"day": "9999-12-31", "object": "x"}, "Enter a day from 2000 to 2100."),
        ({"day": "0001-01-01", "actor": "x"}, "Enter a day from 2000 to 2100."),
    ],
)
def test_what_cannot_be_looked_for_is_said_beside_its_field(ada, query, said):
    for path in ("/audit/", "/audit/export.csv"):
        answer = browser(ada).get(path, query)
        assert answer.status_code == 422
        assert said in answer.content.decode()


def test_before_and_after_are_shown_field_by_field_with_secrets_blanked(record, page, log):
    record(
        before={"roles": frozenset({"viewer"}), "password": "hunter2", "settings": {"colour": "red"}},
        after={
            "roles": frozenset({"admin", "viewer"}),
            "settings": {"colour": "blue", "apiToken": "hunter3"},
            "on": True,
        },
    )
    (entry,) = log.of("Things#1").items
    shown = {change.name: (change.before, change.after) for change in changes(entry)}
    assert list(shown) == ["on", "password", "roles", "settings.apiToken", "settings.colour"]
    assert shown == {
        "roles": ("viewer", "admin, viewer"),
        "password": ("(hidden)", None),
        "settings.colour": ("red", "blue"),
        "settings.apiToken": (None, "(hidden)"),
        "on": (None, "yes"),
    }
    for query in ({"day": "2026-03-01"}, {"actor": "u-olga"}, {"object": "Things#1"}):
        html = page(**query)
        assert "settings.colour" in html
        assert "hunter" not in html
        assert "192.0.2.1" in html


def test_a_secret_that_got_into_the_table_past_the_blanking_is_blanked_when_shown(record, log):
    record()
    (entry,) = log.of("Things#1").items
    leaked = entry.evolve(before={"password": "hunter2"}, after={"deep": [{"secret": "hunter3"}]})
    assert "hunter" not in str(changes(leaked))
    assert "hunter" not in str(showing._cells(leaked))


def test_what_was_recorded_cannot_become_markup(record, page):
    record("Things#<script>", actor=EVE, after={"<b>": "<img src=x>"})
    html = page(day="2026-03-01")
    assert "<script>" not in html.split("<main")[1]
    assert "<img" not in html
    assert "<b>" not in html


def test_pages_lead_on_and_back_and_belong_to_their_selection(record, page, ada):
    for number in range(60):
        record(action=f"step.{number:02}", at=NOON + timedelta(seconds=number))
    first = page(day="2026-03-01")
    assert actions(first)[0] == "step.59"
    assert len(actions(first)) == 50
    cursor = re.search(r"cursor=([^\"&]+)", first)[1]
    second = page(day="2026-03-01", cursor=cursor)
    assert actions(second) == [f"step.{number:02}" for number in range(9, -1, -1)]
    assert "Newer</a>" in second
    assert browser(ada).get("/audit/", {"day": "2026-03-02", "cursor": cursor}).status_code == 422


def test_a_filter_that_finds_little_says_how_far_it_looked(record, log, page, monkeypatch):
    for number in range(30):
        record(action="common", at=NOON + timedelta(seconds=number))
    record(action="rare", at=NOON - timedelta(seconds=1))
    few = log.selected(Selection(day=date(2026, 3, 1), action="rare"), limit=2, budget=10)
    assert (list(few.items), few.exhausted_budget, few.examined) == ([], True, 10)
    monkeypatch.setattr(AuditLog, "selected", partialmethod(AuditLog.selected, budget=10))
    html = page(day="2026-03-01", action="rare")
    assert "Looked through 10 entries" in html
    assert "Nothing was recorded" not in html
    for _ in range(3):
        cursor = re.search(r"cursor=([^\"&]+)\">Look further", html)[1]
        html = page(day="2026-03-01", action="rare", cursor=cursor)
    assert actions(html) == ["rare"]


@pytest.mark.parametrize("query", [{"day": "2026-03-01"}, {"actor": "u-olga"}, {"object": "Things#1"}])
def test_a_page_costs_two_requests_whatever_the_log_holds(record, page, query, costs):
    for number in range(120):
        record(at=NOON + timedelta(seconds=number), after={"number": number})
    with costs(requests=4, queries=1, gets=3, rcu=31, wcu=0):  # two of the requests know who asks
        assert len(actions(page(**query))) == 50


async def test_an_export_holds_what_the_page_shows_and_no_formula(record, export):
    record(action="one", before={"password": "hunter2"}, after={"text": '=1+1 "quoted"'})
    record("-2+3", action="@SUM(1)", actor=EVE, at=NOON + timedelta(seconds=1))
    lines = await export(day="2026-03-01")
    assert lines == [
        ["2026-03-01T12:00:01.000Z", "'@SUM(1)", "'-2+3", "u-eve", "'=HYPERLINK(1)", "192.0.2.2", "", "", ""],
        [
            "2026-03-01T12:00:00.000Z",
            "one",
            "Things#1",
            "u-olga",
            "Olga",
            "192.0.2.1",
            '{"password":"(hidden)"}',
            '{"text":"=1+1 \\"quoted\\""}',
            "",
        ],
    ]


async def test_an_export_is_itself_recorded(record, export, log, ada):
    record()
    await export(day="2026-03-01", action="thing")
    (entry,) = log.of("AuditLog#exports").items
    assert (entry.action, entry.actor_id) == ("audit.exported", ada.user_id)
    assert entry.after == {"day": "2026-03-01", "action": "thing", "at_most": 10_000}


@pytest.mark.parametrize("more", [{}, {"action": "thing"}])
async def test_an_export_stops_at_its_bound_and_says_so(record, export, monkeypatch, more):
    monkeypatch.setattr(showing, "MOST_EXPORTED", 5)
    monkeypatch.setattr(showing, "EXPORT_PAGE", 2)
    for number in range(5):
        record(at=NOON + timedelta(seconds=number))
    exact = await export(day="2026-03-01")
    assert len(exact) == 5
    assert all(len(line) == 9 for line in exact)
    record(at=NOON + timedelta(seconds=9))
    lines = await export(day="2026-03-01", **more)
    assert lines[-1][0].startswith("Stopped here: an export looks at 5 entries at most.")
    assert len(lines) <= 6
    if not more:
        assert len(lines) == 6


async def test_an_export_goes_page_by_page_and_costs_two_requests_a_hundred(record, export, costs):
    for number in range(250):
        record(at=NOON + timedelta(seconds=number))
    with costs(requests=10, queries=3):  # three to sign in, the record of it, two for each page
        lines = await export(day="2026-03-01")
    assert len(lines) == 250
    assert len({line[0] for line in lines}) == 250
