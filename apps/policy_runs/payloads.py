"""What the watchers of a run are told, in the words of the socket's messages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from apps.policy_runs.entities import AstExecution, Counts, PolicyResult, PolicyStatus
from apps.storage.items.codec import iso

SECONDS_A_MINUTE = 60


def status_payload(run: AstExecution) -> dict[str, Any]:
    """`ast.status`: what state the run is in, what is wanted of it and why it waits."""
    return {
        "executionId": run.execution_id,
        "status": run.status.value,
        "control": run.control.value,
        "waitingReason": waiting_reason(run),
        "reason": run.result.get("reason"),
        "startedAt": iso(run.started_at) if run.started_at else None,
        "completedAt": iso(run.completed_at) if run.completed_at else None,
    }


def state_payload(run: AstExecution, *, now: datetime) -> dict[str, Any]:
    """`ast.state`: everything a page needs to show the run afresh."""
    rate = average_rate(run, now=now)
    return {
        **status_payload(run),
        **numbers(run.counts, completed=run.completed_items, total=run.total_items),
        "ratePerMinute": rate,
        "secondsLeft": seconds_left(run.pending_count, rate) if not run.status.is_final else None,
        "currentItems": [],
    }


def numbers(counts: Counts, *, completed: int, total: int) -> dict[str, Any]:
    """Current, total, percent and counts by state."""
    return {
        "current": completed,
        "total": total,
        "percent": 100 * completed // total if total else 100,
        "counts": {"pending": max(0, total - counts.completed), **counts.model_dump()},
    }


def item_payload(result: PolicyResult) -> Mapping[str, Any]:
    """One entry of `ast.item_results`."""
    return {
        "itemId": result.policy_number,
        "status": result.status.value,
        "durationMs": result.duration_ms,
        "error": result.error,
        "attempt": result.attempt,
    }


def item_payloads(results: Sequence[PolicyResult]) -> list[Mapping[str, Any]]:
    """Entries of `ast.item_results`."""
    return [item_payload(result) for result in results]


def average_rate(run: AstExecution, *, now: datetime) -> float:
    """Policies a minute since the run was started."""
    if run.started_at is None or not run.completed_items:
        return 0.0
    seconds = max(1.0, ((run.completed_at or now) - run.started_at).total_seconds())
    return round(run.completed_items * SECONDS_A_MINUTE / seconds, 1)


def seconds_left(pending: int, rate: float) -> int | None:
    """How long the rest takes at this rate; None where nothing moves."""
    return round(pending * SECONDS_A_MINUTE / rate) if rate else None


def waiting_reason(run: AstExecution) -> str | None:
    """Why nothing moves, in words for the person who watches."""
    if run.waiting_reason:
        return run.waiting_reason
    if run.status.value == "pending":
        return "Waiting for a worker." if run.queue else "The launch is being prepared."
    return None


def shown_status(result: PolicyResult, *, run: AstExecution) -> PolicyStatus:
    """The state to show: what has no result when the run has ended was skipped."""
    if result.status is PolicyStatus.PENDING and run.status.is_final:
        return PolicyStatus.SKIPPED
    return result.status
