"""The socket of a run's watchers, on a real server."""

import asyncio
import contextlib
import json
import os
import socket
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

from apps.accounts import services, wiring
from apps.accounts.entities import Role
from apps.jobs.entities import Control
from apps.policy_runs.entities import RunStatus
from apps.policy_runs.services import control
from apps.storage.connection import off_loop
from apps.storage.metering import metering
from tests.policy_runs.conftest import PASSWORD, faulty_policy, good_policies
from tests.policy_runs.web import member, session_key

ROOT = Path(__file__).resolve().parents[2]
MISSING = "01JZZZZZZZZZZZZZZZZZZZZZZZ"


class QuietServer(uvicorn.Server):
    """A server inside a test: the signals stay pytest's."""

    @contextlib.contextmanager
    def capture_signals(self):
        yield


@pytest.fixture
async def server(store):
    """The whole application on this loop, without a worker: its port, and what it asks of the store."""
    from project.asgi import Application  # noqa: PLC0415  (sets Django up)

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        config = uvicorn.Config(Application(), log_config=None, lifespan="on", timeout_graceful_shutdown=2)
        server = QuietServer(config)
        with metering() as cost:  # a task keeps the meters of where it was made
            running = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            assert not running.done(), "the server did not start"
            await asyncio.sleep(0.01)
        yield listening.getsockname()[1], cost
        server.should_exit = True
        await running


@pytest.fixture
def served(server):
    return server[0]


@pytest.fixture
def asked(server):
    return server[1]


class Watcher:
    """A browser's end of the socket; keeps everything it was told."""

    def __init__(self, connection):
        self.connection = connection
        self.told = []

    async def next(self, kind=None, *, seconds=5.0):
        """The next message, or the next of a kind."""
        async with asyncio.timeout(seconds):
            while True:
                message = json.loads(await self.connection.recv())
                self.told.append(message)
                if kind is None or message["type"] == kind:
                    return message

    async def send(self, message):
        await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def close_code(self, *, seconds=5.0):
        async with asyncio.timeout(seconds):
            while True:
                try:
                    self.told.append(json.loads(await self.connection.recv()))
                except ConnectionClosed as closed:
                    return closed.rcvd.code


@pytest.fixture
async def watch(served):
    """Open the socket of a run as somebody, from our own origin unless another is given."""
    async with contextlib.AsyncExitStack() as open_sockets:

        async def opening(run, user=None, *, origin=..., cookie=None):
            key = run if isinstance(run, str) else run.execution_id
            session = await off_loop(session_key, user) if user is not None else cookie
            connection = await open_sockets.enter_async_context(
                websockets.connect(
                    f"ws://127.0.0.1:{served}/ws/policy-runs/{key}/",
                    origin=f"http://127.0.0.1:{served}" if origin is ... else origin,
                    additional_headers={"Cookie": f"sessionid={session}"} if session else {},
                    proxy=None,
                )
            )
            return Watcher(connection)

        yield opening


async def ask(stores, actor, run, wish):
    await off_loop(control, stores, actor=actor, key=run.execution_id, wish=wish, now=datetime.now(UTC))


async def test_whoever_has_not_signed_in_is_told_by_4401(launched_offline, owner, watch):
    for cookie in (None, "x" * 32):
        watcher = await watch(launched_offline, cookie=cookie)
        with contextlib.suppress(ConnectionClosed):
            await watcher.send({"type": "ast.resync"})
        assert await watcher.close_code() == 4401
        assert watcher.told == []


async def test_a_page_of_another_origin_gets_no_socket(launched_offline, owner, watch, served):
    others = ("https://evil.example", f"http://localhost:{served}", f"http://127.0.0.1:{served + 1}", "null")
    for origin in (None, *others):
        with pytest.raises(InvalidStatus) as refused:
            await watch(launched_offline, owner, origin=origin)
        assert refused.value.response.status_code == 403, origin


async def test_a_run_that_one_may_not_see_is_told_by_4404_like_a_missing_one(launched_offline, store, owner, watch):
    viewer = member(store, Role.VIEWER)
    for watcher in (await watch(launched_offline, viewer), await watch(MISSING, viewer), await watch(MISSING, owner)):
        assert await watcher.close_code() == 4404
        assert watcher.told == []


