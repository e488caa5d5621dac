"""What the worker does for the first page."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from apps.home.health import look_at_tables
from apps.storage.connection import default_store, off_loop
from apps.storage.registry import declared_tables


class TableHealthHandler:
    """Looks at the tables about once a minute; there is never work to take."""

    async def waiting(self, *, now: datetime, limit: int) -> Sequence[str]:  # noqa: ARG002
        """Nothing waits."""
        return ()

    async def work(self, key: str, *, owner: str, stop: asyncio.Event) -> bool:  # noqa: ARG002
        """There is nothing to do."""
        return False

    async def sweep(self, *, now: datetime) -> None:
        """Keep how the tables are."""
        await off_loop(look_at_tables, default_store(), declared_tables(), now=now)
