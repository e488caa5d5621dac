"""Seasons as the worker sees them: nothing waits to be claimed; what broke off is finished, what is due is said."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from apps.assessments.services.reminders import remind_by_itself, take_up
from apps.assessments.services.sweeping import settle_all
from apps.assessments.stores import Stores
from apps.assessments.wiring import default_stores, send_later
from apps.storage.connection import off_loop

REMINDERS_EVERY: Final = timedelta(minutes=10)

log = structlog.get_logger(__name__)


class SeasonHandler:
    """A handler that the setting `JOBS["HANDLERS"]` names.

    While there is nothing to do it asks three small indexes a minute, and every ten minutes which plans end soon.
    """

    def __init__(self, stores: Callable[[], Stores] = default_stores) -> None:
        """`stores` is asked once a sweep."""
        self._stores = stores
        self._reminded: datetime | None = None

    async def waiting(self, *, now: datetime, limit: int) -> Sequence[str]:
        """Nothing: asked twice a second, this costs nothing."""
        del now, limit
        return ()

    async def work(self, key: str, *, owner: str, stop: asyncio.Event) -> bool:
        """Never asked for, since nothing waits."""
        del key, owner, stop
        return False

    async def sweep(self, *, now: datetime) -> None:
        """Finish plans and teams whose assessments have yet to follow, and send the reminders that are due."""
        await off_loop(self._sweep, now)

    def _sweep(self, now: datetime) -> None:
        stores = self._stores()
        if done := settle_all(stores, now=now):
            log.info("assessments follow their plans", settled=done)
        plan_ids = take_up(stores, now=now)
        if self._reminded is None or now - self._reminded >= REMINDERS_EVERY:
            plan_ids += remind_by_itself(stores, now=now)
            self._reminded = now
        send_later(plan_ids, now=now, stores=stores)
