"""Runs and results made ready to be shown: owners by name, screens by row, exports by line."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from apps.accounts.repository import Users
from apps.policy_runs.entities import AstExecution, PolicyResult, PolicyStatus, Screenshot
from apps.policy_runs.payloads import shown_status
from apps.policy_runs.repository import Results
from apps.spreadsheets import csv_line
from apps.storage.connection import off_loop
from apps.storage.items.codec import iso

COLUMNS = 80
COMMAND_LINE = "command-line"
CSV_HEADINGS = ("policy_number", "status", "duration_ms", "attempt", "started_at", "completed_at", "error")
EXPORT_PAGE = 1000

Span = tuple[str, bool]


class ShownRun:
    """A run with its owner's name; everything else is the run's own."""

    def __init__(self, run: AstExecution, owner_name: str) -> None:
        """`owner_name` is what to call the person who started it."""
        self.run = run
        self.owner_name = owner_name

    def __getattr__(self, name: str) -> Any:
        return getattr(self.run, name)


def with_owners(runs: Sequence[AstExecution], users: Users) -> list[ShownRun]:
    """The runs with their owners' names, fetched in one batch."""
    wanted = {run.user_id for run in runs} - {COMMAND_LINE}
    names = {user.user_id: user.name for user in users.get_many(wanted)} if wanted else {}
    return named(runs, names)


def named(runs: Sequence[AstExecution], names: Mapping[str, str]) -> list[ShownRun]:
    """The runs with their owners' names, which are given by user id."""
    known = {**names, COMMAND_LINE: "Command line"}
    return [ShownRun(run, known.get(run.user_id, "Somebody who left")) for run in runs]


def screen_rows(screen: Screenshot, *, columns: int = COLUMNS) -> list[list[Span]]:
    """A screen as rows of (text, is it intensified) that together make `columns` cells each."""
    bright = bytearray(len(screen.text))
    for start, length in screen.bright:
        bright[start : start + length] = b"\1" * len(bright[start : start + length])
    rows = []
    for begin in range(0, len(screen.text), columns):
        spans: list[Span] = []
        start = begin
        end = min(begin + columns, len(screen.text))
        for place in range(begin + 1, end + 1):
            if place == end or bright[place] != bright[start]:
                spans.append((screen.text[start:place], bool(bright[start])))
                start = place
        rows.append(spans)
    return rows


def as_shown(results: Iterable[PolicyResult], *, run: AstExecution) -> list[PolicyResult]:
    """The results with the state to show."""
    return [result.model_copy(update={"status": shown_status(result, run=run)}) for result in results]


def stored_status(shown: PolicyStatus | None, *, run: AstExecution) -> PolicyStatus | None:
    """The stored state behind a filter: in a run that has ended, *skipped* is what never got a result."""
    if shown is PolicyStatus.SKIPPED and run.status.is_final:
        return PolicyStatus.PENDING
    return shown


async def csv_lines(results: Results, run: AstExecution, status: PolicyStatus | None) -> AsyncIterator[bytes]:
    """A run's results as CSV, page by page."""
    yield csv_line(CSV_HEADINGS)
    cursor: str | None = None
    while True:
        page = await off_loop(results.listed, run.execution_id, status=status, cursor=cursor, limit=EXPORT_PAGE)
        yield b"".join(csv_line(_cells(result)) for result in as_shown(page.items, run=run))
        if page.next is None:
            return
        cursor = page.next


def _cells(result: PolicyResult) -> tuple[Any, ...]:
    return (
        result.policy_number,
        result.status.value,
        result.duration_ms,
        result.attempt,
        iso(result.started_at) if result.started_at else "",
        iso(result.completed_at) if result.completed_at else "",
        result.error or "",
    )
