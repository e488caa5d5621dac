"""What hosts demand: one session a user id, patience while they are down, no second try with a refused password."""

import asyncio

import pytest

from apps.policy_runs.entities import RunStatus
from tests.policy_runs.conftest import good_policies


async def test_two_runs_of_one_user_id_share_its_only_session_one_after_the_other(launched, handler, stores, demo_host):
    demo_host.latency_seconds = 0.02
    limits = {"user_id": "SOLO01", "sessions_a_user_id": 1}
    first, second = launched(good_policies(10), **limits), launched(good_policies(10), **limits)

    async def waiting_reasons() -> set[str | None]:
        seen: set[str | None] = set()
        while True:
            for run in (first, second):
                seen.add(stores.executions.get(run.execution_id, consistent=True).waiting_reason)
            if any(seen):
                return seen
            await asyncio.sleep(0.1)

    watching = asyncio.create_task(waiting_reasons())
    stop = asyncio.Event()
    await asyncio.gather(*(handler.work(run.execution_id, owner="worker-1", stop=stop) for run in (first, second)))

    for run in (first, second):
        ended = stores.executions.get(run.execution_id, consistent=True)
        assert (ended.status, ended.success_count) == (RunStatus.SUCCESS, 10)
    assert set(demo_host.inquiries.values()) == {2}, "nobody was refused because the user id was in use"
    assert any("uses this user id" in reason for reason in await watching if reason)


async def test_a_user_id_in_use_elsewhere_is_waited_for(launched, worked, demo_host):
    from apps.terminal.session import HostAddress, HostSession  # noqa: PLC0415

    elsewhere = await HostSession.open(HostAddress(name="demo", address="127.0.0.1", port=demo_host.port))
    await elsewhere.log_on(user_id="SOLO01", password="DEMOPASS")
    run = launched(good_policies(3), user_id="SOLO01", sessions_at_once=1)

    async def free_it_later() -> None:
        await asyncio.sleep(0.8)
        await elsewhere.log_off()
        await elsewhere.close()

    freeing = asyncio.create_task(free_it_later())
    ended = await worked(run)
    await freeing

    assert (ended.status, ended.success_count) == (RunStatus.SUCCESS, 3)


@pytest.mark.parametrize(("user_id", "word"), [("EXPIR01", "expired"), ("REVOK01", "revoked")])
async def test_an_expired_or_revoked_user_id_stops_the_run_at_once(user_id, word, launched, worked, demo_host):
    ended = await worked(launched(good_policies(20), user_id=user_id))

    assert ended.status is RunStatus.FAILED
    assert word in ended.result["reason"]
    assert demo_host.connections_accepted == 1
    assert ended.skipped_count == 20


async def test_a_host_that_is_down_holds_the_run_and_in_the_end_stops_it_without_using_up_policies(
    launched, worked, results, demo_host
):
    run = launched(good_policies(5))
    await demo_host.stop()

    ended = await worked(run)

    assert ended.status is RunStatus.FAILED
    assert ended.result["reason"]
    assert (ended.failed_count, ended.skipped_count) == (0, 5)


async def test_a_host_that_comes_back_finds_the_run_waiting(launched, worked, demo_host):
    port = demo_host.port
    run = launched(good_policies(5))
    await demo_host.stop()
    working = asyncio.create_task(worked(run))
    await asyncio.sleep(0.5)
    await demo_host.start(port)

    ended = await working

    assert (ended.status, ended.success_count) == (RunStatus.SUCCESS, 5)


async def test_a_host_that_was_switched_off_ends_the_run_with_a_reason(launched, worked, stores):
    run = launched(good_policies(2))
    stores.hosts.save(stores.hosts.get("demo").evolve(enabled=False))

    ended = await worked(run)

    assert ended.status is RunStatus.FAILED
    assert "demo" in ended.result["reason"]
