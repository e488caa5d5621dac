"""Reads of watched runs, shared by all watchers in this process: two hundred sockets ask the store once."""

import asyncio
import time
from typing import NamedTuple

from apps.policy_runs.entities import AstExecution
from apps.policy_runs.wiring import default_stores
from apps.storage.connection import off_loop

FRESH_SECONDS = 1.0
MOST_KEPT = 1000


class _Read(NamedTuple):
    at: float
    run: "asyncio.Future[AstExecution | None]"


_reads: dict[str, _Read] = {}


async def watched_run(key: str) -> AstExecution | None:
    """The run as it was at most a second ago, or None where there is none. Raises `Unavailable`."""
    now = time.monotonic()
    known = _reads.get(key)
    loop = asyncio.get_running_loop()
    if known is None or now - known.at > FRESH_SECONDS or known.run.get_loop() is not loop:
        if len(_reads) > MOST_KEPT:
            _reads.clear()
        reading = asyncio.ensure_future(off_loop(default_stores().executions.find, key, consistent=True))
        known = _reads[key] = _Read(now, reading)
    return await asyncio.shield(known.run)
