"""What a session makes of a host that misbehaves."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from apps.terminal.demohost import FAULT_PREFIXES, PASSWORD, DemoHost, demo_policies
from apps.terminal.errors import REMEDY, FaultKind, HostFault, Remedy
from apps.terminal.session import Deadlines, HostAddress, HostSession, Outcome
from tests.terminal.terminal_hosts import HASTY, SHORT, StartHost, address_of, signed_on

Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server_that(says: Conversation) -> AsyncIterator[HostAddress]:
    """A server that is no demo host: `says(reader, writer)` is all it does with a connection."""
    conversations = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.append(asyncio.current_task())
        with suppress(ConnectionError):
            await says(reader, writer)
            await reader.read()
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    try:
        yield HostAddress(name="odd", address="127.0.0.1", port=server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await asyncio.gather(*conversations)
        await server.wait_closed()


def test_every_kind_of_fault_has_a_remedy() -> None:
    assert set(REMEDY) == set(FaultKind)


@pytest.mark.parametrize(
    ("number", "kind", "remedy"),
    [
        ("UNK000001", FaultKind.UNKNOWN_SCREEN, Remedy.RETRY_ONCE),
        ("LCK000001", FaultKind.LOCKED, Remedy.PUT_OFF),
        ("DRP000001", FaultKind.DROPPED, Remedy.RETRY),
        ("HNG000001", FaultKind.TIMEOUT, Remedy.RETRY),
        ("ABN000001", FaultKind.ABEND, Remedy.RETRY_ONCE),
        ("TMO000001", FaultKind.SCREEN_TIMED_OUT, Remedy.RETRY),
        ("OTH000001", FaultKind.UNKNOWN_SCREEN, Remedy.RETRY_ONCE),
    ],
)
async def test_a_faulty_policy_is_told_by_its_kind_and_leaves_its_last_screen(
    host: DemoHost, number: str, kind: FaultKind, remedy: Remedy
) -> None:
    async with signed_on(host, deadlines=HASTY if kind is FaultKind.TIMEOUT else SHORT) as session:
        session.take_screens()
        with pytest.raises(HostFault) as caught:
            await session.inquire(number)
        fault = caught.value
        assert (fault.kind, fault.remedy, fault.step, fault.code) == (kind, remedy, "result", kind.value)
        assert fault.message.endswith((".", "...")) or ":" in fault.message
        assert [screen.step for screen in session.take_screens()] == ["inquiry", "error"]
        assert session.usable is (kind is FaultKind.LOCKED)


@pytest.mark.parametrize("number", ["SLW000001", "TWO000001", "ERL000001"])
async def test_a_host_that_is_slow_writes_twice_or_unlocks_early_is_read_all_the_same(
    host: DemoHost, number: str
) -> None:
    async with signed_on(host) as session:
        inquiry = await session.inquire(number)
        assert inquiry.detail.policy_number == number
        again = await session.inquire(demo_policies()[0].policy_number)
        assert again.detail.policy_number == demo_policies()[0].policy_number


async def test_an_early_unlock_does_not_pass_the_last_policys_screen_off_as_this_ones(host: DemoHost) -> None:
    async with signed_on(host) as session:
        await session.inquire("ZZZ000001")
        inquiry = await session.inquire("ERLO99999")  # not in the book
        assert (inquiry.outcome, inquiry.message.split()[2]) == (Outcome.NOT_FOUND, "ERLO99999")


async def test_an_abend_is_told_at_once_and_not_by_a_deadline(host: DemoHost) -> None:
    async with signed_on(host, deadlines=Deadlines()) as session:
        started = time.monotonic()
        with pytest.raises(HostFault, match="ABEND CODE"):
            await session.inquire("ABN000001")
        assert time.monotonic() - started < 1


async def test_a_locked_policy_is_found_at_the_third_inquiry(host: DemoHost) -> None:
    async with signed_on(host) as session:
        for _ in range(2):
            with pytest.raises(HostFault) as caught:
                await session.inquire("LCK000002")
            assert caught.value.kind is FaultKind.LOCKED
        assert (await session.inquire("LCK000002")).outcome is Outcome.DETAIL


@pytest.mark.parametrize("prefix", sorted(set(FAULT_PREFIXES) - {"LCK", "SLW", "TWO", "ERL", "MAL"}))
async def test_a_fault_that_comes_once_is_gone_in_the_next_session(host: DemoHost, prefix: str) -> None:
    number = f"{prefix}O00001"
    async with signed_on(host, deadlines=HASTY) as session:
        with pytest.raises(HostFault):
            await session.inquire(number)
    async with signed_on(host) as session:
        assert (await session.inquire(number)).detail.policy_number == number


async def test_the_detail_of_another_policy_is_refused(host: DemoHost) -> None:
    async with signed_on(host) as session:
        with pytest.raises(HostFault, match="not the one asked for"):
            await session.inquire("OTH000001")


@pytest.mark.parametrize("number", ["UNK000001", "ABN000001", "TMO000001", "OTH000001", "LCK000001"])
async def test_after_a_fault_the_user_can_be_signed_off(host: DemoHost, number: str) -> None:
    async with signed_on(host, user_id="SOLO01") as session:
        with pytest.raises(HostFault):
            await session.inquire(number)
        await session.log_off()
        assert not host.users.signed_on


async def test_a_sign_off_that_the_host_does_not_confirm_fails_within_its_deadline(host: DemoHost) -> None:
    async with signed_on(host, deadlines=HASTY) as session:
        with pytest.raises(HostFault):
            await session.inquire("HNG000001")
        started = time.monotonic()
        with pytest.raises(HostFault) as caught:
            await session.log_off()
        assert (caught.value.kind, caught.value.step) == (FaultKind.TIMEOUT, "log-off")
        assert time.monotonic() - started < 2 * HASTY.log_off_seconds


async def test_a_sign_on_that_hangs_times_out_and_shows_no_password(start_host: StartHost) -> None:
    host = await start_host(latency_seconds=0.8)
    async with await HostSession.open(address_of(host), deadlines=HASTY) as session:
        with pytest.raises(HostFault) as caught:
            await session.log_on(user_id="DEMO01", password=PASSWORD)
        last = session.take_screens()[-1]
    assert caught.value.kind is FaultKind.TIMEOUT
    assert "DEMO01" in last.text
    assert PASSWORD not in last.text


async def test_a_host_that_is_not_there_cannot_be_reached(start_host: StartHost) -> None:
    host = await start_host()
    address = address_of(host)
    await host.stop()
    with pytest.raises(HostFault) as caught:
        await HostSession.open(address, deadlines=SHORT)
    assert (caught.value.kind, caught.value.step) == (FaultKind.CONNECT_FAILED, "connect")


async def test_a_host_that_says_nothing_fails_within_the_connect_deadline() -> None:
    async def silence(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        pass

    async with server_that(silence) as address:
        started = time.monotonic()
        with pytest.raises(HostFault) as caught:
            await HostSession.open(address, deadlines=Deadlines(connect_seconds=0.3))
        assert caught.value.kind is FaultKind.TIMEOUT
        assert time.monotonic() - started < 1


async def test_a_host_that_hangs_up_at_once_has_dropped() -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with server_that(hang_up) as address:
        with pytest.raises(HostFault) as caught:
            await HostSession.open(address, deadlines=SHORT)
    assert caught.value.kind is FaultKind.DROPPED


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\xff\xfd\x19" + b"\xf5\xc3\x11\x7f\x7f\x1d\xff\xef",  # an address beyond the screen
        b"\xff\xfd\x19" + b"\x99\x99\xff\xef",  # no such command
        b"\xff\xfd\x19" + b"\xf5\xc3\x11\xff\xef",  # an order cut short
        b"\xff\xfd\x19" + b"\xf3\x00\xff\xef",
        b"\xff\xfa\x2e\x01\xff\xf0",  # TLS that was never agreed on
        b"\xff\xfd\x19" + b"A" * 2_000_000,
    ],
)
async def test_a_host_that_sends_nonsense_is_given_up(nonsense: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(nonsense)

    async with server_that(speak) as address:
        with pytest.raises(HostFault) as caught:
            await HostSession.open(address, deadlines=SHORT)
    assert caught.value.kind is FaultKind.PROTOCOL
    assert capfd.readouterr() == ("", "")


async def test_a_screen_nobody_knows_is_shown_by_the_fault_itself_when_opening_fails() -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\xff\xfd\x19" + b"\xf5\xc3\x11\x40\x40" + "WELCOME TO REGION WEST".encode("cp037") + b"\xff\xef")

    async with server_that(greet) as address:
        with pytest.raises(HostFault) as caught:
            await HostSession.open(address, deadlines=SHORT)
    assert caught.value.kind is FaultKind.UNKNOWN_SCREEN
    assert "WELCOME TO REGION WEST" not in caught.value.message
    assert "WELCOME TO REGION WEST" in caught.value.screens[0].text


async def test_an_encoding_nobody_knows_is_said_before_connecting(host: DemoHost) -> None:
    with pytest.raises(HostFault, match="encoding cp99999") as caught:
        await HostSession.open(address_of(host, encoding="cp99999"), deadlines=SHORT)
    assert caught.value.kind is FaultKind.DOES_NOT_FIT
    assert host.connections_accepted == 0
