"""Pause, resume, cancel, and who may."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from apps.accounts.entities import Role
from apps.jobs.entities import Control
from apps.policy_runs.asts.base import Credentials
from apps.policy_runs.entities import PolicyStatus, RunStatus
from apps.policy_runs.errors import ControlRefused, CredentialsNeeded, NotAllowed, RunNotFound
from apps.policy_runs.services import control
from apps.storage.connection import off_loop
from tests.policy_runs.conftest import PASSWORD, good_policies, person


@pytest.fixture
def wish(stores, operator):
    async def ask(run, wanted, actor=None, credentials=None):
        return await off_loop(
            control,
            stores,
            actor=actor or operator,
            key=run.execution_id,
            wish=wanted,
            now=datetime.now(UTC),
            credentials=credentials,
        )

    return ask


async def under_way(demo_host, number):
    """Wait until the host has seen this many inquiries."""
    async with asyncio.timeout(10):
        while sum(demo_host.inquiries.values()) < number:
            await asyncio.sleep(0.02)


@pytest.fixture
def slow_run(demo_host, launched):
    """200 policies that take the host about six seconds."""
    demo_host.latency_seconds = 0.05
    return launched(good_policies(200))


async def test_a_paused_run_starts_no_further_policy(slow_run, worked, wish, demo_host, stores):
    working = asyncio.create_task(worked(slow_run))
    await under_way(demo_host, 10)
    await wish(slow_run, Control.PAUSE)
    await asyncio.sleep(2.0)
    seen = sum(demo_host.inquiries.values())
    run = await working

    assert run.status is RunStatus.PAUSED
    assert sum(demo_host.inquiries.values()) == seen, "a policy was started more than two seconds after the pause"
    assert run.queue is None
    assert run.lease_owner is None
    assert 10 <= run.completed_items < 200
    assert stores.secrets.find(run.execution_id) is not None


async def test_a_resumed_run_does_the_rest_and_nothing_twice(slow_run, worked, wish, demo_host, results):
    working = asyncio.create_task(worked(slow_run))
    await under_way(demo_host, 30)
    await wish(slow_run, Control.PAUSE)
    await working
    demo_host.latency_seconds = 0.0
    await wish(slow_run, Control.RUN)
    run = await worked(slow_run)

    assert (run.status, run.success_count, run.fence) == (RunStatus.SUCCESS, 200, 2)
    assert set(demo_host.inquiries.values()) == {1}
    assert {result.status for result in results(run).values()} == {PolicyStatus.SUCCESS}


async def test_a_cancelled_run_ends_within_five_seconds_and_skips_the_rest(slow_run, worked, wish, demo_host, stores):
    demo_host.latency_seconds = 0.4
    working = asyncio.create_task(worked(slow_run))
    await under_way(demo_host, 1)
    asked = datetime.now(UTC)
    await wish(slow_run, Control.CANCEL)
    run = await working

    assert run.status is RunStatus.CANCELLED
    assert run.completed_at - asked < timedelta(seconds=5.5)
    assert run.completed_items + run.skipped_count == 200
    assert run.skipped_count > 150
    assert stores.secrets.find(run.execution_id) is None
    assert stores.sessions.get(run.session_id).status.value == "closed"
    async with asyncio.timeout(3):
        while demo_host.sessions_open:
            await asyncio.sleep(0.05)


async def test_a_run_nobody_works_on_is_paused_resumed_and_cancelled_at_once(launched, wish):
    run = launched(good_policies(2))

    assert (await wish(run, Control.PAUSE)).status is RunStatus.PAUSED
    resumed = await wish(run, Control.RUN)
    assert (resumed.status, resumed.queue) == (RunStatus.PENDING, "open")
    cancelled = await wish(run, Control.CANCEL)
    assert (cancelled.status, cancelled.skipped_count, cancelled.queue) == (RunStatus.CANCELLED, 2, None)
    with pytest.raises(ControlRefused):
        await wish(run, Control.RUN)


async def test_resuming_asks_for_credentials_that_were_erased(launched, wish, stores, worked):
    run = launched(good_policies(2))
    await wish(run, Control.PAUSE)
    stores.secrets.delete(run.execution_id)

    with pytest.raises(CredentialsNeeded):
        await wish(run, Control.RUN)
    await wish(run, Control.RUN, credentials=Credentials("DEMO01", PASSWORD))
    assert (await worked(run)).status is RunStatus.SUCCESS


async def test_a_worker_that_finds_no_credentials_pauses_the_run_and_says_why(launched, wish, stores, worked):
    run = launched(good_policies(2))
    stores.secrets.delete(run.execution_id)

    paused = await worked(run)

    assert paused.status is RunStatus.PAUSED
    assert "password" in paused.waiting_reason
    await wish(run, Control.RUN, credentials=Credentials("DEMO01", PASSWORD))
    assert (await worked(run)).status is RunStatus.SUCCESS


async def test_only_the_owner_or_an_administrator_controls_a_run(launched, wish):
    run = launched(good_policies(2))

    with pytest.raises(NotAllowed):
        await wish(run, Control.PAUSE, actor=person(Role.OPERATOR, name="Another operator"))
    with pytest.raises(NotAllowed):
        await wish(run, Control.PAUSE, actor=person(Role.SUPPORT))
    with pytest.raises(RunNotFound):
        await wish(run, Control.PAUSE, actor=person(Role.VIEWER))
    assert (await wish(run, Control.PAUSE, actor=person(Role.ADMIN))).status is RunStatus.PAUSED


async def test_control_is_written_to_the_audit_log_in_the_same_transaction(launched, wish, stores, operator):
    run = launched(good_policies(2))
    await wish(run, Control.PAUSE)

    entries = stores.audit.of(f"AstExecutions#{run.execution_id}").items
    assert [(entry.action, entry.actor_id) for entry in entries] == [
        ("run.pause", operator.user_id),
        ("run.launched", operator.user_id),
    ]


async def test_a_worker_told_to_stop_hands_the_run_back_at_once(slow_run, handler, stores, demo_host):
    stop = asyncio.Event()
    working = asyncio.create_task(handler.work(slow_run.execution_id, owner="worker-1", stop=stop))
    await under_way(demo_host, 10)
    stop.set()
    await working

    run = stores.executions.get(slow_run.execution_id, consistent=True)
    assert (run.status, run.queue, run.lease_owner) == (RunStatus.PENDING, "open", None)
    assert run.is_available(datetime.now(UTC))


async def test_credentials_live_a_day_from_the_pause_and_are_erased_then(launched, wish, stores):
    run = launched(good_policies(2))
    secret = stores.secrets.get(run.execution_id)
    stores.secrets.save(secret.evolve(expires_at=datetime.now(UTC) + timedelta(minutes=1)))

    await wish(run, Control.PAUSE)

    left = stores.secrets.get(run.execution_id).expires_at - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    stores.secrets.clock = lambda: datetime.now(UTC) + timedelta(hours=24, seconds=1)
    assert stores.secrets.find(run.execution_id) is None
