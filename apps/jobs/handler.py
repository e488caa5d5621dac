"""What the worker asks of a kind of long work."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol


class Handler(Protocol):
    """One kind of work; the setting `JOBS["HANDLERS"]` lists them by dotted path."""

    async def waiting(self, *, now: datetime, limit: int) -> Sequence[str]:
        """Keys of work that may be taken, longest waiting first."""
        ...

    async def work(self, key: str, *, owner: str, stop: asyncio.Event) -> bool:
        """Claim this work and do it; False where another worker was first.

        Returns when the work is done, handed back because `stop` was set, paused, cancelled, or lost to another worker.
        """
        ...

    async def sweep(self, *, now: datetime) -> None:
        """Put right what broken launches left behind; called about once a minute."""
        ...
