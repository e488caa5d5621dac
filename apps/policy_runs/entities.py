"""Runs, their results and their secrets: what they are and which changes they allow."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from apps.jobs.entities import Control, Job
from apps.policy_runs.errors import ControlRefused
from apps.storage.entity import Entity, Expiry, Instant, Stored
from apps.storage.secrets import Secret

LONGEST_RUN = timedelta(days=7)
SECRET_LIFE = timedelta(hours=24)


class RunStatus(StrEnum):
    """How far a run is; the last four are final."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCESS = "success"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing will happen any more."""
        return self not in {RunStatus.PENDING, RunStatus.RUNNING, RunStatus.PAUSED}


class PolicyStatus(StrEnum):
    """What became of one policy. *Unknown* means: the host may have done it; check there."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class Counts(BaseModel):
    """How many policies of a run are in each state; pending is the rest."""

    model_config = ConfigDict(frozen=True)

    success: int = 0
    failed: int = 0
    skipped: int = 0
    unknown: int = 0

    @property
    def completed(self) -> int:
        """Policies that have a result."""
        return self.success + self.failed + self.skipped + self.unknown

    def plus(self, status: PolicyStatus, number: int = 1) -> "Counts":
        """The counts with so many more in a state."""
        return self.model_copy(update={status.value: getattr(self, status.value) + number})


class AstExecution(Job):
    """One run: an AST taken over a batch of policies on one host.

    The counters are a projection of the results, set to absolute values under the fence. `waiting_reason` says in words
    why nothing moves, where nothing does. `under_way` is there from the launch to the end. `claims_in_vain` counts
    claims that broke off without a result since `items_at_claim` were done. Policy numbers are never in `params`: the
    item stays small.
    """

    derived: ClassVar[Mapping[str, str]] = {"board": "all"}

    execution_id: str
    session_id: str
    user_id: str
    parent_execution_id: str | None = None
    ast_name: str
    host_name: str
    status: RunStatus = RunStatus.PENDING
    under_way: Literal["yes"] | None = None
    progress: int = Field(default=0, ge=0, le=100)
    total_items: int = 0
    completed_items: int = 0
    success_count: int = 0
    failed_count: int = 0
    skipped_count: int = 0
    unknown_count: int = 0
    created_at: Instant
    started_at: Instant | None = None
    completed_at: Instant | None = None
    waiting_reason: str | None = None
    claims_in_vain: int = 0
    items_at_claim: int = 0
    params: Mapping[str, Any] = {}
    result: Mapping[str, Any] = {}

    @property
    def counts(self) -> Counts:
        """The counters as one value."""
        return Counts(
            success=self.success_count,
            failed=self.failed_count,
            skipped=self.skipped_count,
            unknown=self.unknown_count,
        )

    @property
    def pending_count(self) -> int:
        """Policies without a result."""
        return max(0, self.total_items - self.counts.completed)

    @property
    def is_launched(self) -> bool:
        """Whether its launch got to its end: what never was in the queue never ran."""
        return self.queue is not None or self.status is not RunStatus.PENDING

    def controlled(self, wish: Control, *, now: datetime) -> Mapping[str, Any]:
        """The changes that carry out what somebody wants of the run; empty where it is so already.

        While a worker has it, the wish is noted and the worker obeys; otherwise the state changes at once. Raises
        `ControlRefused` where the run's state does not allow it.
        """
        if self.status.is_final:
            raise ControlRefused(f"This run has ended ({self.status.value}); it cannot be changed any more.")
        if not self.is_launched and wish is not Control.CANCEL:
            raise ControlRefused("This run is still being launched. Try again in a moment.")
        if self.control is Control.CANCEL and wish is not Control.CANCEL:
            raise ControlRefused("This run is being cancelled.")
        if self.is_held(now) or (self.status is RunStatus.RUNNING and wish is not Control.RUN):
            return {} if self.control is wish else {"control": wish}
        if wish is Control.PAUSE:
            return {} if self.status is RunStatus.PAUSED else {"control": wish, **paused_changes()}
        if wish is Control.CANCEL:
            return {"control": wish, **final_changes(self, RunStatus.CANCELLED, now=now)}
        if self.status is RunStatus.PAUSED:
            reopened = {"queue": "open", "available_at": now, "waiting_reason": None, "under_way": "yes"}
            return {"control": wish, "status": RunStatus.PENDING, **reopened}
        return {} if self.control is wish else {"control": wish}


def paused_changes() -> Mapping[str, Any]:
    """What makes an open run a paused one: it leaves the queue."""
    return {
        "status": RunStatus.PAUSED,
        "under_way": "yes",
        "queue": None,
        "available_at": None,
        "waiting_reason": None,
        "claims_in_vain": 0,
    }


def final_changes(
    run: AstExecution, status: RunStatus, *, now: datetime, counts: Counts | None = None, reason: str | None = None
) -> Mapping[str, Any]:
    """What ends a run: what has no result reads as skipped from now on."""
    counts = counts or run.counts
    left = max(0, run.total_items - counts.completed)
    return {
        "status": status,
        "under_way": None,
        "queue": None,
        "available_at": None,
        "waiting_reason": None,
        "completed_at": now,
        **counter_changes(counts.plus(PolicyStatus.SKIPPED, left), completed=counts.completed, total=run.total_items),
        "result": {**run.result, **({"reason": reason} if reason else {})},
    }


def counter_changes(counts: Counts, *, completed: int, total: int) -> Mapping[str, Any]:
    """The counters as attributes of the run."""
    return {
        "completed_items": completed,
        "success_count": counts.success,
        "failed_count": counts.failed,
        "skipped_count": counts.skipped,
        "unknown_count": counts.unknown,
        "progress": 100 * completed // total if total else 100,
    }


class Screenshot(BaseModel):
    """A masked screen as it was seen.

    `text` is rows times columns characters, `bright` its intensified spans as (start, length).
    """

    model_config = ConfigDict(frozen=True)

    step: str
    captured_at: Instant
    text: Annotated[str, Stored(compressed=True)]
    bright: tuple[tuple[int, ...], ...] = ()


class PolicyResult(Entity):
    """What became of one policy of a run.

    `attempt_id` names the try that wrote the result, so that a worker recognises its own write when it was sent twice.
    """

    derived: ClassVar[Mapping[str, str]] = {"status_key": "{status}#{policy_number}"}

    execution_id: str
    policy_number: str
    status: PolicyStatus = PolicyStatus.PENDING
    started_at: Instant | None = None
    completed_at: Instant | None = None
    duration_ms: int | None = None
    attempt: int = 0
    attempt_id: str | None = None
    fence: int = 0
    error: str | None = None
    screenshots: tuple[Screenshot, ...] = ()
    data: Mapping[str, str | int | Decimal] = {}
    expires_at: Expiry | None = None


class RunSecret(Entity):
    """The host credentials of a run while it lives."""

    execution_id: str
    user_id: Secret
    password: Secret
    expires_at: Expiry


class AstRegistration(Entity):
    """An AST that the code offers, as administrators see it."""

    ast_name: str
    description: str
    ast_version: str
    parameter_schema: str = "{}"
    enabled: bool = True
    updated_at: Instant
