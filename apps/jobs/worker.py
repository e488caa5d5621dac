"""The worker: takes open work from the queues and does it, several pieces at once, until told to stop."""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from apps.errors import Unavailable
from apps.jobs.handler import Handler

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
SWEEP_SECONDS = 60.0


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

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then hand back what is under way and return."""
        log.info("worker started", worker=self.owner)
        swept = 0.0
        while not stop.is_set():
            loop_time = asyncio.get_running_loop().time()
            try:
                if loop_time - swept >= SWEEP_SECONDS:
                    swept = loop_time
                    for handler in self.handlers:
                        await handler.sweep(now=self.clock())
                await self._take(stop)
            except Unavailable as error:
                log.warning("worker cannot reach the store", worker=self.owner, error=error.message)
            await _pause(stop, self.poll_seconds)
        if self._working:
            await asyncio.wait(self._working.values())
        log.info("worker stopped", worker=self.owner)

    async def _take(self, stop: asyncio.Event) -> None:
        for handler in self.handlers:
            room = self.at_once - len(self._working)
            if room <= 0:
                return
            for key in await handler.waiting(now=self.clock(), limit=room * 2):
                if key not in self._working and len(self._working) < self.at_once:
                    task = asyncio.create_task(handler.work(key, owner=self.owner, stop=stop), name=f"work {key}")
                    self._working[key] = task
                    task.add_done_callback(partial(self._finished, key))

    def _finished(self, key: str, task: "asyncio.Task[bool]") -> None:
        del self._working[key]
        if not task.cancelled() and task.exception() is not None:
            # A bug: the lease runs out and another worker, or this one, takes the work up again.
            log.error("work broke", key=key, worker=self.owner, exc_info=task.exception())


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
