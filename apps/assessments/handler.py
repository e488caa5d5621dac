"""Seasons as the worker sees them: nothing waits to be claimed; about once a minute what broke off is finished."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from apps.assessments.services.sweeping import settle_all
from apps.assessments.stores import Stores
from apps.assessments.wiring import default_stores
from apps.storage.connection import off_loop

log = structlog.get_logger(__name__)


class SeasonHandler:
    """A handler that the setting `JOBS["HANDLERS"]` names; while there is nothing to do it asks two small indexes."""

    def __init__(self, stores: Callable[[], Stores] = default_stores) -> None:
        """`stores` is asked once a sweep."""
        self._stores = stores

    async def waiting(self, *, now: datetime, limit: int) -> Sequence[str]:
        """Nothing: asked twice a second, this costs nothing."""
        del now, limit
        return ()

    async def work(self, key: str, *, owner: str, stop: asyncio.Event) -> bool:
        """Never asked for, since nothing waits."""
        del key, owner, stop
        return False

    async def sweep(self, *, now: datetime) -> None:
        """Finish plans and teams whose assessments have yet to follow them."""
        if done := await off_loop(settle_all, self._stores(), now=now):
            log.info("assessments follow their plans", settled=done)
