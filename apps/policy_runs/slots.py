"""Leases on the sessions that a host grants to one of its user ids."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from apps.errors import Unavailable
from apps.storage.connection import off_loop
from apps.terminal.repository import SLOT_LEASE, HostSlots

RETRY_SECONDS = 2.0
PATIENCE_SECONDS = 30.0


class SlotKeeper:
    """Grants a run's sessions what the host allows the user id: `limit` at the same time, 0 for no bound."""

    def __init__(
        self,
        slots: HostSlots,
        *,
        host_name: str,
        user_id: str,
        limit: int,
        owner: str,
        clock: Callable[[], datetime],
        may_wait: Callable[[], bool],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """`owner` is the claim of the run; `may_wait` turns false when the run is to end."""
        self.slots = slots
        self.host_name = host_name
        self.user_id = user_id
        self.limit = limit
        self.owner = owner
        self.clock = clock
        self.may_wait = may_wait
        self.patience_seconds = patience_seconds

    @contextlib.asynccontextmanager
    async def slot(self, number: int, *, waiting: Callable[[str | None], None]) -> AsyncIterator[bool]:
        """Hold one of the user id's sessions; yields False where none was free in time.

        `waiting` is told why nothing happens meanwhile, and None when it does again.
        """
        if not self.limit:
            yield True
            return
        owner = f"{self.owner}/{number}"
        began = time.monotonic()
        while (name := await self._take_any(number, owner)) is None:
            waiting(f"Another run uses this user id on {self.host_name}; the host allows it {self._times()}.")
            if not self.may_wait() or time.monotonic() - began > self.patience_seconds:
                yield False
                return
            await asyncio.sleep(RETRY_SECONDS)
        waiting(None)
        keeper = asyncio.create_task(self._keep(name, owner))
        try:
            yield True
        finally:
            keeper.cancel()
            with contextlib.suppress(Unavailable):  # it ends by itself soon
                await off_loop(self.slots.give_back, name, owner=owner)

    def _times(self) -> str:
        return "one session" if self.limit == 1 else f"{self.limit} sessions"

    async def _take_any(self, first: int, owner: str) -> str | None:
        """The first free slot, beginning with a number of one's own so that many do not ask for the same one."""
        for offset in range(self.limit):
            name = f"{self.host_name}#{(first + offset) % self.limit}#{self.user_id}"
            if await self._take(name, owner):
                return name
        return None

    async def _keep(self, name: str, owner: str) -> None:
        while True:
            await asyncio.sleep(SLOT_LEASE.total_seconds() / 3)
            await self._take(name, owner)

    async def _take(self, name: str, owner: str) -> bool:
        try:
            return await off_loop(self.slots.take, name, owner=owner, now=self.clock())
        except Unavailable:
            return False
