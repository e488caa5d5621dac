"""Debian's s3270, a client that knows nothing of our host, works with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from apps.terminal.demohost import PASSWORD, DemoHost, demo_policies

pytestmark = pytest.mark.needs_s3270


class Emulator:
    """One s3270 process, spoken to in its script protocol on stdin and stdout."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def do(self, action: str) -> str:
        """Run an action; return its output lines."""
        self._process.stdin.write(f"{action}\n".encode())
        await self._process.stdin.drain()
        output: list[str] = []
        async with asyncio.timeout(15):
            while (line := (await self._process.stdout.readline()).decode().rstrip("\n")) != "ok":
                assert line not in {"error", ""}, (action, output)
                if line.startswith("data: "):
                    output.append(line.removeprefix("data: "))
        return "\n".join(output)

    async def screen(self) -> str:
        return await self.do("Ascii()")


@asynccontextmanager
async def s3270(target: str) -> AsyncIterator[Emulator]:
    process = await asyncio.create_subprocess_exec(
        "s3270", "-model", "3278-2-E", target, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Emulator(process)
    finally:
        process.stdin.close()
        async with asyncio.timeout(10):
            await process.wait()


@pytest.mark.parametrize(
    ("prefix", "state"), [("", "connected-tn3270e"), ("N:", "connected-3270")], ids=["TN3270E", "classic"]
)
async def test_s3270_signs_on_inquires_and_signs_off(host: DemoHost, prefix: str, state: str) -> None:
    policy = demo_policies()[7]
    async with s3270(f"{prefix}127.0.0.1:{host.port}") as emulator:
        await emulator.do("Wait(10,InputField)")
        assert await emulator.do("Query(ConnectionState)") == state
        assert "HARBOR VALE MUTUAL" in await emulator.screen()

        for action in ('String("demo01")', "Tab()", f'String("{PASSWORD}")', "Enter()"):
            await emulator.do(action)
        menu = await emulator.screen()
        assert "MAIN MENU" in menu
        assert "User DEMO01" in menu
        assert host.users.signed_on == {"DEMO01": 1}

        for action in ('String("1")', "Enter()", f'String("{policy.policy_number.lower()}")', "Enter()"):
            await emulator.do(action)
        detail = await emulator.screen()
        assert policy.holder in detail
        assert f"{policy.premium:,.2f}" in detail
        assert host.inquiries == {policy.policy_number: 1}

        await emulator.do("PF(3)")
        await emulator.do('String("ZZZ000001")')
        await emulator.do("Enter()")
        assert "POLICY ZZZ000001 NOT FOUND" in await emulator.screen()

        await emulator.do("PF(12)")
        assert "USER DEMO01 SIGNED OFF" in await emulator.screen()
        assert not host.users.signed_on


@pytest.mark.parametrize("prefix", ["", "N:"], ids=["TN3270E", "classic"])
async def test_the_password_field_shows_nothing_on_s3270(host: DemoHost, prefix: str) -> None:
    async with s3270(f"{prefix}127.0.0.1:{host.port}") as emulator:
        await emulator.do("Wait(10,InputField)")
        for action in ('String("demo01")', "Tab()", f'String("{PASSWORD}")'):
            await emulator.do(action)
        assert "demo01" in await emulator.screen()
        assert PASSWORD not in await emulator.screen()


async def test_a_model_2_terminal_without_extended_attributes_sees_the_same_panel(host: DemoHost) -> None:
    async with s3270(f"S:N:127.0.0.1:{host.port}") as emulator:
        await emulator.do("Wait(10,InputField)")
        assert "POLICY ADMINISTRATION SYSTEM" in await emulator.screen()
        assert await emulator.do("Query(TerminalName)") == "IBM-3278-2"
