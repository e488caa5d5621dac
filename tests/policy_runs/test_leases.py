"""One worker at a time, and what happens when it dies or loses the run."""

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from apps.jobs.entities import CLOCK_SKEW, LEASE
from apps.jobs.lease import Lease, LeaseLost
from apps.policy_runs.entities import PolicyStatus, RunStatus
from apps.storage.metering import metering
from tests.policy_runs.conftest import good_policies

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def claim(stores, run, owner, now):
    return stores.executions.claim(run.execution_id, owner=owner, now=now, changes=lambda _: {})


def test_of_many_workers_exactly_one_claims_a_run(launched_offline, stores, in_threads):
    won: list[str] = []
    lock = threading.Lock()

    def attempt(position: int) -> None:
        claimed = claim(stores, launched_offline, f"worker-{position}", datetime.now(UTC))
        if claimed is not None:
            with lock:
                won.append(claimed.lease_owner)

    in_threads(12, attempt)
    assert len(won) == 1
    assert stores.executions.get(launched_offline.execution_id).lease_owner == won[0]


def test_a_run_is_claimed_again_only_after_its_lease(launched_offline, stores):
    now = datetime.now(UTC)
    first = claim(stores, launched_offline, "worker-1", now)

    assert claim(stores, launched_offline, "worker-2", now + LEASE) is None
    assert stores.executions.waiting(now=now + LEASE, limit=5) == []
    later = now + LEASE + CLOCK_SKEW + timedelta(milliseconds=1)
    assert stores.executions.waiting(now=later, limit=5) == [launched_offline.execution_id]
    second = claim(stores, launched_offline, "worker-2", later)
    assert (first.fence, second.fence) == (1, 2)


async def test_a_worker_whose_run_was_taken_over_notices_at_its_next_heartbeat(launched_offline, stores):
    now = datetime.now(UTC)
    first = claim(stores, launched_offline, "worker-1", now)
    lease = Lease(
        stores.executions,
        first,
        key=first.execution_id,
        owner="worker-1",
        clock=lambda: datetime.now(UTC),
        claimed=time.monotonic(),
    )
    claim(stores, launched_offline, "worker-2", now + LEASE + CLOCK_SKEW * 2)

    for heartbeat in (lease.renew({}), lease.look(), lease.let_go({})):
        with pytest.raises(LeaseLost):
            await heartbeat
    assert not lease.is_sure


async def test_a_second_worker_finishes_what_the_first_left_and_records_nothing_twice(
    launched, handler, stores, demo_host, results, worked
):
    demo_host.latency_seconds = 0.05
    run = launched(good_policies(100))
    dying = asyncio.create_task(handler.work(run.execution_id, owner="worker-1", stop=asyncio.Event()))
    while sum(demo_host.inquiries.values()) < 20:
        await asyncio.sleep(0.02)
    dying.cancel()  # it lets go of nothing: as dead as a killed one
    await asyncio.gather(dying, return_exceptions=True)
    before = {number: result for number, result in results(run).items() if result.status is not PolicyStatus.PENDING}
    handler.clock = lambda: datetime.now(UTC) + LEASE + CLOCK_SKEW * 2
    demo_host.latency_seconds = 0.0

    finished = await worked(run, owner="worker-2")

    assert (finished.status, finished.fence, finished.success_count) == (RunStatus.SUCCESS, 2, 100)
    after = results(run)
    assert all(after[number] == result for number, result in before.items()), "a recorded result was written again"
    assert before, "the first worker had recorded something"


async def test_a_run_costs_at_most_one_write_and_a_fifth_a_policy(launched, handler, demo_host):
    numbers = good_policies(300)
    with metering() as cost:
        run = launched(numbers)
        await handler.work(run.execution_id, owner="worker-1", stop=asyncio.Event())

    writes = cost.count("put_item", "update_item", "delete_item", "batch_write_item", "transact_write_items")
    assert writes / len(numbers) <= 1.2, cost
    assert cost.count("scan") == 0
