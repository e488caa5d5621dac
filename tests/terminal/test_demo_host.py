"""The demo host itself: framing, limits, its book and its chosen faults."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections import Counter
from pathlib import Path

import pytest

from apps.terminal import client
from apps.terminal.demohost import FAULT_PREFIXES, PASSWORD, DemoHost, Fault, demo_policies
from apps.terminal.demohost.faults import fault_for
from apps.terminal.demohost.telnet import (
    DO,
    IAC,
    MAX_RECORD_BYTES,
    MAX_SUBNEGOTIATION_BYTES,
    SB,
    WILL,
    Option,
    Record,
    Subnegotiation,
    TelnetError,
    TelnetParser,
    record,
    subnegotiation,
)
from apps.terminal.errors import HostFault
from apps.terminal.session import HostSession
from tests.terminal.terminal_hosts import SHORT, StartHost, address_of, eventually, signed_on

STREAM = (
    bytes((IAC, DO, 40))
    + subnegotiation(b"\x28\x02\x07IBM\xff")
    + record(b"\x7d\xff\x40")
    + bytes((IAC, 246))
    + record(b"")
)
EVENTS = [Option(DO, 40), Subnegotiation(b"\x28\x02\x07IBM\xff"), Record(b"\x7d\xff\x40"), Record(b"")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(STREAM)])
def test_a_stream_is_split_into_the_same_events_however_it_arrives(size: int) -> None:
    parser = TelnetParser()
    pieces = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert [event for piece in pieces for event in parser.feed(piece)] == EVENTS


@pytest.mark.parametrize(
    "flood", [b"A" * (MAX_RECORD_BYTES + 1), bytes((IAC, SB)) + b"A" * (MAX_SUBNEGOTIATION_BYTES + 1)]
)
def test_a_stream_without_end_is_refused(flood: bytes) -> None:
    with pytest.raises(TelnetError):
        TelnetParser().feed(flood)


def test_the_book_holds_a_few_hundred_policies_and_each_fault() -> None:
    policies = demo_policies()
    numbers = [policy.policy_number for policy in policies]
    assert 300 <= len(policies) <= 500
    assert len(set(numbers)) == len(numbers)
    assert all(len(number) == 9 and number.isalnum() and number == number.upper() for number in numbers)
    assert {number[:3] for number in numbers} >= set(FAULT_PREFIXES)
    assert len({policy.state for policy in policies}) > 5
    assert all(policy.premium > 0 and policy.expiry_date > policy.effective_date for policy in policies)


def test_the_book_is_the_same_in_every_process() -> None:
    first = demo_policies()[0]
    demo_policies.cache_clear()
    assert demo_policies()[0] == first
    assert demo_policies()[0] is not first


def test_random_faults_depend_on_the_seed_alone() -> None:
    numbers = [policy.policy_number for policy in demo_policies() if policy.policy_number.startswith("HV")]
    first = [fault_for(number, inquiry=1, rate=0.2, seed=7) for number in numbers]
    assert first == [fault_for(number, inquiry=1, rate=0.2, seed=7) for number in numbers]
    assert first != [fault_for(number, inquiry=1, rate=0.2, seed=8) for number in numbers]
    share = sum(fault is not None for fault in first) / len(first)
    assert 0.12 < share < 0.28
    assert Fault.HANG not in first
    assert {fault_for(number, inquiry=1) for number in numbers} == {None}


async def test_a_host_with_a_fault_rate_misbehaves_on_sound_policies(start_host: StartHost) -> None:
    host = await start_host(fault_rate=1.0, seed=3, slow_seconds=0.0)
    wrong = Counter()
    for policy in demo_policies()[:12]:
        async with signed_on(host) as session:
            try:
                await session.inquire(policy.policy_number)
            except HostFault as fault:
                wrong[fault.kind] += 1
    assert len(wrong) >= 3


async def test_a_terminal_without_tn3270e_is_served_in_classic_mode(
    host: DemoHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = client._Screen.__init__

    def classic(self: client._Screen, *args: object) -> None:
        opened(self, *args)
        self.use_tn3270e = False

    monkeypatch.setattr(client._Screen, "__init__", classic)
    async with signed_on(host) as session:
        assert not session._terminal._screen.tn3270e
        policy = demo_policies()[0]
        assert (await session.inquire(policy.policy_number)).detail.holder == policy.holder


async def is_cut_off(host: DemoHost, *says: bytes, seconds: float = 2.0) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", host.port)
    try:
        with contextlib.suppress(ConnectionError):
            for data in says:
                writer.write(data)
                await writer.drain()
            async with asyncio.timeout(seconds):
                await reader.read()
    except TimeoutError:
        return False
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return True


AGREED = bytes((IAC, WILL, 40)) + subnegotiation(b"\x28\x02\x07IBM-3278-2") + subnegotiation(b"\x28\x03\x07")


@pytest.mark.parametrize(
    "says",
    [
        [b"A" * 20_000],
        [bytes((IAC, WILL, 1)) * 100],
        [AGREED, record(bytes(5) + b"\x7d\x40\x40" + b"no address")],
        [AGREED, record(bytes(5))],
        [AGREED, record(bytes(5) + b"\x6d") * 200],
        [bytes((IAC, 252, 40)), bytes((IAC, 252, 24))],
    ],
)
async def test_a_peer_that_is_no_terminal_is_cut_off(host: DemoHost, says: list[bytes]) -> None:
    assert await is_cut_off(host, *says)
    async with signed_on(host) as session:
        assert session.usable
    assert host.users.signed_on in ({}, {"DEMO01": 1})


async def test_a_terminal_that_agrees_and_waits_is_not_cut_off(host: DemoHost) -> None:
    assert not await is_cut_off(host, AGREED, seconds=0.3)


async def test_a_full_host_takes_nobody_more_until_somebody_leaves(start_host: StartHost) -> None:
    host = await start_host(max_connections=1)
    async with await HostSession.open(address_of(host), deadlines=SHORT):
        with pytest.raises(HostFault):
            await HostSession.open(address_of(host), deadlines=SHORT)
    await eventually(lambda: host.sessions_open == 0)
    async with await HostSession.open(address_of(host), deadlines=SHORT) as session:
        assert session.usable


async def test_all_users_may_be_held_to_one_session(start_host: StartHost) -> None:
    host = await start_host(one_session_prefixes=("",))
    async with signed_on(host):
        with pytest.raises(HostFault, match="in use"):
            async with signed_on(host):
                pass


async def test_stopping_the_host_ends_its_sessions_and_frees_its_port() -> None:
    host = DemoHost()
    await host.start()
    port = host.port
    session = await HostSession.open(address_of(host), deadlines=SHORT)
    await session.log_on(user_id="DEMO01", password=PASSWORD)
    await host.stop()
    await host.stop()
    assert (host.sessions_open, dict(host.users.signed_on)) == (0, {})
    with pytest.raises(RuntimeError, match="not started"):
        _ = host.port
    await session.close()
    again = DemoHost()
    await again.start(port)
    assert again.port == port
    await again.stop()


async def test_the_host_listens_on_this_machine_only(host: DemoHost) -> None:
    assert host._server.sockets[0].getsockname()[0] == "127.0.0.1"


async def demo_host_command(*arguments: str) -> asyncio.subprocess.Process:
    root = Path(__file__).parents[2]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(root / "manage.py"),
        "demo_host",
        *arguments,
        cwd=root,
        env=os.environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_command_serves_until_it_is_told_to_stop(number: signal.Signals) -> None:
    process = await demo_host_command("--port", "0", "--latency", "0.01")
    async with asyncio.timeout(30):
        line = (await process.stdout.readline()).decode()
        port = int(line.split("127.0.0.1:")[1].split()[0])
        address = client.HostAddress(name="demo", address="127.0.0.1", port=port)
        async with await HostSession.open(address, deadlines=SHORT) as session:
            await session.log_on(user_id="DEMO01", password=PASSWORD)
            process.send_signal(number)
            output, errors = await process.communicate()
    assert (process.returncode, output, errors) == (0, b"", b"")


async def test_the_command_says_when_its_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await demo_host_command("--port", str(port))
        async with asyncio.timeout(30):
            _, errors = await process.communicate()
    assert process.returncode == 1
    assert errors.decode().splitlines() == [
        f"CommandError: Port {port} on 127.0.0.1 cannot be used: address already in use. Try another --port."
    ]
