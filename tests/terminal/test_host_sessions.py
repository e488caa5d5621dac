"""A session with the demo host, from sign-on to sign-off."""

import asyncio
from decimal import Decimal

import pytest

from apps.terminal.demohost import PASSWORD, DemoHost, demo_policies
from apps.terminal.errors import FaultKind, HostFault, Remedy
from apps.terminal.session import Deadlines, HostSession, Outcome
from tests.terminal.terminal_hosts import (
    HASTY,
    NOON,
    SHORT,
    StartHost,
    address_of,
    eventually,
    open_descriptors,
    signed_on,
)

SOUND = demo_policies()[0]


async def test_a_policy_is_read_as_the_book_has_it(host: DemoHost) -> None:
    async with signed_on(host) as session:
        inquiry = await session.inquire(SOUND.policy_number)
    assert inquiry.outcome is Outcome.DETAIL
    assert inquiry.detail.as_map() == {
        "policy_number": SOUND.policy_number,
        "holder": SOUND.holder,
        "product": SOUND.product,
        "status": SOUND.status,
        "premium": SOUND.premium,
        "state": SOUND.state,
        "effective_date": SOUND.effective_date.isoformat(),
        "expiry_date": SOUND.expiry_date.isoformat(),
        "billing": SOUND.billing,
        "agent": SOUND.agent,
    }
    assert isinstance(inquiry.detail.premium, Decimal)


async def test_every_policy_of_the_book_can_be_read(host: DemoHost) -> None:
    sound = [policy for policy in demo_policies() if policy.policy_number.startswith("HV")]
    async with signed_on(host) as session:
        for policy in sound:
            inquiry = await session.inquire(policy.policy_number)
            assert (inquiry.detail.holder, inquiry.detail.premium) == (policy.holder, policy.premium)
            session.take_screens()
    assert len(sound) >= 300


async def test_a_number_that_is_not_in_the_book_is_not_found(host: DemoHost) -> None:
    async with signed_on(host) as session:
        inquiry = await session.inquire("ZZZ000001")
        assert (inquiry.outcome, inquiry.detail) == (Outcome.NOT_FOUND, None)
        assert "ZZZ000001" in inquiry.message
        assert session.usable


@pytest.mark.parametrize("number", ["MAL000001", "HVA-00001"])
async def test_a_number_the_host_does_not_like_is_malformed(host: DemoHost, number: str) -> None:
    async with signed_on(host) as session:
        inquiry = await session.inquire(number)
    assert inquiry.outcome is Outcome.MALFORMED


async def test_answers_of_all_kinds_follow_each_other_in_one_session(host: DemoHost) -> None:
    numbers = [SOUND.policy_number, "ZZZ000001", "ZZZ000002", demo_policies()[1].policy_number, "MAL000001"]
    async with signed_on(host) as session:
        outcomes = [(await session.inquire(number)).outcome.value for number in numbers]
    assert outcomes == ["detail", "not_found", "not_found", "detail", "malformed"]


async def test_a_session_takes_one_policy_after_the_other_with_a_sign_on_each(host: DemoHost) -> None:
    async with await HostSession.open(address_of(host), deadlines=SHORT) as session:
        for policy in demo_policies()[:3]:
            assert session.usable
            await session.log_on(user_id="SOLO01", password=PASSWORD)
            assert (await session.inquire(policy.policy_number)).detail.holder == policy.holder
            await session.log_off()
            assert not host.users.signed_on
    assert host.connections_accepted == 1


async def test_a_session_that_the_host_closes_after_sign_off_says_that_it_is_over(start_host: StartHost) -> None:
    host = await start_host(closes_after_sign_off=True)
    async with signed_on(host) as session:
        await session.inquire(SOUND.policy_number)
        assert session.usable
        await session.log_off()
        assert not session.usable
        assert "GOODBYE" in session.take_screens()[-1].text


async def test_sign_off_without_sign_on_does_nothing(host: DemoHost) -> None:
    async with await HostSession.open(address_of(host), deadlines=SHORT) as session:
        await session.log_off()
        assert session.usable
        assert session.take_screens() == []


async def test_screens_are_kept_after_sign_on_inquiry_result_and_sign_off(host: DemoHost) -> None:
    async with signed_on(host) as session:
        await session.inquire(SOUND.policy_number)
        await session.log_off()
        screens = session.take_screens()
        assert session.take_screens() == []
    assert [screen.step for screen in screens] == ["log-on", "inquiry", "result", "log-off"]
    assert all(len(screen.text) == 24 * 80 and screen.captured_at == NOON for screen in screens)
    assert SOUND.policy_number in screens[1].text
    assert SOUND.holder in screens[2].text
    shown_bright = [screens[2].text[start : start + length] for start, length in screens[2].bright]
    assert SOUND.policy_number in shown_bright
    assert SOUND.holder not in shown_bright