async def test_the_present_state_comes_first_in_its_envelope(launched_offline, owner, watch):
    message = await (await watch(launched_offline, owner)).next()

    assert (message["type"], message["sessionId"], message["seq"]) == ("ast.state", launched_offline.session_id, [0, 0])
    assert abs((datetime.now(UTC) - datetime.fromisoformat(message["timestamp"])).total_seconds()) < 5
    assert message["meta"] == {}
    payload = message["payload"]
    assert (payload["executionId"], payload["status"]) == (launched_offline.execution_id, "pending")
    assert (payload["current"], payload["total"], payload["percent"]) == (0, 2, 0)
    assert payload["waitingReason"] == "Waiting for a worker."


async def test_frames_follow_one_by_one_to_the_end_and_tell_every_result_and_no_secret(
    launched, worked, owner, watch, demo_host, results
):
    demo_host.latency_seconds = 0.02
    numbers = [*good_policies(40), faulty_policy("UNK")]
    run = launched(numbers)
    watcher = await watch(run, owner)
    await watcher.next("ast.state")
    working = asyncio.create_task(worked(run))
    await watcher.next("ast.status", seconds=20)
    done = await working

    stream = watcher.told[1:]
    assert stream[0]["type"] == "ast.state", "a new fence begins with the state"
    assert [message["seq"][1] for message in stream] == list(
        range(stream[0]["seq"][1], stream[0]["seq"][1] + len(stream))
    )
    assert {message["seq"][0] for message in stream} == {1}
    told = [message["payload"]["items"] for message in stream if message["type"] == "ast.item_results"]
    assert {item["itemId"]: item["status"] for items in told for item in items} == {
        number: result.status.value for number, result in results(run).items()
    }
    last = stream[-1]["payload"]
    assert (last["status"], last["current"], last["counts"]["success"], last["counts"]["failed"]) == (
        "success",
        41,
        done.success_count,
        1,
    )
    progress = [message["payload"] for message in stream if message["type"] == "ast.progress"]
    assert {"executionId", "astName", "current", "total", "percent", "currentItem", "itemStatus", "message"} <= set(
        progress[-1]
    )
    assert [told["current"] for told in progress] == sorted(told["current"] for told in progress)
    assert PASSWORD not in json.dumps(watcher.told)


async def test_a_watcher_who_missed_something_asks_and_gets_the_state(launched_offline, owner, watch, stores):
    watcher = await watch(launched_offline, owner)
    await watcher.next("ast.state")
    await ask(stores, owner, launched_offline, Control.PAUSE)
    await watcher.send({"type": "ast.resync"})

    assert (await watcher.next())["payload"]["status"] == "paused"


async def test_pause_resume_and_cancel_work_over_the_socket(launched_offline, owner, watch, stores):
    watcher = await watch(launched_offline, owner)
    await watcher.next("ast.state")
    for action, status in (("pause", "paused"), ("resume", "pending"), ("cancel", "cancelled")):
        await watcher.send({"type": "ast.control", "payload": {"action": action}})
        assert (await watcher.next("ast.state"))["payload"]["status"] == status
    await watcher.send({"type": "ast.control", "payload": {"action": "resume"}})
    refused = await watcher.next()

    assert (refused["type"], refused["payload"]["code"], refused["seq"]) == ("ast.error", "control_refused", None)
    assert stores.executions.get(launched_offline.execution_id, consistent=True).status is RunStatus.CANCELLED


async def test_resuming_without_the_erased_password_is_refused_with_a_code(launched_offline, owner, watch, stores):
    watcher = await watch(launched_offline, owner)
    await ask(stores, owner, launched_offline, Control.PAUSE)
    stores.secrets.delete(launched_offline.execution_id)
    await watcher.send({"type": "ast.control", "payload": {"action": "resume"}})

    assert (await watcher.next("ast.error"))["payload"]["code"] == "credentials_needed"


async def test_who_may_only_see_a_run_controls_nothing(launched_offline, store, owner, watch, stores):
    for role in (Role.SUPPORT, Role.OPERATOR):
        watcher = await watch(launched_offline, member(store, role))
        assert (await watcher.next())["type"] == "ast.state"
        await watcher.send({"type": "ast.control", "payload": {"action": "cancel"}})
        assert (await watcher.next())["payload"]["code"] == "forbidden"
    assert stores.executions.get(launched_offline.execution_id, consistent=True).control is Control.RUN


