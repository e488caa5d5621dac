"""Filters, listings and orders: what each of them shows, which request it is, and what it says where it cannot."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from ulid import ULID

from apps.accounts.entities import Role
from apps.accounts.repository import Users
from apps.audit.entities import AuditEntry
from apps.audit.repository import AuditLog
from apps.policy_runs.entities import AstExecution, PolicyResult, RunStatus
from apps.policy_runs.repository import Executions, Results
from tests.console.test_lists import USERS, link, rows
from tests.policy_runs.conftest import person
from tests.policy_runs.web import browser, member

RUNS, RESULTS, ENTRIES = (
    "/admin/policy_runs/astexecution/",
    "/admin/policy_runs/policyresult/",
    "/admin/audit/auditentry/",
)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def head(answer, label):
    """Where the head of a column leads, and how the rows are sorted by it."""
    cell = re.search(rf'<th scope="col"([^>]*)>(?:<a href="([^"]*)">)?{label}', answer.content.decode())
    order = re.search(r'aria-sort="(\w+)"', cell[1])
    return (cell[2] or "").replace("&amp;", "&"), order[1] if order else None


@pytest.fixture
def runs(office_store):
    """Eight runs, a day apart, by two users, every other of which has failed."""
    made = []
    for number in range(8):
        at = START + timedelta(days=number)
        run = AstExecution(
            execution_id=str(ULID.from_datetime(at)),
            session_id="s",
            user_id=f"user-{number // 4}",
            ast_name="login",
            host_name="demo",
            created_at=at,
            status=RunStatus.FAILED if number % 2 else RunStatus.SUCCESS,
            failed_count=number % 4,
        )
        made.append(Executions(office_store).add(run))
    return made


def ids(runs, *numbers):
    return [runs[number].execution_id for number in numbers]


@pytest.mark.parametrize(
    ("query", "index", "shown"),
    [
        ("", "board-execution_id-index", range(7, -1, -1)),
        ("status=failed", "status-execution_id-index", (7, 5, 3, 1)),
        ("user_id=user-0", "user_id-execution_id-index", (3, 2, 1, 0)),
        ("user_id=user-1&status=failed", "user_id-execution_id-index", (7, 5)),
        ("created_at__from=2026-03-03&created_at__to=2026-03-05", "board-execution_id-index", (4, 3, 2)),
        ("created_at__from=2026-03-07&user_id=user-1", "user_id-execution_id-index", (7, 6)),
        ("created_at__to=2026-03-01&status=success", "status-execution_id-index", (0,)),
        ("failed_count=0", "board-execution_id-index", (4, 0)),
        ("o=created_at", "board-execution_id-index", range(8)),
        ("o=execution_id&status=failed", "status-execution_id-index", (1, 3, 5, 7)),
        ("o=-created_at&status=failed", "status-execution_id-index", (7, 5, 3, 1)),
        ("o=nothing", "board-execution_id-index", range(7, -1, -1)),
    ],
)
def test_each_choice_is_one_query_of_the_index_that_answers_it(adas, runs, costs, query, index, shown):
    with costs(requests=4, gets=3, queries=1, wcu=0) as cost:  # the session, the user, and the names of owners
        page = adas.get(f"{RUNS}?{query}")
    assert rows(page) == ids(runs, *shown)
    assert cost.of(operation="query", index=index).requests == 1


def test_what_a_key_answers_is_not_read_in_vain(adas, runs, costs):
    with costs() as cost:
        adas.get(f"{RUNS}?created_at__from=2026-03-08&created_at__to=2026-03-08")
    assert cost.of(operation="query").read_units == 0.5


def test_days_are_those_of_the_reader_s_zone(adas, runs, settings):
    settings.TIME_ZONE = "Pacific/Auckland"  # 13 hours before UTC: noon is the next day there
    assert rows(adas.get(f"{RUNS}?created_at__from=2026-03-02&created_at__to=2026-03-02")) == ids(runs, 0)


@pytest.mark.parametrize("zone", ["Asia/Beirut", "Etc/GMT+12"], ids=["ahead", "behind"])
def test_the_first_and_the_last_day_there_is_can_be_chosen_in_any_zone(adas, runs, settings, zone):
    settings.TIME_ZONE = zone
    every = ids(runs, *range(7, -1, -1))
    assert rows(adas.get(f"{RUNS}?created_at__from=1970-01-01&created_at__to=9998-12-31")) == every
    assert rows(adas.get(f"{RUNS}?created_at__to=1970-01-01")) == []


def test_the_heads_of_columns_turn_the_order_and_drop_the_cursor(adas, runs, monkeypatch):
    monkeypatch.setattr("tests.console.office.RunAdmin.list_per_page", 3)
    first = adas.get(f"{RUNS}?status=failed")
    assert head(first, "Launched") == ("?o=created_at&status=failed", "descending")
    second = adas.get(RUNS + link(first, "next"))
    assert rows(second) == ids(runs, 1)
    address, order = head(second, "Launched")
    assert (address, order) == ("?o=created_at&status=failed", "descending")
    turned = adas.get(RUNS + address)
    assert rows(turned) == ids(runs, 1, 3, 5)
    assert head(turned, "Launched") == ("?o=-created_at&status=failed", "ascending")
    assert "o=created_at" in link(turned, "next"), "the order stays over pages"
    assert rows(adas.get(RUNS + link(turned, "next"))) == ids(runs, 7)
    assert head(first, "Status") == ("", None), "no index sorts by it"


def test_a_filter_that_no_key_answers_looks_so_far_and_says_it(store, adas):
    users = Users(store)
    for number in range(30):
        users.add(person(Role.OPERATOR, name=f"Crowd {number:03}"))
    users.add(person(Role.ANALYST, name="Zoe"))
    page = adas.get(f"{USERS}?roles=analyst")
    assert rows(page) == ["Zoe"]
    assert "Searched" not in text(page), "it came to the end"
    assert rows(adas.get(f"{USERS}?is_active=no")) == []
    assert "No users fit this choice." in text(adas.get(f"{USERS}?is_active=no"))


def test_a_search_under_a_budget_is_continued_where_it_stopped(store, adas, costs, monkeypatch):
    monkeypatch.setattr("apps.console.lists.row_lists.BUDGET", 60)
    users = Users(store)
    for number in range(100):
        users.add(person(Role.ANALYST if number in {7, 90} else Role.OPERATOR, name=f"Crowd {number:03}"))
    with costs(requests=4, gets=2, wcu=0):
        page = adas.get(f"{USERS}?roles=analyst")
    assert rows(page) == ["Crowd 007"]
    assert "Searched 60 rows, 1 found. Continue" in text(page)
    further = adas.get(USERS + link(page, "next"))
    assert rows(further) == ["Crowd 090"]


def test_a_search_by_no_key_takes_five_queries_a_page_at_most(office_store, adas, costs):
    made = (START + timedelta(minutes=number) for number in range(1100))
    run = {"session_id": "s", "ast_name": "login", "host_name": "demo", "user_id": "u"}
    Executions(office_store).put_many(
        AstExecution(**run, execution_id=str(ULID.from_datetime(at)), created_at=at) for at in made
    )
    with costs(requests=7, queries=5, gets=2, wcu=0):
        page = adas.get(f"{RUNS}?failed_count=7")
    assert "Searched 1,000 rows, 0 found. Continue" in text(page)
    assert "No runs fit" not in text(page), "it is not known yet"
    assert "No runs fit this choice" in text(adas.get(RUNS + link(page, "next")))


def test_a_day_is_today_where_nothing_else_is_chosen(office_store, adas):
    log = AuditLog(office_store)
    for name, at in (("Hosts#old", START), ("Hosts#new", datetime.now(UTC))):
        entry = AuditEntry(object=name, entry=str(ULID.from_datetime(at)), action="x", at=at, actor_id="a")
        log.add(entry)
    today = datetime.now(UTC).date().isoformat()
    assert "fit what is chosen above" not in text(adas.get(ENTRIES))
    page = adas.get(ENTRIES)
    assert rows(page) == ["Hosts#new"]
    assert f'value="{today}"' in page.content.decode(), "the day that is shown is told"
    assert rows(adas.get(f"{ENTRIES}?day=2026-03-01")) == ["Hosts#old"]
    assert rows(adas.get(f"{ENTRIES}?object=Hosts%23old")) == ["Hosts#old"]
    assert rows(adas.get(f"{ENTRIES}?object=Hosts%23old&day={today}")) == []


def test_a_day_without_rows_says_that_another_may_have_some(office_store, adas):
    assert "No audit entries fit what is chosen above." in text(adas.get(ENTRIES))


def test_a_filter_may_be_part_of_a_sort_key_s_template(office_store, adas, costs):
    for number, status in ((1, "success"), (2, "failed"), (3, "failed")):
        result = PolicyResult(execution_id="r", policy_number=f"ABC00000{number}", status=status)
        Results(office_store).add(result)
    with costs(requests=3, queries=1) as cost:
        assert rows(adas.get(f"{RESULTS}?execution_id=r&status=failed")) == ["ABC000002", "ABC000003"]
    assert cost.of(operation="query", index="execution_id-status_key-index").requests == 1
    with costs(requests=3, scans=1):
        assert len(rows(adas.get(RESULTS))) == 3


def test_a_filter_that_works_only_beside_another_says_which(office_store, adas, costs):
    with costs(requests=2, gets=2):
        answer = adas.get(f"{RESULTS}?status=failed")
    assert answer.status_code == 422
    assert "Choose “Execution id” or “Policy number” as well" in text(answer)
    answer = adas.get(f"{USERS}?roles=analyst&q=ol")
    assert answer.status_code == 200, "the directory carries roles"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("status=strange", "Select a valid choice"),
        ("created_at__from=tomorrow", "Enter a valid date"),
        ("created_at__from=0001-01-01", "Choose a day from 1970"),
        ("created_at__to=9999-12-31", "Choose a day from 1970"),
        ("created_at__from=2026-03-02&created_at__to=2026-03-01", "not before the first one"),
        ("failed_count=many", "Enter a whole number"),
        ("failed_count=" + "9" * 60, "less than or equal to"),
        ("user_id=" + "x" * 3000, "at most"),
        ("user_id=%00", "Null characters"),
    ],
)
def test_a_malformed_filter_is_marked_and_nothing_is_read(adas, runs, costs, query, said):
    with costs(requests=2, gets=2):
        answer = adas.get(f"{RUNS}?{query}")
    assert answer.status_code == 422
    assert said in text(answer)
    assert "Correct what is marked" in text(answer)


def test_filters_stay_over_pages_and_can_be_cleared(adas, runs, monkeypatch):
    monkeypatch.setattr("tests.console.office.RunAdmin.list_per_page", 2)
    page = adas.get(f"{RUNS}?status=failed&user_id=&created_at__from=")
    assert link(page, "next").startswith("?p=")
    assert link(page, "next").endswith("&status=failed"), "what was not chosen is not in the address"
    assert '<option value="failed" selected>' in page.content.decode()
    assert ">Clear</a>" in page.content.decode()
    assert ">Clear</a>" not in adas.get(RUNS).content.decode()


def test_a_user_is_found_by_the_whole_e_mail_with_two_reads_by_key(adas, ada, costs):
    with costs(requests=4, gets=4, queries=0, wcu=0):
        assert rows(adas.get(f"{USERS}?q={ada.email.upper()}")) == ["Ada Admin"]
    with costs(requests=4, gets=3, queries=1, wcu=0):  # nobody has it: it may be the beginning of a name
        assert rows(adas.get(f"{USERS}?q=nobody@example.org")) == []
    with costs(requests=3, gets=2, queries=1, wcu=0):  # no address
        assert rows(adas.get(f"{USERS}?q=ada")) == ["Ada Admin"]


@pytest.mark.parametrize(
    ("chosen", "is_found"),
    [("roles=admin", True), ("roles=operator", False), ("is_active=no", False), ("roles=admin&is_active=yes", True)],
)
def test_who_is_found_by_the_whole_e_mail_is_so_under_the_filters_alone(adas, ada, chosen, is_found):
    assert rows(adas.get(f"{USERS}?q={ada.email}&{chosen}")) == (["Ada Admin"] if is_found else [])


@pytest.mark.parametrize(
    ("chosen", "is_found"),
    [
        ("status=success", True),
        ("status=failed", False),
        ("user_id=user-0&failed_count=0", True),
        ("failed_count=1", False),
        ("created_at__from=2026-03-01&created_at__to=2026-03-01", True),
        ("created_at__from=2026-03-02", False),
        ("created_at__to=2026-02-28", False),
    ],
)
def test_a_row_that_is_found_by_its_key_is_so_under_every_kind_of_filter(adas, runs, monkeypatch, chosen, is_found):
    monkeypatch.setattr("tests.console.office.RunAdmin.finds", {"execution_id": str})
    found = rows(adas.get(f"{RUNS}?q={runs[0].execution_id}&{chosen}"))
    assert found == (ids(runs, 0) if is_found else [])


def test_a_related_column_shows_names_by_one_batch_for_the_page(office_store, adas, costs):
    people = [member(office_store, Role.OPERATOR, name=f"Owner {number}") for number in range(20)]
    for number in range(40):
        at = START + timedelta(minutes=number)
        executions, owner = Executions(office_store), people[number % 20]
        run = {"execution_id": str(ULID.from_datetime(at)), "session_id": "s", "ast_name": "login", "host_name": "demo"}
        executions.add(AstExecution(**run, user_id=owner.user_id, created_at=at))
    with costs(requests=4, gets=3, queries=1, wcu=0) as cost:
        html = adas.get(RUNS).content.decode()
    assert cost.of(operation="batch_get_item").requests == 1
    for owner in people:
        assert f'<a href="/admin/accounts/user/{owner.user_id}/change/">{owner.name}</a>' in html


def test_the_name_of_a_row_that_is_gone_is_its_key(adas, runs):
    html = adas.get(RUNS).content.decode()
    assert re.search(r">\s*user-0\s*</td>", html)


def test_support_sees_no_results_and_no_filters_of_them(office_store):
    sams = browser(member(office_store, Role.SUPPORT))
    assert sams.get(f"{RESULTS}?execution_id=r").status_code == 404
