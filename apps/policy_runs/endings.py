"""Why the work under one claim ends, and what becomes of the run then."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from apps.jobs.entities import Control
from apps.policy_runs.entities import AstExecution, Counts, RunStatus, counter_changes, final_changes, paused_changes

WAIT_BEFORE_NEXT_CLAIM = timedelta(seconds=15)


class Ending(Enum):
    """Why no further policy is started."""

    FINISHED = "finished"
    PAUSE = "pause"
    CANCEL = "cancel"
    STOP = "stop"
    WAIT = "wait"
    FAILED = "failed"
    TIMEOUT = "timeout"
    LOST = "lost"


# What it is then; finished ones depend on their counts, the others go on later.
_FINAL = {Ending.CANCEL: RunStatus.CANCELLED, Ending.FAILED: RunStatus.FAILED, Ending.TIMEOUT: RunStatus.TIMEOUT}


def obeyed(ending: Ending, *, control: Control, reason: str | None) -> Ending:
    """The ending, in the light of what people want by now."""
    if control is Control.CANCEL:
        return Ending.CANCEL  # asked for while the last policies were finishing
    if ending is Ending.PAUSE and control is Control.RUN and reason is None:
        return Ending.STOP  # resumed before it had come to rest
    return ending


def last_changes(
    run: AstExecution, ending: Ending, *, counts: Counts, reason: str | None, now: datetime
) -> Mapping[str, Any]:
    """The changes with which the run is let go of."""
    if ending in _FINAL:
        return final_changes(run, _FINAL[ending], now=now, counts=counts, reason=reason)
    if ending is Ending.FINISHED:
        nothing = "No policy could be processed." if counts.failed and not counts.success else None
        status = RunStatus.FAILED if nothing else RunStatus.SUCCESS
        return final_changes(run, status, now=now, counts=counts, reason=nothing)
    counters = counter_changes(counts, completed=counts.completed, total=run.total_items)
    if ending is Ending.PAUSE:
        return {**counters, **paused_changes(), "control": Control.PAUSE, "waiting_reason": reason}
    available_at = now + WAIT_BEFORE_NEXT_CLAIM if ending is Ending.WAIT else now
    reopened = {"status": RunStatus.PENDING, "available_at": available_at, "waiting_reason": reason}
    return {**counters, **reopened, "claims_in_vain": 0}
