"""What the API of runs says and takes."""

from datetime import datetime
from decimal import Decimal

from pydantic import Field

from apps.api_shapes import Camel
from apps.jobs.entities import Control
from apps.policy_runs.entities import AstExecution, PolicyResult, PolicyStatus, RunStatus
from apps.policy_runs.parsing import MOST_POLICIES
from apps.policy_runs.payloads import numbers, shown_status, waiting_reason

LONGEST_NUMBER = 64


class LaunchIn(Camel):
    """A run to launch. The host credentials are encrypted, never returned, and erased when the run ends."""

    ast_name: str = "login"
    host_name: str
    user_id: str = Field(min_length=1, max_length=64, description="The user id at the host.")
    password: str = Field(min_length=1, max_length=128, json_schema_extra={"writeOnly": True, "format": "password"})
    policy_numbers: list[str] = Field(min_length=1, max_length=MOST_POLICIES * 2)
    idempotency_key: str = Field(min_length=8, max_length=64, description="The same key never launches two runs.")
    parameters: dict[str, str | int | bool] = Field(default_factory=dict)


class ControlIn(Camel):
    """What is wanted of a run; credentials only where they were erased and resuming asks for them."""

    action: str = Field(pattern="^(pause|resume|cancel)$")
    user_id: str | None = Field(default=None, max_length=64)
    password: str | None = Field(default=None, max_length=128, json_schema_extra={"writeOnly": True})


class CountsOut(Camel):
    """Policies by state."""

    pending: int
    success: int
    failed: int
    skipped: int
    unknown: int


class RunOut(Camel):
    """A run."""

    execution_id: str
    session_id: str
    user_id: str
    ast_name: str
    host_name: str
    status: RunStatus
    control: Control
    waiting_reason: str | None
    reason: str | None
    current: int
    total: int
    percent: int
    counts: CountsOut
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


class RunPageOut(Camel):
    """Runs, newest first, and the cursors to the pages around."""

    items: list[RunOut]
    next: str | None
    previous: str | None


class ResultOut(Camel):
    """What became of one policy, without its screens."""

    policy_number: str
    status: PolicyStatus
    started_at: datetime | None
    completed_at: datetime | None
    duration_ms: int | None
    attempt: int
    error: str | None


class ResultPageOut(Camel):
    """Results and the cursors to the pages around."""

    items: list[ResultOut]
    next: str | None
    previous: str | None


class ScreenOut(Camel):
    """A masked screen: 24 lines of 80 characters, and the intensified spans as [start, length] in the whole text."""

    step: str
    captured_at: datetime
    lines: list[str]
    bright: list[tuple[int, ...]]


class ResultDetailOut(ResultOut):
    """What became of one policy, with its screens and the data read."""

    data: dict[str, str | int | Decimal]
    screens: list[ScreenOut]


def run_out(run: AstExecution) -> RunOut:
    """A run as the API tells it."""
    counted = numbers(run.counts, completed=run.completed_items, total=run.total_items)
    return RunOut(
        execution_id=run.execution_id,
        session_id=run.session_id,
        user_id=run.user_id,
        ast_name=run.ast_name,
        host_name=run.host_name,
        status=run.status,
        control=run.control,
        waiting_reason=waiting_reason(run),
        reason=run.result.get("reason"),
        current=counted["current"],
        total=counted["total"],
        percent=counted["percent"],
        counts=CountsOut(**counted["counts"]),
        created_at=run.created_at,
        started_at=run.started_at,
        completed_at=run.completed_at,
    )


def result_out(result: PolicyResult, *, run: AstExecution) -> ResultOut:
    """A result as the API tells it."""
    return ResultOut(
        policy_number=result.policy_number,
        status=shown_status(result, run=run),
        started_at=result.started_at,
        completed_at=result.completed_at,
        duration_ms=result.duration_ms,
        attempt=result.attempt,
        error=result.error,
    )


def result_detail_out(result: PolicyResult, *, run: AstExecution, columns: int = 80) -> ResultDetailOut:
    """A result with everything that was seen."""
    screens = [
        ScreenOut(
            step=screen.step,
            captured_at=screen.captured_at,
            lines=[screen.text[start : start + columns] for start in range(0, len(screen.text), columns)],
            bright=list(screen.bright),
        )
        for screen in result.screenshots
    ]
    return ResultDetailOut(**result_out(result, run=run).model_dump(), data=dict(result.data), screens=screens)
