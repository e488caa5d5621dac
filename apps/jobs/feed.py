"""From the worker to the watchers: numbered frames over a Channels group, at most ten a second."""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import structlog
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from apps.storage.items.codec import iso

log = structlog.get_logger(__name__)

FRAMES_A_SECOND = 10
Payload = Mapping[str, Any]

# The channel layer is a convenience: what it raises must stop neither the work nor a watcher.
LAYER_ERRORS = (OSError, RedisError)


def group_name(key: str) -> str:
    """The Channels group of those who watch this work."""
    return f"feed.{key}"


class Feed:
    """The sending end, for one claim of one piece of work.

    Messages carry `seq` = [fence, n] with n counting up by one, so a watcher notices what it missed. Item results are
    collected and go out together with the newest progress, so that ten thousand items cannot flood a browser. Losing a
    frame loses nothing: the store has the truth, and watchers read it again.
    """

    def __init__(self, key: str, *, fence: int, session_id: str, clock: Callable[[], datetime]) -> None:
        """`session_id` and the clock's time go into every message's envelope."""
        self.key = key
        self.fence = fence
        self.session_id = session_id
        self.clock = clock
        self.sent = 0
        self._items: list[Payload] = []
        self._progress: Payload | None = None
        self._flushed = 0.0
        self._flusher: asyncio.Task[None] | None = None
        self._order = asyncio.Lock()

    def item(self, payload: Payload) -> None:
        """Report one finished item."""
        self._items.append(payload)
        self._schedule()

    def progress(self, payload: Payload) -> None:
        """Report how far the work is; only the newest of a frame is sent."""
        self._progress = payload
        self._schedule()

    async def tell(self, kind: str, payload: Payload) -> None:
        """Send one message now, after everything reported before it."""
        await self._flush(extra=[(kind, payload)])

    async def close(self) -> None:
        """Send what is left."""
        if self._flusher is not None:
            self._flusher.cancel()
            self._flusher = None
        await self._flush()

    def _schedule(self) -> None:
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush_soon())

    async def _flush_soon(self) -> None:
        wait = self._flushed + 1 / FRAMES_A_SECOND - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        await self._flush()

    async def _flush(self, extra: list[tuple[str, Payload]] | None = None) -> None:
        async with self._order:  # numbers go out in the order they were given
            await self._send(extra or [])

    async def _send(self, extra: list[tuple[str, Payload]]) -> None:
        items, self._items = self._items, []
        progress, self._progress = self._progress, None
        told: list[tuple[str, Payload]] = []
        if items:
            told.append(("ast.item_results", {"executionId": self.key, "items": items}))
        if progress is not None:
            told.append(("ast.progress", progress))
        told += extra
        if not told:
            return
        self._flushed = time.monotonic()
        messages = [self._envelope(kind, payload) for kind, payload in told]
        layer: Any = get_channel_layer()
        try:
            await layer.group_send(group_name(self.key), {"type": "feed.frame", "messages": messages})
        except LAYER_ERRORS as error:
            log.warning("feed not delivered", key=self.key, error=str(error))

    def _envelope(self, kind: str, payload: Payload) -> dict[str, Any]:
        self.sent += 1
        return envelope(kind, payload, session_id=self.session_id, seq=(self.fence, self.sent), now=self.clock())


def envelope(
    kind: str, payload: Payload, *, session_id: str | None, seq: tuple[int, int] | None, now: datetime
) -> dict[str, Any]:
    """A message as it goes over a socket; `seq` is None for what stands outside the numbered stream."""
    return {
        "type": kind,
        "sessionId": session_id,
        "timestamp": iso(now),
        "seq": list(seq) if seq else None,
        "meta": {},
        "payload": dict(payload),
    }
