"""The first page, for each kind of person."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from apps.accounts.entities import Role
from apps.policy_runs.entities import AstExecution, RunStatus
from apps.policy_runs.repository import Executions
from tests.policy_runs.web import browser, member


@pytest.fixture
def olga(store):
    return member(store, Role.OPERATOR)


@pytest.fixture
def oskar(store):
    return member(store, Role.OPERATOR, name="Oskar Operator")


@pytest.fixture
def put(store):
    """Store a run of somebody in a state, `age` hours old; returns its key."""
    start = datetime(2026, 3, 1, tzinfo=UTC)

    def putting(user, status, *, age):
        run = AstExecution(
            execution_id=f"01JRUN{1000 - age:020}",
            session_id="s",
            user_id=user.user_id,
            ast_name="login",
            host_name="demo",
            status=status,
            under_way=None if status.is_final else "yes",
            created_at=start - timedelta(hours=age),
        )
        Executions(store).add(run)
        return run.execution_id

    return putting


def shown(response):
    """Keys of the runs in progress, and of the recent ones, in the page's order."""
    progress, _, recent = response.content.decode().partition('id="recent-heading"')
    return [re.findall(r'href="/policy-runs/(01JRUN\d+)/"', part) for part in (progress, recent)]


def test_operators_see_what_is_in_progress_and_what_ended_last(olga, oskar, put):
    long_ago = put(oskar, RunStatus.PAUSED, age=500)
    ended = [put(olga, RunStatus.SUCCESS, age=age) for age in range(10, 40)]
    waiting = put(olga, RunStatus.PENDING, age=2)
    running = put(oskar, RunStatus.RUNNING, age=1)
    page = browser(olga).get("/")

    in_progress, recent = shown(page)
    assert in_progress == [running, waiting, long_ago], "one that was started long ago is still in progress"
    assert recent == ended[:18], "20 are read; the two that are in progress are shown above"
    assert "Oskar Operator" in page.content.decode()
    assert 'href="/policy-runs/new/"' in page.content.decode()


def test_administrators_and_support_see_the_same_and_only_who_may_launch_is_offered_it(store, olga, put):
    key = put(olga, RunStatus.RUNNING, age=1)
    for role, may_launch in ((Role.ADMIN, True), (Role.SUPPORT, False)):
        page = browser(member(store, role)).get("/")
        assert shown(page)[0] == [key]
        assert ('href="/policy-runs/new/"' in page.content.decode()) is may_launch


def test_who_has_nothing_to_do_with_runs_learns_nothing_of_them(store, olga, put, costs):
    put(olga, RunStatus.RUNNING, age=1)
    for role in (Role.VIEWER, Role.SHOP_OPERATOR, Role.ANALYST):
        client = browser(member(store, role))
        with costs(requests=2, gets=2):  # who is it?
            page = client.get("/")
        html = page.content.decode()
        assert page.status_code == 200
        assert "Nothing waits for you." in html
        assert "01JRUN" not in html
        assert 'href="/policy-runs/"' not in html


def test_an_operator_on_the_first_day_is_led_to_the_first_run(olga):
    page = browser(olga).get("/")

    assert page.content.decode().count('href="/policy-runs/new/"') == 1
    assert "Start the first run" in page.content.decode()


def test_whoever_has_not_signed_in_goes_to_the_sign_in_page(store):
    answer = browser(None).get("/")

    assert (answer.status_code, answer.url) == (302, "/account/sign-in/")


def test_the_first_page_costs_three_requests_however_many_runs_there_are(olga, oskar, put, costs):
    for age in range(60):
        put(oskar if age % 2 else olga, RunStatus.SUCCESS if age % 3 else RunStatus.RUNNING, age=age)
    client = browser(olga)
    with costs(requests=2 + 3, gets=2 + 1, queries=2, rcu=20, wcu=0):  # two gets tell who it is
        assert client.get("/").status_code == 200
