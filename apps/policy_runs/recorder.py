"""What became of each policy: written once, counted, and told to the watchers."""

import asyncio
import time
from collections import deque
from typing import Any

import structlog

from apps.errors import Unavailable
from apps.jobs.feed import Feed
from apps.jobs.lease import Lease, LeaseLost
from apps.policy_runs.entities import AstExecution, Counts, PolicyResult, PolicyStatus
from apps.policy_runs.payloads import SECONDS_A_MINUTE, item_payload, numbers, seconds_left
from apps.policy_runs.repository import Results
from apps.storage.conditions import Update, attribute
from apps.storage.connection import off_loop
from apps.storage.errors import ConditionFailed, ItemNotFound

log = structlog.get_logger(__name__)

RATE_WINDOW_SECONDS = 60.0
WRITE_AGAIN_SECONDS = 0.5
_KEPT = frozenset({"execution_id", "policy_number", "version", "expires_at"})


class Recorder:
    """The results of one claim of a run. `counts` starts with what was recorded before.

    `is_doubtful` turns true when another worker had recorded a policy in between: then the counts must be read afresh.
    """

    def __init__(
        self, results: Results, *, run: AstExecution, lease: Lease[AstExecution], feed: Feed, counts: Counts
    ) -> None:
        """`lease` bounds how long a store that does not answer is borne."""
        self.results = results
        self.run = run
        self.lease = lease
        self.feed = feed
        self.counts = counts
        self.is_doubtful = False
        self.current: dict[str, None] = {}
        self._shown: list[str] = []
        self._finished_at: deque[float] = deque()
        self._writing: set[asyncio.Task[bool]] = set()

    async def record(self, result: PolicyResult) -> bool:
        """Write the result; whether it was this write that counted. Raises `LeaseLost` where the store stays away.

        A cancellation does not tear a result from its count: the write goes on, and `settled` waits for it.
        """
        writing = asyncio.create_task(self._record(result))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
        return await asyncio.shield(writing)

    async def settled(self) -> None:
        """Wait for writes that a cancellation left behind."""
        await asyncio.gather(*self._writing, return_exceptions=True)

    async def _record(self, result: PolicyResult) -> bool:
        if not await self._write(result):
            self.is_doubtful = True
            return False
        self.counts = self.counts.plus(result.status)
        self._finished_at.append(time.monotonic())
        self.feed.item(item_payload(result))
        return True

    async def _write(self, result: PolicyResult) -> bool:
        """Over a pending one only. False where the stored one is not ours; our own repeated write is recognised."""
        written = {name: getattr(result, name) for name in PolicyResult.model_fields if name not in _KEPT}
        key = (result.execution_id, result.policy_number)
        pending = attribute("status").equals(PolicyStatus.PENDING)
        while True:
            try:
                await off_loop(self.results.update, key, Update(set=written), condition=pending, mine=("attempt_id",))
            except ConditionFailed as error:
                return bool(error.stored.attempt_id == result.attempt_id)
            except ItemNotFound:
                return False  # somebody deleted it meanwhile
            except Unavailable as error:
                log.warning("result not written yet", run=result.execution_id, error=error.message)
                if not self.lease.is_sure:
                    raise LeaseLost(result.execution_id) from error
                await asyncio.sleep(WRITE_AGAIN_SECONDS)
            else:
                return True

    # --- telling -----------------------------------------------------------------------------------------------------

    def tell_progress(self, current: int, total: int, message: str) -> None:
        """`ast.progress` to the watchers; an AST's `report_progress` ends here."""
        rate = self.rate()
        self._shown = list(self.current)
        payload: dict[str, Any] = {
            "executionId": self.run.execution_id,
            "astName": self.run.ast_name,
            **numbers(self.counts, completed=current, total=total),
            "currentItem": next(iter(self.current), None),
            "currentItems": self._shown,
            "itemStatus": message.rpartition(": ")[2],
            "message": message,
            "ratePerMinute": rate,
            "secondsLeft": seconds_left(max(0, total - current), rate),
        }
        self.feed.progress(payload)

    def tell_current(self) -> None:
        """Tell which policies are under way, where that has changed since the last progress."""
        if list(self.current) != self._shown:
            self.tell_progress(self.counts.completed, self.run.total_items, "")

    def rate(self) -> float:
        """Policies a minute over the last minute."""
        now = time.monotonic()
        while self._finished_at and self._finished_at[0] < now - RATE_WINDOW_SECONDS:
            self._finished_at.popleft()
        if not self._finished_at:
            return 0.0
        span = max(1.0, now - self._finished_at[0])
        return round(len(self._finished_at) * SECONDS_A_MINUTE / span, 1)
