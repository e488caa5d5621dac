"""A worker's hold on one piece of work."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from apps.errors import Unavailable
from apps.jobs.entities import HEARTBEAT, LEASE, Control, Job
from apps.jobs.repository import JobRepository
from apps.storage.connection import promptly
from apps.storage.errors import ConditionFailed, ItemNotFound
from apps.storage.writes import Write

J = TypeVar("J", bound=Job)


class LeaseLost(Exception):
    """Another worker has the work now, or may have it: nothing more may be started or written for it."""


class Lease(Generic[J]):
    """The hold on a claimed job: renewed by heartbeats, trusted only as long as it surely lasts.

    `is_sure` is measured on this machine's monotonic clock from before the renewal was sent, so neither a slow store
    nor a clock that is set can make a worker believe in a lease that has ended.
    """

    def __init__(
        self,
        jobs: JobRepository[J],
        job: J,
        *,
        key: str,
        owner: str,
        clock: Callable[[], datetime],
        claimed: float,
    ) -> None:
        """`job` is what the claim returned; `claimed` is the monotonic time from before it was sent."""
        self.jobs = jobs
        self.key = key
        self.owner = owner
        self.fence = job.fence
        self.control = job.control
        self.clock = clock
        self._sure_until = claimed + LEASE.total_seconds()
        self._renewed = claimed
        self._ended = False

    @property
    def is_sure(self) -> bool:
        """Whether nobody else can have taken the work yet."""
        return not self._ended and time.monotonic() < self._sure_until

    @property
    def is_due(self) -> bool:
        """Whether it is time for a heartbeat."""
        return time.monotonic() - self._renewed >= HEARTBEAT.total_seconds()

    async def renew(self, changes: Mapping[str, Any]) -> None:
        """Extend the lease, write `changes`, and learn the present control.

        Raises `LeaseLost`. A store that does not answer is borne while the lease is sure: the next beat tries again.
        """
        sent = time.monotonic()
        try:
            job = await promptly(
                self.jobs.renew, self.key, owner=self.owner, fence=self.fence, now=self.clock(), changes=changes
            )
        except (ConditionFailed, ItemNotFound) as error:
            self._lose()
            raise LeaseLost(self.key) from error
        except Unavailable as error:
            self._bear(error)
            return
        self._sure_until = sent + LEASE.total_seconds()
        self._renewed = sent
        self.control = job.control

    async def look(self) -> None:
        """Learn the present control by a consistent read. Raises `LeaseLost` where the work is not ours any more."""
        try:
            job = await promptly(self.jobs.get, self.key, consistent=True)
        except ItemNotFound as error:
            self._lose()
            raise LeaseLost(self.key) from error
        except Unavailable as error:
            self._bear(error)
            return
        if job.fence != self.fence or job.lease_owner != self.owner:
            self._lose()
            raise LeaseLost(self.key)
        self.control = job.control

    async def let_go(
        self, changes: Mapping[str, Any], *, wanted: Control | None = None, also: Sequence[Write] = ()
    ) -> J | None:
        """End the lease with these changes, and write `also` with them or not at all.

        None where people changed their minds about `wanted`: look again.

        Raises `LeaseLost`, or `Unavailable` where the store does not answer.
        """
        try:
            job = await promptly(
                self.jobs.let_go,
                self.key,
                owner=self.owner,
                fence=self.fence,
                changes=changes,
                wanted=wanted,
                also=also,
            )
        except (ConditionFailed, ItemNotFound):
            await self.look()
            return None
        self._ended = True
        return job

    def _lose(self) -> None:
        self._ended = True

    def _bear(self, error: Unavailable) -> None:
        if not self.is_sure:
            self._lose()
            raise LeaseLost(self.key) from error
