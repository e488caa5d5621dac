"""One claimed run, worked on by several host sessions at once under one lease.

Every policy is recorded exactly once and executed at least once: the result is one conditional write, made before the
log-off. What ends the work early (pause, cancel, a worker told to stop, a lost lease, a fault that stops the run) is an
`Ending`; the first one counts.
"""

import asyncio
import contextlib
import random
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

import structlog

from apps.errors import Unavailable
from apps.jobs.entities import Control
from apps.jobs.feed import Feed
from apps.jobs.lease import Lease, LeaseLost
from apps.policy_runs.agenda import Agenda, Task
from apps.policy_runs.asts.base import Ast, Credentials, ItemOutcome
from apps.policy_runs.entities import (
    AstExecution,
    Counts,
    PolicyResult,
    PolicyStatus,
    Screenshot,
    counter_changes,
)
from apps.policy_runs.line import Line
from apps.policy_runs.payloads import SECONDS_A_MINUTE, item_payload, numbers, seconds_left
from apps.policy_runs.services import keep_credentials
from apps.policy_runs.slots import SlotKeeper
from apps.policy_runs.stores import Stores
from apps.storage.conditions import Update, attribute
from apps.storage.connection import off_loop
from apps.storage.errors import ConditionFailed
from apps.terminal.entities import SessionStatus
from apps.terminal.errors import FaultKind, HostFault, Remedy
from apps.terminal.screens import CapturedScreen
from apps.terminal.session import Deadlines, HostAddress, Step

log = structlog.get_logger(__name__)

BEAT_SECONDS = 1.0
POLICY_SECONDS = 90.0
CANCEL_SECONDS = 5.0
STOP_SECONDS = 20.0
TRIES = 3
CONNECT_FAILURES = 10
# Watchers hear of every result at once; the stored counters may lag by a heartbeat to save writes on slow hosts.
RESULTS_A_COUNTER_WRITE = 10
SESSION_TOUCH_SECONDS = 30.0
CREDENTIALS_KEPT_SECONDS = 3600.0
RATE_WINDOW_SECONDS = 60.0


class Ending(Enum):
    """Why no further policy is started."""

    FINISHED = "finished"
    PAUSE = "pause"
    CANCEL = "cancel"
    STOP = "stop"
    FAILED = "failed"
    LOST = "lost"


