"""No secret reaches a captured screen, a message or a log."""

import logging

import pytest

from apps.terminal.demohost import PASSWORD, DemoHost, demo_policies
from apps.terminal.errors import HostFault
from apps.terminal.session import HostSession
from tests.terminal.terminal_hosts import HASTY, StartHost, address_of, signed_on


async def test_the_password_stands_on_no_captured_screen(start_host: StartHost) -> None:
    host = await start_host()
    screens = []
    for number in (demo_policies()[0].policy_number, "ZZZ000001", "UNK000001", "ABN000001", "HNG000001"):
        async with signed_on(host, deadlines=HASTY) as session:
            try:
                await session.inquire(number)
                await session.log_off()
            except HostFault:
                assert number[:3] in {"UNK", "ABN", "HNG"}
            screens += session.take_screens()
    assert len(screens) == 2 * 4 + 3 * 3
    assert not [screen for screen in screens if PASSWORD.lower() in screen.text.lower()]


async def test_a_known_secret_that_the_host_echoes_is_blanked_there_too(host: DemoHost) -> None:
    policy = demo_policies()[0]
    family_name = policy.holder.split()[1]
    async with signed_on(host, secrets=[family_name.lower(), "demo01"]) as session:
        await session.inquire(policy.policy_number)
        await session.log_off()
        screens = session.take_screens()
    text = screens[2].text
    assert policy.holder.split()[0] in text
    assert family_name not in text
    assert "USER        SIGNED OFF" in screens[3].text
    assert not [screen for screen in screens if "DEMO01" in screen.text]
    assert all(len(screen.text) == 1920 for screen in screens)


async def test_a_known_secret_is_kept_out_of_messages(host: DemoHost) -> None:
    async with signed_on(host, secrets=["zzz000001", "abnormally"]) as session:
        inquiry = await session.inquire("ZZZ000001")
        assert "ZZZ000001" not in inquiry.message
        with pytest.raises(HostFault) as caught:
            await session.inquire("ABN000001")
    assert "ABEND CODE" in str(caught.value)
    assert "ABNORMALLY" not in str(caught.value)


async def test_what_stands_on_an_unknown_screen_is_in_the_screen_and_not_in_the_message(host: DemoHost) -> None:
    async with signed_on(host) as session:
        with pytest.raises(HostFault) as caught:
            await session.inquire("UNK000001")
        assert "BULLETIN" in session.screens[-1].text
    assert str(caught.value) == "The host showed a screen that is not known here."


async def test_a_password_typed_but_not_yet_answered_is_blanked(start_host: StartHost) -> None:
    host = await start_host(latency_seconds=0.7)
    async with await HostSession.open(address_of(host), deadlines=HASTY) as session:
        with pytest.raises(HostFault):
            await session.log_on(user_id="DEMO01", password=PASSWORD)
        assert PASSWORD in session._terminal.text()  # so it is really there to be found
        assert PASSWORD not in session.take_screens()[-1].text


async def test_nothing_that_is_typed_is_logged_or_printed(
    host: DemoHost, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with signed_on(host) as session:
            await session.inquire(demo_policies()[0].policy_number)
            await session.log_off()
    assert [record for record in caplog.records if record.name.startswith("tnz")] == []
    assert PASSWORD not in caplog.text
    assert capfd.readouterr() == ("", "")
