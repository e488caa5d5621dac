"""What a run does when something around it breaks: the store, the channel layer, a key, an AST, a worker."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.test import override_settings

from apps.accounts.entities import Role
from apps.jobs.entities import CLOCK_SKEW, LEASE, Control
from apps.jobs.lease import Lease
from apps.jobs.worker import Worker
from apps.policy_runs import handler as handlers
from apps.policy_runs.asts import ASTS
from apps.policy_runs.asts.base import Credentials
from apps.policy_runs.asts.login import LoginAst
from apps.policy_runs.entities import PolicyStatus, RunStatus
from apps.policy_runs.errors import ControlRefused, LaunchInterrupted
from apps.policy_runs.services import LaunchRequest, control, launch, sweep_broken_launches
from apps.storage.errors import StoreUnavailable
from apps.storage.keyrings import LocalKeys
from apps.storage.secrets import Secret
from tests.policy_runs.conftest import PASSWORD, good_policies, person

LATER = LEASE + CLOCK_SKEW * 2


def now_of(stores, run):
    return stores.executions.get(run.execution_id, consistent=True)


async def test_a_run_goes_on_without_the_channel_layer(launched, worked):
    layer = {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}}
    layer["default"]["CONFIG"] = {"hosts": ["redis://127.0.0.1:9/0"]}
    with override_settings(CHANNEL_LAYERS=layer):
        ended = await worked(launched(good_policies(5)))

    assert (ended.status, ended.success_count) == (RunStatus.SUCCESS, 5)


async def test_an_unreadable_row_stops_neither_the_sweep_nor_the_other_runs(launched, handler, stores):
    strange, good = launched(good_policies(2)), launched(good_policies(3))
    stores.store.client.update_item(
        TableName=stores.store.physical(stores.executions.table),
        Key={"execution_id": {"S": strange.execution_id}},
        UpdateExpression="SET control = :c",
        ExpressionAttributeValues={":c": {"S": "hold"}},  # as a later version of Rungs might write
    )
    stop = asyncio.Event()
    worker = asyncio.create_task(Worker([handler], at_once=2, poll_seconds=0.05).run(stop))
    async with asyncio.timeout(10):
        while not now_of(stores, good).status.is_final:
            await asyncio.sleep(0.05)
    assert not worker.done()
    stop.set()
    await worker


async def test_a_lease_that_is_unsure_for_a_while_does_not_strand_the_run(launched, handler, stores, monkeypatch):
    run = launched(good_policies(6))
    began = time.monotonic()
    really_sure = Lease.is_sure.fget
    monkeypatch.setattr(Lease, "is_sure", property(lambda self: time.monotonic() - began > 1.5 and really_sure(self)))

    await handler.work(run.execution_id, owner="worker-1", stop=asyncio.Event())

    assert now_of(stores, run).status is RunStatus.SUCCESS


async def test_a_claim_is_trusted_no_longer_than_from_before_it_was_sent(launched_offline, stores):
    sent = time.monotonic() - 14.0
    claimed = stores.executions.claim(
        launched_offline.execution_id, owner="w", now=datetime.now(UTC), changes=lambda _: {}
    )
    lease = Lease(
        stores.executions, claimed, key=claimed.execution_id, owner="w", clock=lambda: datetime.now(UTC), claimed=sent
    )
    assert lease.is_sure
    await asyncio.sleep(1.1)
    assert not lease.is_sure


async def test_a_run_that_breaks_off_again_and_again_is_given_up_with_a_reason(
    launched, handler, stores, monkeypatch, results
):
    class Broken(LoginAst):
        async def perform(self, session, item, *, credentials):  # noqa: ARG002
            raise RuntimeError("a bug in an AST")

    monkeypatch.setattr(handlers, "ASTS", {"login": Broken})
    monkeypatch.setattr(handlers, "MOST_CLAIMS_IN_VAIN", 2)
    run = launched(good_policies(2))
    for attempt in range(4):
        handler.clock = lambda attempt=attempt: datetime.now(UTC) + LATER * attempt
        work = handler.work(run.execution_id, owner=f"worker-{attempt}", stop=asyncio.Event())
        await asyncio.gather(work, return_exceptions=True)

    ended = now_of(stores, run)
    assert ended.status is RunStatus.FAILED
    assert "broke off 2 times" in ended.result["reason"]
    assert {result.status for result in results(run).values()} == {PolicyStatus.PENDING}


async def test_credentials_whose_key_is_gone_pause_the_run_and_are_asked_for_again(launched, handler, stores, worked):
    run = launched(good_policies(2))
    place = ("RunSecrets", run.execution_id, "password")
    foreign = Secret.stored(LocalKeys(["A" * 43 + "="]).seal("x", place), place)
    stores.secrets.put_many([stores.secrets.get(run.execution_id).evolve(password=foreign)])

    paused = await worked(run)

    assert paused.status is RunStatus.PAUSED
    assert "password was erased" in paused.waiting_reason
    assert stores.secrets.find(run.execution_id) is None


async def test_a_run_nobody_finished_launching_can_only_be_cancelled(stores, operator, launched_offline, monkeypatch):
    def breaks(_entities):
        raise StoreUnavailable("The store is away.")

    request = LaunchRequest(ast_name="login", host_name="demo", numbers=("ABC123DEF",), key="a-broken-launch")
    told = {"actor": operator, "request": request, "credentials": Credentials("DEMO01", PASSWORD), "asts": ASTS}
    began = datetime.now(UTC)
    monkeypatch.setattr(stores.results, "put_many", breaks)
    with pytest.raises(StoreUnavailable):
        launch(stores, now=began, **told)
    monkeypatch.undo()
    key = stores.executions.listed(user_id=operator.user_id).items[0].execution_id

    for wish in (Control.PAUSE, Control.RUN):
        with pytest.raises(ControlRefused, match="still being launched"):
            control(stores, actor=operator, key=key, wish=wish, now=began, credentials=Credentials("A", "B"))
    with pytest.raises(LaunchInterrupted):
        launch(stores, now=began + timedelta(minutes=2), **told)
    assert stores.secrets.find(key) is None
    assert sweep_broken_launches(stores, now=began + timedelta(minutes=11)) == [key]
    assert stores.executions.get(key).status is RunStatus.FAILED
    assert stores.sessions.get(stores.executions.get(key).session_id).status.value == "closed"


async def test_the_end_of_a_run_its_secret_and_its_session_are_one_write(launched, handler, stores, monkeypatch):
    """Whatever breaks after the end was written, no credentials are left behind."""
    run = launched(good_policies(2))
    really_get = stores.leases.get

    def away_afterwards(key, *, consistent=False):
        found = really_get(key, consistent=consistent)
        if found.status.is_final:
            raise StoreUnavailable("The answer was lost.")
        return found

    monkeypatch.setattr(stores.leases, "get", away_afterwards)
    await handler.work(run.execution_id, owner="worker-1", stop=asyncio.Event())

    assert now_of(stores, run).status is RunStatus.SUCCESS
    assert stores.secrets.find(run.execution_id) is None
    assert stores.sessions.get(run.session_id).status.value == "closed"


async def test_the_counters_are_true_when_a_dead_workers_run_is_cancelled(
    launched, handler, stores, demo_host, results
):
    demo_host.latency_seconds = 0.05
    run = launched(good_policies(60))
    dying = asyncio.create_task(handler.work(run.execution_id, owner="worker-1", stop=asyncio.Event()))
    while sum(demo_host.inquiries.values()) < 12:
        await asyncio.sleep(0.02)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    admin = person(Role.ADMIN)
    control(stores, actor=admin, key=run.execution_id, wish=Control.CANCEL, now=datetime.now(UTC))
    handler.clock = lambda: datetime.now(UTC) + LATER
    await handler.work(run.execution_id, owner="worker-2", stop=asyncio.Event())

    ended = now_of(stores, run)
    recorded = sum(result.status is not PolicyStatus.PENDING for result in results(run).values())
    assert ended.status is RunStatus.CANCELLED
    assert ended.completed_items == ended.success_count == recorded > 0
    assert ended.skipped_count == 60 - recorded


async def test_a_run_that_gets_no_session_makes_room_for_others_and_says_why(launched, handler, stores):
    run = launched(good_policies(2), user_id="SOLO01", sessions_a_user_id=1)
    stores.slots.take("demo#0#SOLO01", owner="somebody else", now=datetime.now(UTC))
    handler.patience = handlers.Patience(slot=0.2)

    await handler.work(run.execution_id, owner="worker-1", stop=asyncio.Event())

    waiting = now_of(stores, run)
    assert (waiting.status, waiting.queue, waiting.lease_owner) == (RunStatus.PENDING, "open", None)
    assert "uses this user id" in waiting.waiting_reason
    assert waiting.available_at > datetime.now(UTC) + timedelta(seconds=10)


async def test_a_launch_whose_last_answer_was_lost_and_was_sent_twice_runs(
    stores, operator, launched, worked, monkeypatch
):
    really_update = stores.executions.update

    def sent_twice(key, update, **more):
        really_update(key, update, **more)
        return really_update(key, update, **more)

    monkeypatch.setattr(stores.executions, "update", sent_twice)
    run = launched(good_policies(2))
    monkeypatch.undo()

    assert run.queue == "open"
    assert (await worked(run)).status is RunStatus.SUCCESS


async def test_a_run_cancelled_while_it_was_being_launched_keeps_no_credentials(
    stores, operator, launched_offline, monkeypatch
):
    def cancelled_meanwhile(_entities):
        key = stores.executions.listed(user_id=operator.user_id).items[0].execution_id
        control(stores, actor=operator, key=key, wish=Control.CANCEL, now=datetime.now(UTC))

    monkeypatch.setattr(stores.results, "put_many", cancelled_meanwhile)
    request = LaunchRequest(ast_name="login", host_name="demo", numbers=("ABC123DEF",), key="cancelled-at-once")
    told = {"actor": operator, "request": request, "credentials": Credentials("DEMO01", PASSWORD), "asts": ASTS}
    run = launch(stores, now=datetime.now(UTC), **told).run

    assert run.status is RunStatus.CANCELLED
    assert stores.secrets.find(run.execution_id) is None


async def test_a_worker_that_cannot_reach_the_store_takes_the_run_up_when_it_can(
    launched, handler, stores, monkeypatch
):
    run = launched(good_policies(2))
    really_claim, away = stores.leases.claim, [True]

    def claim(key, **more):
        if away[0]:
            raise StoreUnavailable("The store is away.")
        return really_claim(key, **more)

    monkeypatch.setattr(stores.leases, "claim", claim)
    stop = asyncio.Event()
    worker = asyncio.create_task(Worker([handler], at_once=1, poll_seconds=0.05).run(stop))
    await asyncio.sleep(0.3)
    away[0] = False
    async with asyncio.timeout(10):
        while not now_of(stores, run).status.is_final:
            await asyncio.sleep(0.05)
    stop.set()
    await worker