@pytest.mark.parametrize(
    ("user_id", "password", "kind", "remedy"),
    [
        ("DEMO01", "WRONG", FaultKind.WRONG_PASSWORD, Remedy.STOP_RUN),
        ("NOBODY", PASSWORD, FaultKind.WRONG_PASSWORD, Remedy.STOP_RUN),
        ("EXPIR01", PASSWORD, FaultKind.PASSWORD_EXPIRED, Remedy.STOP_RUN),
        ("REVOK01", PASSWORD, FaultKind.USER_REVOKED, Remedy.STOP_RUN),
        ("INUSE01", PASSWORD, FaultKind.USER_IN_USE, Remedy.BACK_OFF),
    ],
)
async def test_a_refused_sign_on_says_why(
    host: DemoHost, user_id: str, password: str, kind: FaultKind, remedy: Remedy
) -> None:
    async with await HostSession.open(address_of(host), deadlines=SHORT) as session:
        with pytest.raises(HostFault) as caught:
            await session.log_on(user_id=user_id, password=password)
        assert (caught.value.kind, caught.value.remedy, caught.value.step) == (kind, remedy, "log-on")
        assert not session.usable
        await session.log_off()  # nobody is signed on: no key is pressed, no time lost
        assert [screen.step for screen in session.take_screens()] == ["error"]


async def test_a_user_with_one_session_is_in_use_until_that_session_ends(host: DemoHost) -> None:
    async with signed_on(host, user_id="SOLO01"):
        async with await HostSession.open(address_of(host), deadlines=SHORT) as second:
            with pytest.raises(HostFault) as caught:
                await second.log_on(user_id="SOLO01", password=PASSWORD)
        assert caught.value.kind is FaultKind.USER_IN_USE
    await eventually(lambda: not host.users.signed_on)
    async with signed_on(host, user_id="SOLO01") as third:
        assert third.usable


async def test_a_demo_user_may_have_many_sessions(host: DemoHost) -> None:
    async with signed_on(host), signed_on(host), signed_on(host):
        assert host.users.signed_on == {"DEMO01": 3}


@pytest.mark.parametrize(
    ("user_id", "password"), [("DEMO01TOOLONG", PASSWORD), ("DEMO01", "DEMOPASSTOOLONG"), ("DEMO\u20ac", PASSWORD)]
)
async def test_text_that_does_not_fit_its_field_is_never_sent(host: DemoHost, user_id: str, password: str) -> None:
    async with await HostSession.open(address_of(host), deadlines=SHORT) as session:
        with pytest.raises(HostFault) as caught:
            await session.log_on(user_id=user_id, password=password)
        assert caught.value.kind is FaultKind.DOES_NOT_FIT
        assert password not in caught.value.message
        assert password not in session.take_screens()[-1].text
    assert not host.users.wrong_passwords


async def test_a_policy_number_longer_than_its_field_is_never_sent(host: DemoHost) -> None:
    async with signed_on(host) as session:
        with pytest.raises(HostFault) as caught:
            await session.inquire(SOUND.policy_number + "X")
    assert caught.value.kind is FaultKind.DOES_NOT_FIT
    assert not host.inquiries


async def test_a_session_is_not_used_twice_at_once(host: DemoHost) -> None:
    async with signed_on(host) as session:
        first = asyncio.create_task(session.inquire("SLW000001"))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="busy"):
            await session.inquire(SOUND.policy_number)
        assert (await first).detail.policy_number == "SLW000001"


async def test_a_cancelled_inquiry_can_still_be_signed_off_but_not_continued(host: DemoHost) -> None:
    async with signed_on(host, user_id="SOLO01") as session:
        task = asyncio.create_task(session.inquire("SLW000001"))
        await eventually(lambda: host.inquiries["SLW000001"] == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not session.usable
        await session.log_off()
        assert not host.users.signed_on
        assert [screen.step for screen in session.take_screens()] == ["log-on", "inquiry", "error", "log-off"]


async def test_a_cancelled_sign_on_can_still_be_signed_off(start_host: StartHost) -> None:
    host = await start_host(latency_seconds=0.1)
    async with await HostSession.open(address_of(host), deadlines=SHORT) as session:
        task = asyncio.create_task(session.log_on(user_id="SOLO01", password=PASSWORD))
        await eventually(lambda: host.users.signed_on["SOLO01"] == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await session.log_off()
        assert not host.users.signed_on


async def test_closing_frees_the_user_even_while_the_host_is_busy(start_host: StartHost) -> None:
    host = await start_host(slow_seconds=60.0)
    async with signed_on(host, user_id="SOLO01", deadlines=HASTY) as session:
        with pytest.raises(HostFault):
            await session.inquire("SLW000001")
        assert host.users.signed_on == {"SOLO01": 1}
    await eventually(lambda: not host.users.signed_on and host.sessions_open == 0)


async def test_sessions_leave_no_descriptor_behind(host: DemoHost) -> None:
    async def one(number: int) -> None:
        session = await HostSession.open(address_of(host), deadlines=Deadlines())
        await session.log_on(user_id=f"DEMO{number:02d}", password=PASSWORD)
        await session.inquire(SOUND.policy_number)
        await session.close()
        await session.close()
        assert not session.usable

    await one(0)
    await eventually(lambda: host.sessions_open == 0)
    before = open_descriptors()
    await asyncio.gather(*(one(number) for number in range(50)))
    await eventually(lambda: host.sessions_open == 0)
    assert open_descriptors() <= before
    assert host.connections_accepted == 51


async def test_latency_delays_every_screen(start_host: StartHost) -> None:
    host: DemoHost = await start_host(latency_seconds=0.05)
    async with signed_on(host) as session:
        started = asyncio.get_running_loop().time()
        await session.inquire(SOUND.policy_number)
        assert asyncio.get_running_loop().time() - started >= 0.1  # two screens: inquiry panel and detail
