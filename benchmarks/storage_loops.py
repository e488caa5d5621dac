"""How repositories are best awaited: in the store's own pool of threads, in asyncio's, or by an asyncio client."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from rich.table import Table

from apps.storage.connection import off_loop
from benchmarks.storage_peers import Aiodynamo
from benchmarks.storage_ways import Rungs

AT_ONCE = 32
TICK_SECONDS = 0.001
Call = Callable[[], Awaitable[Any]]


def measure(endpoint: str, table: str, *, quick: bool) -> dict[str, dict[str, float]]:
    """By way: CPU a call, calls a second with 32 at once, and the event loop's worst lag under queries of 1000."""
    return asyncio.run(_measure(endpoint, table, calls=64 if quick else 1600, turns=1 if quick else 7))


async def _measure(endpoint: str, table: str, *, calls: int, turns: int) -> dict[str, dict[str, float]]:
    rungs = Rungs(endpoint, table)
    await off_loop(rungs.get, 0)
    found: dict[str, tuple[Call, Call]] = {
        "Rungs, off_loop": (lambda: off_loop(rungs.get, 0), lambda: off_loop(rungs.query, 0)),
        "Rungs, asyncio.to_thread": (
            lambda: asyncio.to_thread(rungs.get, 0),
            lambda: asyncio.to_thread(rungs.query, 0),
        ),
    }
    session = None
    try:
        peer = Aiodynamo.__new__(Aiodynamo)
        peer.endpoint, peer.table = endpoint, table
        await peer.connect()
        session = peer.session
        found["aiodynamo"] = (lambda: peer.get(0), lambda: peer.query(0))
    except ModuleNotFoundError:
        pass
    samples: dict[str, list[tuple[float, float, float, float]]] = {}
    for _ in range(turns):
        for way, (get, query) in found.items():
            one_by_one = await _cpu(get, calls // 8)
            cpu, rate = await _at_once(get, calls)
            samples.setdefault(way, []).append((one_by_one, cpu, rate, await _lag(query)))
    if session is not None:
        await session.close()
    names = ("cpu_us_one_by_one", "cpu_us_at_once", "calls_a_second", "worst_lag_ms")
    return {
        way: dict(zip(names, map(statistics.median, zip(*rows, strict=True)), strict=True))
        for way, rows in samples.items()
    }


async def _cpu(call: Call, calls: int) -> float:
    began = time.process_time()
    for _ in range(calls):
        await call()
    return (time.process_time() - began) / calls * 1e6


async def _at_once(call: Call, calls: int) -> tuple[float, float]:
    """Microseconds of CPU a call, and calls a second, with 32 under way at any time."""

    async def several() -> None:
        for _ in range(calls // AT_ONCE):
            await call()

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(several() for _ in range(AT_ONCE)))
    return (time.process_time() - cpu) / calls * 1e6, calls / (time.perf_counter() - wall)


async def _lag(query: Call) -> float:
    """The longest that the event loop kept something else waiting while eight queries of 1000 ran, in milliseconds."""
    worst, done = 0.0, asyncio.Event()

    async def watch() -> None:
        nonlocal worst
        while not done.is_set():
            due = time.perf_counter() + TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
            worst = max(worst, time.perf_counter() - due)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(query() for _ in range(8)))
    done.set()
    await watching
    return worst * 1000


def table(told: dict[str, dict[str, float]]) -> Table:
    """As a table."""
    shown = Table(title="ways to await a get, and what a query of 1000 does to the event loop")
    headings = ("way", "CPU, one by one", f"CPU, {AT_ONCE} at once", "calls a second", "worst lag under queries")
    for heading in headings:
        shown.add_column(heading, justify="left" if heading == "way" else "right")
    for way, each in told.items():
        shown.add_row(
            way,
            f"{each['cpu_us_one_by_one']:.0f} us",
            f"{each['cpu_us_at_once']:.0f} us",
            f"{each['calls_a_second']:,.0f}",
            f"{each['worst_lag_ms']:.1f} ms",
        )
    return shown
