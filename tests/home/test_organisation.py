"""What administrators see on the first page: plans under way, the tables, and policy runs."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from apps.accounts.entities import Role
from apps.home.entities import STALE_AFTER, TableHealth
from apps.home.handler import TableHealthHandler
from apps.home.health import LOOK_EVERY, look_at_tables
from apps.home.repository import HEALTH, TableHealths
from apps.policy_runs.entities import AstExecution, RunStatus
from apps.policy_runs.repository import Executions
from apps.storage.metering import metering
from apps.storage.registry import declared_tables
from apps.storage.schema.apply import set_up
from apps.storage.table import Index, Key, Table
from tests.policy_runs.web import beyond_sign_in, browser, member
from tests.seasons import active_ladder, manager, plan_of, team_member, team_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def ada(store):
    return member(store, Role.ADMIN, name="Ada Admin")


@pytest.fixture
def plans(store):
    """Thirty plans under way, one due each day from the day before yesterday on."""
    ladder, mona, timo = active_ladder(store), manager(store), team_member(store)
    today = timezone.localdate()
    return [
        plan_of(
            store,
            team_of(store, mona, timo, name=f"Team {number:02}"),
            ladder,
            start=today - timedelta(days=20),
            end=today + timedelta(days=number - 2),
        )
        for number in range(30)
    ]


def test_the_first_due_come_first_on_one_page_for_four_requests(store, ada, plans):
    Executions(store).add(
        AstExecution(
            execution_id="01JRUN00000000000000000001",
            session_id="s",
            user_id=ada.user_id,
            ast_name="login",
            host_name="demo",
            status=RunStatus.RUNNING,
            under_way="yes",
            created_at=NOW,
        )
    )
    look_at_tables(store, declared_tables(), now=timezone.now())
    client = browser(ada)
    with metering() as cost:
        html = client.get("/").content.decode()
    assert sum(beyond_sign_in(cost).values()) == 4
    names = [f"Team {number:02}" for number in range(30)]
    assert [name for name in names if f">{name}</a>" in html] == names[:25]
    assert html.index("Team 00") < html.index("Team 01") < html.index("Team 24")
    assert "Overdue by 2 days" in html
    assert "these are the first due" in html
    assert f"All {len(declared_tables())} tables are in order" in html
    assert "No worker has looked since" not in html
    assert "01JRUN00000000000000000001" in html
    assert ">Ada Admin<" in html


def test_on_the_first_day_it_says_what_to_do_and_in_which_order(store, ada):
    client = browser(ada)
    html = client.get("/").content.decode()
    assert "No plan is under way." in html
    steps = re.search(r'<ol class="first-steps">(.*?)</ol>', html, re.DOTALL).group(1)
    assert re.findall(r'href="(.*?)"', steps) == ["/ladder/", "/people/", "/teams/", "/plans/new/"]
    assert "Done" not in steps
    active_ladder(store)
    assert client.get("/").content.decode().count("Done") == 1
    assert "No worker has looked at the tables yet." in html


def test_trouble_with_tables_is_told_in_words_and_old_news_is_said_to_be_old(store, ada):
    long_ago = timezone.now() - STALE_AFTER - timedelta(minutes=1)
    trouble = TableHealth(checked_at=long_ago, table_count=30, problems=("Table Hosts is missing.",))
    TableHealths(store).put_many([trouble])
    html = browser(ada).get("/").content.decode()
    assert "Something is wrong with the tables." in html
    assert "Table Hosts is missing." in html
    assert "No worker has looked since." in html


def test_it_is_for_administrators_alone(store, plans):
    for role in set(Role) - {Role.ADMIN}:
        client = browser(member(store, role))
        assert client.get("/home/organisation/").status_code == 404
        assert "Plans under way" not in client.get("/").content.decode()


def test_tables_and_indexes_that_lack_are_named(empty_store):
    there = Table(name="Boats", partition_key=Key("boat_id"))
    declared = Table(
        name="Boats",
        partition_key=Key("boat_id"),
        indexes=(Index(name="fleet-index", partition_key=Key("fleet"), question="Which boats are there?"),),
    )
    missing = Table(name="Piers", partition_key=Key("pier_id"))
    kept = TableHealths.table
    assert not [one.error for one in set_up(empty_store, [there, kept]) if one.error]
    found = look_at_tables(empty_store, [declared, missing, kept], now=NOW)
    assert found.problems == ("Table Boats lacks the index fleet-index.", "Table Piers is missing.")
    assert TableHealths(empty_store).get(HEALTH, consistent=True) == found.at_version(1)
    assert look_at_tables(empty_store, [kept], now=NOW + LOOK_EVERY).is_sound


def test_several_workers_look_once_a_minute_together(store):
    first = look_at_tables(store, [TableHealths.table], now=NOW)
    with metering() as cost:
        assert look_at_tables(store, [TableHealths.table], now=NOW + timedelta(seconds=30)) == first.at_version(1)
    assert cost.total_requests == 1


async def test_the_worker_keeps_it_and_never_has_work(store):
    store.fill()
    handler = TableHealthHandler()
    assert not await handler.waiting(now=NOW, limit=5)
    await handler.sweep(now=NOW)
    assert TableHealths(store).get(HEALTH, consistent=True).is_sound
