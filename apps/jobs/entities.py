"""What every piece of long work has in common: a queue to wait in, a lease to be worked under, and a control."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from apps.storage.entity import Entity, Instant

LEASE = timedelta(seconds=15)
HEARTBEAT = timedelta(seconds=5)
CLOCK_SKEW = timedelta(seconds=2)


class Control(StrEnum):
    """What people want of the work; the worker reads it between items and with each heartbeat."""

    RUN = "run"
    PAUSE = "pause"
    CANCEL = "cancel"


class Job(Entity):
    """Long work that exactly one worker does at a time.

    `queue` is there while the work is open; `available_at` is when a worker may take it: at once, or after the lease of
    the one that has it. So work whose worker died comes back by itself. `fence` counts the claims: what a worker writes
    carries the number of its claim, and a writer with an older number is refused.
    """

    queue: Literal["open"] | None = None
    available_at: Instant | None = None
    lease_owner: str | None = None
    lease_until: Instant | None = None
    fence: int = 0
    control: Control = Control.RUN

    def is_available(self, now: datetime) -> bool:
        """Whether a worker may take it now."""
        return self.queue == "open" and self.available_at is not None and self.available_at <= now

    def is_held(self, now: datetime) -> bool:
        """Whether a worker has it and is, as far as one can tell, alive."""
        return self.lease_owner is not None and self.lease_until is not None and self.lease_until + CLOCK_SKEW > now