# How long policies under way may go on; where an ending is not named they are finished.
_GRACE_SECONDS = {Ending.CANCEL: 0.0, Ending.LOST: 0.0, Ending.STOP: STOP_SECONDS}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take and waits between tries last, in seconds; tests shorten them."""

    deadlines: Deadlines = field(default_factory=Deadlines)
    policy: float = POLICY_SECONDS
    retry: float = 1.0
    put_off: float = 5.0
    user_in_use: tuple[float, float] = (30.0, 60.0)


class Runner:
    """Works one run off. Make one for each claim; `run` returns why it ended."""

    def __init__(
        self,
        stores: Stores,
        *,
        run: AstExecution,
        lease: Lease[AstExecution],
        feed: Feed,
        ast: type[Ast],
        credentials: Credentials,
        address: HostAddress,
        slots: SlotKeeper,
        agenda: Agenda,
        counts: Counts,
        clock: Callable[[], datetime],
        patience: Patience,
    ) -> None:
        """`agenda` and `counts` are what the results say at the time of the claim."""
        self.stores = stores
        self.execution = run
        self.lease = lease
        self.feed = feed
        self.ast = ast(self._report)
        self.credentials = credentials
        self.address = address
        self.slots = slots
        self.agenda = agenda
        self.counts = counts
        self.clock = clock
        self.patience = patience
        self.ending: Ending | None = None
        self.reason: str | None = None
        self.recorded_elsewhere = False
        self._waiting: str | None = run.waiting_reason
        self._written: dict[str, Any] = {"completed_items": counts.completed, "waiting_reason": run.waiting_reason}
        self._current: dict[str, None] = {}
        self._shown_current: list[str] = []
        self._finished_at: deque[float] = deque()
        self._touched = self._kept = time.monotonic()
        self._ended = asyncio.Event()
        self._deadline: float | None = None
        self._hold_until = 0.0
        self._recording: set[asyncio.Task[None]] = set()
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
            await asyncio.gather(*working, *self._recording, return_exceptions=True)
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
            elif stop.is_set():
                self.end(Ending.STOP)
            if list(self._current) != self._shown_current:
                self._report(self.counts.completed, self.execution.total_items, "")
            await self._keep_alive()

    def _has_news(self) -> bool:
        """Whether the counters are worth a write of their own between two heartbeats."""
        known = int(self._written.get("completed_items", 0))
        return (
            self.counts.completed - known >= RESULTS_A_COUNTER_WRITE
            or self._written.get("waiting_reason") != self._waiting
        )

    def _changes(self) -> dict[str, Any]:
        counters = counter_changes(self.counts, completed=self.counts.completed, total=self.execution.total_items)
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
        async with self.slots.slot(number, waiting=self._wait_for) as granted:
            if not granted:
                return
            line = self._new_line()
            if number == 0:
                self._probe = line
            try:
                await self._wait_for_proof(number)
                while (task := await self._next()) is not None:
                    await self._take(line, task)
            except asyncio.CancelledError:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CANCEL_SECONDS - BEAT_SECONDS):
                        await line.finish()
                raise
            finally:
                await line.hang_up()

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
        while self.ending is None and self.lease.is_sure:
            task = self.agenda.take() if time.monotonic() >= self._hold_until else None
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
        self._current[task.policy_number] = None
        attempt_id, started_at, began = secrets.token_hex(8), self.clock(), time.monotonic()
        screens: list[CapturedScreen] = []
        try:
            async with asyncio.timeout(self.patience.policy):
                session = await line.ready()
                outcome = await self.ast.perform(session, task.policy_number, credentials=self.credentials)
        except HostFault as fault:
            screens += fault.screens
            settled = self._after_fault(fault, task)
        except TimeoutError:
            settled = self._retry(task, f"The policy took longer than {self.patience.policy:g} s.", tries=TRIES)
        else:
            self._wait_for(None)
            self._credentials_proven, self._connect_failures = True, 0
            settled = outcome
        finally:
            self._current.pop(task.policy_number, None)
        screens += line.take_screens()
        if settled is not None:
            result = self._result(
                task, settled, screens, attempt_id=attempt_id, started_at=started_at, seconds=time.monotonic() - began
            )
            # A cancellation must not tear a result from its count: the write is waited for in any case.
            recording = asyncio.create_task(self._record(result))
            self._recording.add(recording)
            recording.add_done_callback(self._recording.discard)
            await asyncio.shield(recording)
            self.agenda.done()
        await line.finish()

    # --- faults ------------------------------------------------------------------------------------------------------

    def _after_fault(self, fault: HostFault, task: Task) -> ItemOutcome | None:
        """What a fault means for this policy: an outcome, or None where it is to be tried again (or the run stops)."""
        log.info("host fault", run=self.execution.execution_id, fault=fault.kind.value, step=fault.step)
        if fault.remedy is Remedy.STOP_RUN:
            self.agenda.again(task, after_seconds=0, counts=False)
            self.end(Ending.FAILED, fault.message)
            return None
        if fault.remedy is Remedy.BACK_OFF:
            wait = random.uniform(*self.patience.user_in_use)  # noqa: S311  (jitter, not a secret)
            self._hold_until = time.monotonic() + wait
            self._wait_for(f"{fault.message} Trying again in {wait:.0f} s.")
            self.agenda.again(task, after_seconds=0, counts=False)
            return None
        if fault.kind is FaultKind.CONNECT_FAILED:
            return self._unreachable(fault, task)
        if fault.step in {Step.INQUIRY.value, Step.RESULT.value}:
            self._credentials_proven = True
        if self.ast.changes_host and fault.remedy is not Remedy.PUT_OFF:
            return ItemOutcome(PolicyStatus.UNKNOWN, error=f"{fault.message} Check on the host what was done.")
        if fault.remedy is Remedy.PUT_OFF:
            return self._retry(task, fault.message, tries=TRIES, wait=self.patience.put_off)
        return self._retry(task, fault.message, tries=2 if fault.remedy is Remedy.RETRY_ONCE else TRIES)

    def _unreachable(self, fault: HostFault, task: Task) -> ItemOutcome | None:
        """A host that is down must not use up the tries of ten thousand policies: hold all, in the end stop the run."""
        self._connect_failures += 1
        if self._connect_failures >= CONNECT_FAILURES:
            self.agenda.again(task, after_seconds=0, counts=False)
            self.end(Ending.FAILED, fault.message)
            return None
        wait = self.patience.retry * min(2**self._connect_failures, 15)
        self._hold_until = time.monotonic() + random.uniform(wait / 2, wait)  # noqa: S311  (jitter, not a secret)
        self._wait_for(f"{fault.message} Trying again.")
        self.agenda.again(task, after_seconds=0, counts=False)
        return None

    def _retry(self, task: Task, message: str, *, tries: int, wait: float | None = None) -> ItemOutcome | None:
        if task.attempt >= tries:
            return ItemOutcome(PolicyStatus.FAILED, error=message)
        longest = wait or self.patience.retry * 2**task.attempt
        self.agenda.again(task, after_seconds=random.uniform(longest / 2, longest))  # noqa: S311  (jitter)
        return None

    def _wait_for(self, reason: str | None) -> None:
        self._waiting = reason

    # --- results -----------------------------------------------------------------------------------------------------

    def _result(
        self,
        task: Task,
        outcome: ItemOutcome,
        screens: list[CapturedScreen],
        *,
        attempt_id: str,
        started_at: datetime,
        seconds: float,
    ) -> PolicyResult:
        return PolicyResult(
            execution_id=self.execution.execution_id,
            policy_number=task.policy_number,
            status=outcome.status,
            started_at=started_at,
            completed_at=self.clock(),
            duration_ms=round(seconds * 1000),
            attempt=task.attempt,
            attempt_id=attempt_id,
            fence=self.lease.fence,
            error=outcome.error,
            data=outcome.data,
            screenshots=tuple(
                Screenshot(step=screen.step, captured_at=screen.captured_at, text=screen.text, bright=screen.bright)
                for screen in screens
            ),
        )

    async def _record(self, result: PolicyResult) -> None:
        """Write the result, over a pending one only; a store that does not answer is borne while the lease lasts."""
        written = {
            name: getattr(result, name)
            for name in PolicyResult.model_fields
            if name not in {"execution_id", "policy_number", "version", "expires_at"}
        }
        key = (result.execution_id, result.policy_number)
        pending = attribute("status").equals(PolicyStatus.PENDING)
        while True:
            try:
                await off_loop(self.stores.results.update, key, Update(set=written), condition=pending)
            except ConditionFailed as error:
                if error.stored.attempt_id != result.attempt_id:
                    self.recorded_elsewhere = True  # another worker had the run in between: count afresh at the end
                    return
            except Unavailable as error:
                log.warning("result not written yet", run=result.execution_id, error=error.message)
                if not self.lease.is_sure:
                    self.end(Ending.LOST)
                    return
                await asyncio.sleep(0.5)
                continue
            break
        self.counts = self.counts.plus(result.status)
        self._finished_at.append(time.monotonic())
        self.feed.item(item_payload(result))
        self.ast.report_progress(
            self.counts.completed, self.execution.total_items, f"{result.policy_number}: {result.status.value}"
        )

    def _report(self, current: int, total: int, message: str) -> None:
        """`ast.progress` to the watchers."""
        rate = self.rate()
        self._shown_current = list(self._current)
        self.feed.progress(
            {
                "executionId": self.execution.execution_id,
                "astName": self.execution.ast_name,
                **numbers(self.counts, completed=current, total=total),
                "currentItem": next(iter(self._current), None),
                "currentItems": self._shown_current,
                "itemStatus": message.rpartition(": ")[2],
                "message": message,
                "ratePerMinute": rate,
                "secondsLeft": seconds_left(max(0, total - current), rate),
            }
        )

    def rate(self) -> float:
        """Policies a minute over the last minute."""
        now = time.monotonic()
        while self._finished_at and self._finished_at[0] < now - RATE_WINDOW_SECONDS:
            self._finished_at.popleft()
        if not self._finished_at:
            return 0.0
        span = max(1.0, now - self._finished_at[0])
        return round(len(self._finished_at) * SECONDS_A_MINUTE / span, 1)
