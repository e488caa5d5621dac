"""What makes a run, and what does not."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from apps.accounts.entities import Role
from apps.errors import Forbidden, NotFound
from apps.policy_runs.asts import ASTS
from apps.policy_runs.asts.base import Credentials
from apps.policy_runs.entities import PolicyStatus, RunStatus
from apps.policy_runs.errors import InvalidLaunch, KeyReused
from apps.policy_runs.handler import PolicyRunHandler
from apps.policy_runs.services import LaunchRequest, launch, sweep_broken_launches
from apps.storage.conditions import Query
from apps.storage.errors import StoreUnavailable
from apps.storage.metering import metering
from apps.storage.registry import declared_tables
from apps.terminal.entities import Host, SessionStatus
from tests.policy_runs.conftest import PASSWORD, host_row, person

NUMBERS = ("ABC123DEF", "ABC123DEG", "ABC123DEH")


@pytest.fixture
def host(stores) -> Host:
    return stores.hosts.add(host_row(9)) or host_row(9)


@pytest.fixture
def start(stores, operator, host):
    """Launch a run; changes are those of the request."""

    def starting(*, actor=None, now=None, credentials=None, **changes):
        request = {"ast_name": "login", "host_name": "demo", "numbers": NUMBERS, "key": "the-same-key", **changes}
        return launch(
            stores,
            actor=actor or operator,
            request=LaunchRequest(**request),
            credentials=credentials or Credentials("DEMO01", PASSWORD),
            asts=ASTS,
            now=now or datetime.now(UTC),
        )

    return starting


def raw_items(store):
    """Every item of every table of this store, by table."""
    return {table.name: store.client.scan(TableName=store.physical(table))["Items"] for table in declared_tables()}


def test_a_launched_run_waits_in_the_queue_with_a_pending_result_for_each_policy(start, stores):
    now = datetime.now(UTC)
    launched = start(now=now)

    run = stores.executions.get(launched.run.execution_id, consistent=True)
    assert launched.is_new
    assert (run.status, run.queue, run.total_items, run.pending_count) == (RunStatus.PENDING, "open", 3, 3)
    assert stores.executions.waiting(now=now + timedelta(seconds=1), limit=10) == [run.execution_id]
    results = list(stores.results.stream(Query(partition=run.execution_id), consistent=True))
    assert {(result.policy_number, result.status) for result in results} == {
        (number, PolicyStatus.PENDING) for number in NUMBERS
    }
    assert stores.sessions.get(run.session_id).status is SessionStatus.ACTIVE
    assert [entry.action for entry in stores.audit.of(f"AstExecutions#{run.execution_id}").items] == ["run.launched"]


def test_a_double_submit_is_one_run(start, stores):
    first, second = start(), start()

    assert (first.is_new, second.is_new) == (True, False)
    assert first.run.execution_id == second.run.execution_id
    assert len(stores.executions.listed().items) == 1


def test_submits_at_the_same_moment_are_one_run(start, stores, in_threads):
    launched = [None] * 6

    def submit(position):
        launched[position] = start()

    in_threads(6, submit)

    assert len({found.run.execution_id for found in launched}) == 1
    assert [found.is_new for found in launched].count(True) == 1
    assert len(stores.executions.listed().items) == 1


def test_a_key_that_comes_back_with_another_request_is_a_conflict(start, stores):
    stores.hosts.add(host_row(10, host_name="other"))
    first = start()

    for changes in ({"numbers": NUMBERS[:2]}, {"numbers": NUMBERS[::-1]}, {"host_name": "other"}):
        with pytest.raises(KeyReused, match=first.run.execution_id):
            start(**changes)
    assert len(stores.executions.listed().items) == 1


def test_the_same_key_of_another_person_is_another_run(start):
    assert start().run.execution_id != start(actor=person(Role.OPERATOR)).run.execution_id


REFUSED = [
    ({"host_name": "nowhere"}, "host_name"),
    ({"host_name": ""}, "host_name"),
    ({"host_name": "127.0.0.1"}, "host_name"),
    ({"host_name": "127.0.0.1:9"}, "host_name"),
    ({"host_name": "h" * 5000}, "host_name"),
    ({"ast_name": "erase"}, "ast_name"),
    ({"ast_name": ""}, "ast_name"),
    ({"parameters": {"depth": 3}}, "parameters"),
    ({"numbers": ()}, "policy_numbers"),
    ({"numbers": ("ABC123DEF", "ABC123DEF")}, "policy_numbers"),
    ({"numbers": ("abc123def",)}, "policy_numbers"),
    ({"numbers": ("ABC123DEF\n",)}, "policy_numbers"),
    ({"credentials": Credentials("", PASSWORD)}, "password"),
    ({"credentials": Credentials("DEMO01", "")}, "password"),
]


def test_what_cannot_be_run_is_refused_with_its_field_and_stores_nothing(start, stores):
    for changes, field in REFUSED:
        with pytest.raises(InvalidLaunch) as refused:
            start(**changes)
        assert refused.value.field == field, changes
    assert stores.executions.listed().items == []


def test_a_host_or_a_transaction_that_was_switched_off_takes_no_run(start, stores):
    stores.hosts.save(stores.hosts.get("demo", consistent=True).evolve(enabled=False))
    with pytest.raises(InvalidLaunch, match="not one of the hosts"):
        start()
    stores.hosts.save(stores.hosts.get("demo", consistent=True).evolve(enabled=True))
    stores.asts.save(stores.asts.get("login", consistent=True).evolve(enabled=False))
    with pytest.raises(InvalidLaunch, match="no AST login that may be run"):
        start()
    assert stores.executions.listed().items == []


def test_only_operators_and_administrators_launch(start, stores):
    refusals = dict.fromkeys(Role, NotFound) | {Role.SUPPORT: Forbidden}
    for role in (Role.ADMIN, Role.OPERATOR):
        del refusals[role]
        assert start(actor=person(role)).is_new
    for role, refusal in refusals.items():
        with pytest.raises(refusal):
            start(actor=person(role))
    with pytest.raises(NotFound):
        start(actor=person(Role.ADMIN).evolve(is_active=False))
    assert len(stores.executions.listed().items) == 2


@pytest.fixture
def broken_launch(start, stores, monkeypatch):
    """A launch during which the store stops answering."""

    def silent(_entities):
        raise StoreUnavailable("The store does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(stores.results, "put_many", silent)
        with pytest.raises(StoreUnavailable):
            start()
    return stores.executions.listed().items[0]


async def test_a_launch_that_breaks_half_way_leaves_nothing_that_runs(broken_launch, stores):
    run = stores.executions.get(broken_launch.execution_id, consistent=True)

    assert (run.status, run.queue, run.available_at) == (RunStatus.PENDING, None, None)
    assert list(await PolicyRunHandler(lambda: stores).waiting(now=datetime.now(UTC), limit=10)) == []
    assert stores.secrets.find(run.execution_id) is None


def test_a_broken_launch_is_swept_after_ten_minutes_and_not_before(broken_launch, stores):
    created = broken_launch.created_at

    assert sweep_broken_launches(stores, now=created + timedelta(minutes=9, seconds=59)) == []
    assert sweep_broken_launches(stores, now=created + timedelta(minutes=10)) == [broken_launch.execution_id]
    run = stores.executions.get(broken_launch.execution_id, consistent=True)
    assert (run.status, run.skipped_count) == (RunStatus.FAILED, 3)
    assert "interrupted" in run.result["reason"]
    assert stores.sessions.get(run.session_id).status is SessionStatus.CLOSED
    assert sweep_broken_launches(stores, now=created + timedelta(hours=1)) == []


def test_the_sweep_leaves_runs_alone_that_wait_for_a_worker(start, stores):
    run = start().run

    assert sweep_broken_launches(stores, now=run.created_at + timedelta(days=1)) == []
    assert stores.executions.get(run.execution_id, consistent=True).queue == "open"


def test_the_host_password_is_in_no_item_and_opens_only_in_its_place(start, store):
    start(credentials=Credentials("MAINFRAME7", "sesame-open-7"))

    items = raw_items(store)
    assert items["RunSecrets"], "the credentials are stored, encrypted"
    assert "sesame-open-7" not in str(items)
    assert "MAINFRAME7" not in str(items)


def test_credentials_are_never_printed():
    credentials = Credentials("MAINFRAME7", "sesame-open-7")

    assert "sesame" not in repr(credentials) + str(credentials)
    with pytest.raises(ValidationError) as refused:
        LaunchRequest(ast_name="login", host_name="demo", numbers=(credentials,), key="k")
    assert "sesame" not in str(refused.value)


def test_ten_thousand_policies_make_a_small_item_that_names_none_of_them(start, store):
    numbers = tuple(f"A{number:08}" for number in range(10_000))
    with metering() as cost:
        run = start(numbers=numbers).run

    item = store.client.get_item(
        TableName=f"{store.prefix}-dev-AstExecutions", Key={"execution_id": {"S": run.execution_id}}
    )["Item"]
    assert len(str(item)) < 4096
    assert not any(number in str(item) for number in numbers)
    assert cost.requests["batch_write_item", "PolicyResults"] == 400, "25 a request, each sent once"