async def test_whatever_cannot_be_understood_is_answered_and_the_socket_stays_open(launched_offline, owner, watch):
    watcher = await watch(launched_offline, owner)
    await watcher.next("ast.state")
    unreadable = ["", "no json", "[]", "7", "null", '"ast.resync"', "{}", '{"type": 7}', b"\0\1", "x" * 10_000]
    unknown = [
        {"type": "ast.nothing"},
        {"type": "ast.control"},
        {"type": "ast.control", "payload": "pause"},
        {"type": "ast.control", "payload": ["pause"]},
        {"type": "ast.control", "payload": {"action": ["pause"]}},
        {"type": "ast.control", "payload": {"action": {"pause": 1}}},
        {"type": "ast.control", "payload": {"action": "explode"}},
    ]
    for message in (*unreadable, *unknown):
        await watcher.send(message)
        answer = await watcher.next()
        assert answer["type"] == "ast.error", message
        assert answer["payload"]["message"].endswith("."), message
    await watcher.send({"type": "ast.resync"})
    assert (await watcher.next())["type"] == "ast.state"


def signed_out_everywhere(user, by, **recorded):
    services.sign_out_everywhere(wiring.users(), user=user, **recorded)


def deactivated(user, by, **recorded):
    services.deactivate(wiring.users(), user=user, by=by, **recorded)


def browser_ended(user, by, *, sessions, **recorded):
    for session in sessions.of(user.user_id):
        services.end_session_of(sessions, user=user, session_hash=session.session_hash, by=by, **recorded)


@pytest.mark.parametrize("deed", [signed_out_everywhere, deactivated, browser_ended])
async def test_who_is_signed_out_loses_open_sockets_within_five_seconds(launched_offline, store, owner, watch, deed):
    boss = member(store, Role.ADMIN)
    watcher, other = await watch(launched_offline, owner), await watch(launched_offline, boss)
    await watcher.next("ast.state")
    recorded = {"actor": boss.acting(), "now": datetime.now(UTC), "audit": wiring.audit_log()}
    await off_loop(deed, owner, boss, sessions=wiring.web_sessions(), **recorded)
    began = time.monotonic()

    assert await watcher.close_code(seconds=8) == 4401
    assert time.monotonic() - began < 5.5  # what the machine is late by
    await other.next("ast.state")
    await other.send({"type": "ast.resync"})
    assert (await other.next())["type"] == "ast.state", "others stay"


async def test_many_watchers_of_a_silent_run_ask_the_store_once_a_second(launched_offline, owner, watch, asked, stores):
    watchers = [await watch(launched_offline, owner) for _ in range(5)]
    for watcher in watchers:
        await watcher.next("ast.state")
    await asyncio.sleep(1.5)
    before = asked.requests["get_item", "AstExecutions"]
    await asyncio.sleep(2.0)

    assert 1 <= asked.requests["get_item", "AstExecutions"] - before <= 3
    await ask(stores, owner, launched_offline, Control.PAUSE)
    states = await asyncio.gather(*(watcher.next("ast.state") for watcher in watchers))
    assert {state["payload"]["status"] for state in states} == {"paused"}
    assert not asked.count("scan", "query")


@pytest.fixture
async def worker_elsewhere(store):
    """`manage.py work` in a process of its own, which shares nothing with us but the store."""
    store.fill()
    started = []

    async def start():
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL_DYNAMODB": store.endpoint,
            "AWS_REGION": store.region,
            "RUNGS_TABLE_PREFIX": store.prefix,
            "RUNGS_DATA_DIR": str(ROOT / ".rungs"),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "manage.py", "work", cwd=ROOT, env=environment, stdout=-3, stderr=-3
        )
        started.append(process)

    yield start
    for process in started:
        process.kill()
        await process.wait()


async def test_a_run_that_another_process_works_on_is_followed_through_the_store(
    launched, owner, watch, demo_host, worker_elsewhere
):
    demo_host.latency_seconds = 0.1
    run = launched(good_policies(50))
    watcher = await watch(run, owner)
    await watcher.next("ast.state")
    await worker_elsewhere()
    while (await watcher.next("ast.state", seconds=15))["payload"]["status"] != "success":
        continue

    seen = [message["payload"]["current"] for message in watcher.told]
    assert seen == sorted(seen)
    assert seen[-1] == 50
    assert any(0 < current < 50 for current in seen), "the way there was seen, not only the end"
