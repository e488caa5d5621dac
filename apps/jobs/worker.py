"""The worker: takes open work from the queues and does it, several pieces at once, until told to stop."""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from apps.errors import Unavailable
from apps.jobs.handler import Handler

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
SWEEP_SECONDS = 60.0
BROKEN_SECONDS = 60.0


def configured_handlers() -> list[Handler]:
    """One handler of each kind that the setting names."""
    return [import_string(path)() for path in settings.JOBS["HANDLERS"]]


def worker_name() -> str:
    """A name that no other worker has: machine, process and some randomness."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Worker:
    """Polls the queues of its handlers and works on at most `at_once` pieces; one event loop, one owner name."""

    def __init__(
        self,
        handlers: Sequence[Handler],
        *,
        at_once: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """`clock` gives aware UTC times."""
        self.handlers = handlers
        self.at_once = at_once
        self.clock = clock
        self.poll_seconds = poll_seconds
        self.owner = worker_name()
        self._working: dict[str, asyncio.Task[bool]] = {}
        self._broken: dict[str, float] = {}
        self._trouble = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then hand back what is under way and return."""
        log.info("worker started", worker=self.owner)
        swept = float("-inf")
        while not stop.is_set():
            loop_time = asyncio.get_running_loop().time()
            for handler in self.handlers:
                if loop_time - swept >= SWEEP_SECONDS:
                    await self._survive(handler.sweep(now=self.clock()), "sweep broke")
                await self._survive(self._take(handler, stop), "taking work broke")
            if loop_time - swept >= SWEEP_SECONDS:
                swept = loop_time
            await _pause(stop, self.poll_seconds)
        if self._working:
            await asyncio.wait(self._working.values())
        log.info("worker stopped", worker=self.owner)

    async def _survive(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Do this, and go on whatever becomes of it: one unreadable row must not end the work on all others."""
        task = asyncio.create_task(work)
        await asyncio.wait({task})
        error = task.exception()
        if isinstance(error, Unavailable):
            if error.public_message != self._trouble:  # said once, not twice a second
                log.warning("worker cannot reach the store", worker=self.owner, error=error.message)
            self._trouble = error.public_message
            return
        self._trouble = ""
        if error is not None:
            log.error(what, worker=self.owner, exc_info=error)

    async def _take(self, handler: Handler, stop: asyncio.Event) -> None:
        now = asyncio.get_running_loop().time()
        self._broken = {key: until for key, until in self._broken.items() if until > now}
        room = self.at_once - len(self._working)
        if room <= 0:
            return
        for key in await handler.waiting(now=self.clock(), limit=room * 2 + len(self._broken)):
            if key not in self._working and key not in self._broken and len(self._working) < self.at_once:
                task = asyncio.create_task(handler.work(key, owner=self.owner, stop=stop), name=f"work {key}")
                self._working[key] = task
                task.add_done_callback(partial(self._finished, key))

    def _finished(self, key: str, task: "asyncio.Task[bool]") -> None:
        del self._working[key]
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Unavailable):
            log.warning("work left to the next claim", key=key, worker=self.owner, error=error.message)
        elif error is not None:
            # A bug: the lease runs out and another worker, or after a while this one, takes the work up again.
            self._broken[key] = asyncio.get_running_loop().time() + BROKEN_SECONDS
            log.error("work broke", key=key, worker=self.owner, exc_info=error)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
