"""One claimed run, worked on by several host sessions at once under one lease.

Every policy is recorded exactly once and executed at least once: the result is one conditional write, made before the
log-off. What ends the work early (pause, cancel, a worker told to stop, a lost lease, a fault that stops the run) is an
`Ending`; the first one counts.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict

import structlog

from apps.errors import Unavailable
from apps.jobs.entities import Control
from apps.jobs.lease import Lease, LeaseLost
from apps.policy_runs.agenda import Agenda, Task
from apps.policy_runs.asts.base import Ast, Credentials, ItemOutcome
from apps.policy_runs.endings import Ending
from apps.policy_runs.entities import (
    LONGEST_RUN,
    AstExecution,
    PolicyResult,
    Screenshot,
    counter_changes,
)
from apps.policy_runs.line import Line
from apps.policy_runs.recorder import Recorder
from apps.policy_runs.services import keep_credentials
from apps.policy_runs.slots import SlotKeeper
from apps.policy_runs.stores import Stores
from apps.policy_runs.verdicts import Again, Patience, Settle, Stop, Verdict, on_fault, on_timeout
from apps.storage.connection import off_loop
from apps.terminal.entities import SessionStatus
from apps.terminal.errors import FaultKind, HostFault
from apps.terminal.screens import CapturedScreen
from apps.terminal.session import HostAddress

log = structlog.get_logger(__name__)

BEAT_SECONDS = 1.0
SIGN_OFF_SECONDS = 3.5  # with the heartbeat and the last writes a cancelled run ends within five seconds
STOP_SECONDS = 20.0
# Watchers hear of every result at once; the stored counters may lag by a heartbeat to save writes on slow hosts.
RESULTS_A_COUNTER_WRITE = 10
SESSION_TOUCH_SECONDS = 30.0
CREDENTIALS_KEPT_SECONDS = 3600.0


# How long policies under way may go on; where an ending is not named they are finished.
_GRACE_SECONDS = {Ending.CANCEL: 0.0, Ending.LOST: 0.0, Ending.STOP: STOP_SECONDS}


class Runner:
    """Works one run off. Make one for each claim; `run` returns why it ended."""

    def __init__(
        self,
        stores: Stores,
        *,
        run: AstExecution,
        lease: Lease[AstExecution],
        ast: type[Ast],
        credentials: Credentials,
        address: HostAddress,
        slots: SlotKeeper,
        agenda: Agenda,
        recorder: Recorder,
        clock: Callable[[], datetime],
        patience: Patience,
    ) -> None:
        """`agenda` and the recorder's counts are what the results say at the time of the claim."""
        self.stores = stores
        self.execution = run
        self.lease = lease
        self.ast = ast(recorder.tell_progress)
        self.credentials = credentials
        self.address = address
        self.slots = slots
        self.agenda = agenda
        self.recorder = recorder
        self.clock = clock
        self.patience = patience
        self.ending: Ending | None = None
        self.reason: str | None = None
        self._waiting: str | None = run.waiting_reason
        self._written: dict[str, Any] = {
            "completed_items": recorder.counts.completed,
            "waiting_reason": run.waiting_reason,
        }
        self._touched = self._kept = time.monotonic()
        self._ended = asyncio.Event()
        self._deadline: float | None = None
        self._hold_until = 0.0
        self._probe: Line | None = None
        self._credentials_proven = False
        self._connect_failures = 0

    # --- the whole ---------------------------------------------------------------------------------------------------

    async def run(self, *, sessions: int, stop: asyncio.Event) -> Ending:
        """Work with so many host sessions until finished or ended early; every session is closed on return."""
        beat = asyncio.create_task(self._beat(stop), name="heartbeat")
        working = [asyncio.create_task(self._work(number), name=f"session {number}") for number in range(sessions)]
        try:
            await self._watch(set(working), beat)
        finally:
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
            await self.recorder.settled()
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)
        if self.ending is None and not self.agenda.is_finished:
            return Ending.LOST  # the lease ran out before it could be renewed, so nothing more was started
        return self.ending or Ending.FINISHED

    async def _watch(self, pending: set["asyncio.Task[None]"], beat: "asyncio.Task[None]") -> None:
        """Wait for the sessions; once the run is to end, those under way have their time and no more."""
        while pending and not self._time_is_up():
            waited_for = pending if beat.done() else {*pending, beat}
            done, _ = await asyncio.wait(waited_for, timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # a bug in a session or in the heartbeat ends the run loudly
            pending -= done

    def _time_is_up(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def end(self, ending: Ending, reason: str | None = None) -> None:
        """Start no further policy; the first ending counts, except that cancelling and losing overrule others."""
        overrules = ending in {Ending.CANCEL, Ending.LOST} and self.ending not in {Ending.CANCEL, Ending.LOST}
        if self.ending is not None and not overrules:
            return
        self.ending, self.reason = ending, reason or self.reason
        if ending in _GRACE_SECONDS:
            self._deadline = time.monotonic() + _GRACE_SECONDS[ending]
        self._ended.set()

    # --- the heartbeat -----------------------------------------------------------------------------------------------

    async def _beat(self, stop: asyncio.Event) -> None:
        """Keep the lease, write the counters, read what people want."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                if self.lease.is_due or self._has_news():
                    changes = self._changes()
                    await self.lease.renew(changes)
                    self._written = changes
                else:
                    await self.lease.look()
            except LeaseLost:
                self.end(Ending.LOST)
                return
            if self.lease.control is Control.CANCEL:
                self.end(Ending.CANCEL)
            elif self.lease.control is Control.PAUSE:
                self.end(Ending.PAUSE)
            elif stop.is_set() or self.clock() - self.execution.created_at > LONGEST_RUN:
                self.end(Ending.STOP)  # one that took too long is ended by the next claim
            self.recorder.tell_current()
            await self._keep_alive()

    def _has_news(self) -> bool:
        """Whether the counters are worth a write of their own between two heartbeats."""
        known = int(self._written.get("completed_items", 0))
        return (
            self.recorder.counts.completed - known >= RESULTS_A_COUNTER_WRITE
            or self._written.get("waiting_reason") != self._waiting
        )

    def _changes(self) -> dict[str, Any]:
        counts = self.recorder.counts
        counters = counter_changes(counts, completed=counts.completed, total=self.execution.total_items)
        return {**counters, "waiting_reason": self._waiting}

    async def _keep_alive(self) -> None:
        """Note now and then that the session is used, and let the credentials live as long as the run is worked on."""
        now, key = time.monotonic(), self.execution.execution_id
        try:
            if now - self._touched >= SESSION_TOUCH_SECONDS:
                self._touched = now
                touch = self.stores.sessions.touch
                await off_loop(touch, self.execution.session_id, status=SessionStatus.ACTIVE, now=self.clock())
            if now - self._kept >= CREDENTIALS_KEPT_SECONDS:
                self._kept = now
                await off_loop(keep_credentials, self.stores, key=key, now=self.clock())
        except Unavailable as error:
            log.warning("session not touched", run=key, error=error.message)

    # --- the sessions ------------------------------------------------------------------------------------------------

    async def _work(self, number: int) -> None:
        """One host session's share: policy after policy, the connection kept as long as it serves."""
        await self._wait_for_proof(number)
        async with self.slots.slot(number, waiting=self._wait_for) as granted:
            if not granted:
                self._no_slot(number)
                return
            line = self._new_line()
            if number == 0:
                self._probe = line
            try:
                while (task := await self._next()) is not None:
                    await self._take(line, task)
            except asyncio.CancelledError:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SIGN_OFF_SECONDS):
                        await line.finish()
                raise
            finally:
                await line.hang_up()

    def _no_slot(self, number: int) -> None:
        """The host's sessions for this user id are all taken: let other runs have the worker meanwhile."""
        if number == 0 and self.ending is None:
            self.end(Ending.WAIT, self._waiting)

    def _new_line(self) -> Line:
        return Line(
            self.address,
            ast=self.ast,
            secret=self.credentials.password,
            deadlines=self.patience.deadlines,
            clock=self.clock,
        )

    async def _next(self) -> Task | None:
        """The next policy, or None when there is none or none may be started any more."""
        while self.ending is None:
            # A lease that is unsure for a moment starts nothing; one that is lost ends the run by the heartbeat.
            may_start = self.lease.is_sure and time.monotonic() >= self._hold_until
            task = self.agenda.take() if may_start else None
            if task is not None:
                return task
            if self.agenda.is_finished:
                return None
            await self._doze(0.05)
        return None

    async def _wait_for_proof(self, number: int) -> None:
        """Let one session sign on first: many at once with a wrong password would lock the account."""
        while number and not self._is_proven() and self.ending is None and not self.agenda.is_finished:
            await self._doze(0.05)

    def _is_proven(self) -> bool:
        if self._probe is not None and self._probe.has_signed_on:
            self._credentials_proven = True
        return self._credentials_proven

    async def _doze(self, seconds: float) -> None:
        """Sleep, but not past an ending."""
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return

    async def _take(self, line: Line, task: Task) -> None:
        """Take one policy through the host, record what became of it, and sign off."""
        attempt = _Attempt(started_at=self.clock())
        self.recorder.current[task.policy_number] = None
        try:
            verdict = await self._try(line, task, attempt)
        finally:
            self.recorder.current.pop(task.policy_number, None)
        attempt.screens += line.take_screens()
        if isinstance(verdict, Settle):
            await self._settle(task, verdict.outcome, attempt)
            self.agenda.done()
        elif isinstance(verdict, Again):
            self.agenda.again(task, after_seconds=verdict.after_seconds)
        else:
            self.agenda.again(task, after_seconds=0, counts=False)
            if isinstance(verdict, Stop):
                self.end(Ending.FAILED, verdict.reason)
            else:
                self._hold_until = time.monotonic() + verdict.seconds
                self._wait_for(verdict.reason)
        await line.finish()

    async def _try(self, line: Line, task: Task, attempt: "_Attempt") -> Verdict:
        """Do what the AST does, within the time a policy may take."""
        rules: _Rules = {"attempt": task.attempt, "changes_host": self.ast.changes_host, "patience": self.patience}
        try:
            async with asyncio.timeout(self.patience.policy):
                session = await line.ready()
                outcome = await self.ast.perform(session, task.policy_number, credentials=self.credentials)
        except HostFault as fault:
            log.info("host fault", run=self.execution.execution_id, fault=fault.kind.value, step=fault.step)
            attempt.screens += fault.screens
            self._connect_failures += fault.kind is FaultKind.CONNECT_FAILED
            return on_fault(fault, connect_failures=self._connect_failures, **rules)
        except TimeoutError:
            return on_timeout(**rules)
        self._wait_for(None)
        self._credentials_proven, self._connect_failures = True, 0
        return Settle(outcome)

    async def _settle(self, task: Task, outcome: ItemOutcome, attempt: "_Attempt") -> None:
        """Record what became of the policy."""
        result = PolicyResult(
            execution_id=self.execution.execution_id,
            policy_number=task.policy_number,
            status=outcome.status,
            started_at=attempt.started_at,
            completed_at=self.clock(),
            duration_ms=round((time.monotonic() - attempt.began) * 1000),
            attempt=task.attempt,
            attempt_id=attempt.attempt_id,
            fence=self.lease.fence,
            error=outcome.error,
            data=outcome.data,
            screenshots=tuple(
                Screenshot(step=screen.step, captured_at=screen.captured_at, text=screen.text, bright=screen.bright)
                for screen in attempt.screens
            ),
        )
        try:
            recorded = await self.recorder.record(result)
        except LeaseLost:
            self.end(Ending.LOST)
            return
        if recorded:
            done, total = self.recorder.counts.completed, self.execution.total_items
            self.ast.report_progress(done, total, f"{result.policy_number}: {result.status.value}")

    def _wait_for(self, reason: str | None) -> None:
        self._waiting = reason


class _Rules(TypedDict):
    attempt: int
    changes_host: bool
    patience: Patience


@dataclass(slots=True)
class _Attempt:
    """One try of one policy."""

    started_at: datetime
    began: float = field(default_factory=time.monotonic)
    attempt_id: str = field(default_factory=lambda: secrets.token_hex(8))
    screens: list[CapturedScreen] = field(default_factory=list)
