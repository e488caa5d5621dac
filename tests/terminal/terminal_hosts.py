import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from apps.terminal.demohost import PASSWORD, DemoHost
from apps.terminal.session import Deadlines, HostAddress, HostSession

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SHORT = Deadlines(connect_seconds=5.0, screen_seconds=3.0, log_off_seconds=3.0, settle_seconds=0.15)
HASTY = Deadlines(connect_seconds=5.0, screen_seconds=0.4, log_off_seconds=0.4, settle_seconds=0.15)

StartHost = Callable[..., Awaitable[DemoHost]]


def address_of(host: DemoHost, **changes: object) -> HostAddress:
    return HostAddress(name="demo", address="127.0.0.1", port=host.port, **changes)


@pytest.fixture
async def start_host() -> AsyncIterator[StartHost]:
    hosts: list[DemoHost] = []

    async def start(**options: object) -> DemoHost:
        host = DemoHost(**options)
        await host.start()
        hosts.append(host)
        return host

    yield start
    for host in hosts:
        await host.stop()


@pytest.fixture
async def host(start_host: StartHost) -> DemoHost:
    return await start_host(slow_seconds=0.2)


@asynccontextmanager
async def signed_on(
    host: DemoHost, *, user_id: str = "DEMO01", deadlines: Deadlines = SHORT, **options: Collection[str]
) -> AsyncIterator[HostSession]:
    async with await HostSession.open(address_of(host), deadlines=deadlines, now=lambda: NOON, **options) as session:
        await session.log_on(user_id=user_id, password=PASSWORD)
        yield session


async def eventually(truth: Callable[[], bool], *, seconds: float = 2.0) -> None:
    async with asyncio.timeout(seconds):
        while not truth():
            await asyncio.sleep(0.01)


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
