"""Policy runs as the worker sees them: claim, prepare, run, and say how it ended."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from apps.errors import Unavailable
from apps.jobs.entities import Control
from apps.jobs.feed import Feed
from apps.jobs.lease import Lease, LeaseLost
from apps.policy_runs.agenda import Agenda
from apps.policy_runs.asts import ASTS
from apps.policy_runs.asts.base import Ast, Credentials
from apps.policy_runs.credentials import revealed
from apps.policy_runs.endings import Ending, last_changes, obeyed
from apps.policy_runs.entities import (
    LONGEST_RUN,
    AstExecution,
    Counts,
    RunStatus,
)
from apps.policy_runs.payloads import state_payload, status_payload
from apps.policy_runs.recorder import Recorder
from apps.policy_runs.runner import Runner
from apps.policy_runs.services import closing, keep_credentials, sweep_broken_launches
from apps.policy_runs.slots import SlotKeeper
from apps.policy_runs.stores import Stores
from apps.policy_runs.verdicts import Patience
from apps.policy_runs.wiring import default_stores
from apps.storage.connection import off_loop, promptly
from apps.storage.errors import SecretUnreadable
from apps.terminal.entities import Host
from apps.terminal.session import HostAddress

log = structlog.get_logger(__name__)

MOST_CLAIMS_IN_VAIN = 10
COUNT_TRIES = 10
COUNT_WAIT_SECONDS = 0.5


class PolicyRunHandler:
    """The handler that the setting `JOBS["HANDLERS"]` names."""

    def __init__(
        self,
        stores: Callable[[], Stores] = default_stores,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        patience: Patience | None = None,
    ) -> None:
        """`clock` gives aware UTC times; `patience` is shortened by tests."""
        self._stores = stores
        self.clock = clock
        self.patience = patience or Patience()

    async def waiting(self, *, now: datetime, limit: int) -> Sequence[str]:
        """Keys of runs that may be taken."""
        return await off_loop(self._stores().executions.waiting, now=now, limit=limit)

    async def sweep(self, *, now: datetime) -> None:
        """Close what broken launches left behind."""
        for key in await off_loop(sweep_broken_launches, self._stores(), now=now):
            log.warning("broken launch closed", run=key)

    async def work(self, key: str, *, owner: str, stop: asyncio.Event) -> bool:
        """Claim the run and work on it until it ends, is paused or is handed back."""
        stores = self._stores()
        sent = time.monotonic()
        claimed = await promptly(stores.leases.claim, key, owner=owner, now=self.clock(), changes=self._claim_changes)
        if claimed is None:
            return False
        lease = Lease(stores.leases, claimed, key=key, owner=owner, clock=self.clock, claimed=sent)
        await _Claim(self, stores, claimed, lease).work(stop)
        return True

    def _claim_changes(self, found: AstExecution) -> Mapping[str, Any]:
        return {"status": RunStatus.RUNNING, "under_way": "yes", "started_at": found.started_at or self.clock()}


class _Claim:
    """What is done under one claim of one run."""

    def __init__(
        self, handler: PolicyRunHandler, stores: Stores, run: AstExecution, lease: Lease[AstExecution]
    ) -> None:
        self.clock = handler.clock
        self.patience = handler.patience
        self.stores = stores
        self.run = run
        self.lease = lease
        self.feed = Feed(run.execution_id, fence=run.fence, session_id=run.session_id, clock=self.clock)
        self.counts = run.counts

    async def work(self, stop: asyncio.Event) -> None:
        log.info("run claimed", run=self.run.execution_id, fence=self.run.fence, worker=self.lease.owner)
        try:
            await self.feed.tell("ast.state", state_payload(self.run, now=self.clock()))
            ending, reason = await self._run(stop)
            await self._conclude(ending, reason)
        except LeaseLost:
            log.warning("lease lost", run=self.run.execution_id, worker=self.lease.owner)
        except Unavailable as error:
            log.warning("run left to the next claim", run=self.run.execution_id, error=error.message)
        finally:
            await self.feed.close()

    async def _run(self, stop: asyncio.Event) -> tuple[Ending, str | None]:
        """Do the work; returns how it ended and, where something went wrong, why."""
        self.counts = await self._counts(fresh=self.run.fence == 1)
        if self.run.control is not Control.RUN:
            return (Ending.CANCEL if self.run.control is Control.CANCEL else Ending.PAUSE), None
        if self.clock() - self.run.created_at > LONGEST_RUN:
            return Ending.TIMEOUT, f"The run was not finished within {LONGEST_RUN.days} days."
        in_vain = self.run.claims_in_vain + 1 if self.counts.completed <= self.run.items_at_claim else 0
        if in_vain > MOST_CLAIMS_IN_VAIN:
            return Ending.FAILED, f"Given up: it broke off {in_vain - 1} times without a result. The log says why."
        host = await off_loop(self.stores.hosts.find, self.run.host_name)
        if host is None or not host.enabled:
            return Ending.FAILED, f"Host {self.run.host_name} may not be used any more."
        ast = ASTS.get(self.run.ast_name)
        if ast is None:
            return Ending.FAILED, f"This version of Rungs has no AST {self.run.ast_name}."
        credentials = await self._credentials()
        if credentials is None:
            return Ending.PAUSE, "The host password was erased. Resume the run and give it again."
        await self.lease.renew({"claims_in_vain": in_vain, "items_at_claim": self.counts.completed})
        return await self._run_off(host, ast, credentials, stop)

    async def _credentials(self) -> Credentials | None:
        """The run's host credentials; None where they are gone, or can no longer be read and so are erased."""
        secret = await off_loop(self.stores.secrets.find, self.run.execution_id, consistent=True)
        try:
            return await off_loop(revealed, secret) if secret else None
        except SecretUnreadable as error:
            log.warning("credentials erased", run=self.run.execution_id, error=error.message)
            await off_loop(self.stores.secrets.delete, self.run.execution_id)
            return None

    async def _run_off(
        self, host: Host, ast: type[Ast], credentials: Credentials, stop: asyncio.Event
    ) -> tuple[Ending, str | None]:
        agenda = Agenda(await off_loop(self.stores.results.pending, self.run.execution_id))
        sessions = host.sessions_at_once
        if host.sessions_a_user_id:
            sessions = min(sessions, host.sessions_a_user_id)
        recorder = Recorder(self.stores.results, run=self.run, lease=self.lease, feed=self.feed, counts=self.counts)
        runner = Runner(
            self.stores,
            run=self.run,
            lease=self.lease,
            ast=ast,
            credentials=credentials,
            address=address_of(host),
            slots=SlotKeeper(
                self.stores.slots,
                host_name=host.host_name,
                user_id=credentials.user_id,
                limit=host.sessions_a_user_id,
                owner=f"{self.run.execution_id}/{self.run.fence}",
                clock=self.clock,
                may_wait=lambda: runner.ending is None,
                patience_seconds=self.patience.slot,
            ),
            agenda=agenda,
            recorder=recorder,
            clock=self.clock,
            patience=self.patience,
        )
        ending = await runner.run(sessions=max(1, min(sessions, self.run.total_items)), stop=stop)
        while ending is Ending.FINISHED and await self._forgotten(recorder, agenda):
            ending = await runner.run(sessions=sessions, stop=stop)
        self.counts = recorder.counts
        if recorder.is_doubtful and ending is not Ending.LOST:
            self.counts = await self._counts(fresh=False)
        return ending, runner.reason

    async def _forgotten(self, recorder: Recorder, agenda: Agenda) -> bool:
        """Whether the index, which lags, had kept policies from us; they are added to the agenda."""
        if recorder.counts.completed >= self.run.total_items and not recorder.is_doubtful:
            return False
        left = await off_loop(self.stores.results.pending_for_sure, self.run.execution_id)
        agenda.add(left)
        return bool(left)

    async def _counts(self, *, fresh: bool) -> Counts:
        """The counts as the results have them; for a run never worked on before there is nothing to count."""
        if fresh:
            return Counts()
        return await off_loop(self.stores.results.counts, self.run.execution_id)

    # --- how it ends -------------------------------------------------------------------------------------------------

    async def _conclude(self, ending: Ending, reason: str | None) -> None:
        """Let go of the run in the state that the ending means, and tell the watchers."""
        if ending is Ending.LOST:
            raise LeaseLost(self.run.execution_id)
        if ending is Ending.FINISHED and self.counts.completed < self.run.total_items:
            self.counts = await self._settled_counts()
        done = None
        while done is None:
            wanted = self.lease.control
            ending = obeyed(ending, control=wanted, reason=reason)
            now = self.clock()
            changes = last_changes(self.run, ending, counts=self.counts, reason=reason, now=now)
            also = closing(self.stores, self.run, now=now) if changes.get("completed_at") else ()
            done = await self.lease.let_go(changes, wanted=wanted, also=also)
        if done.status is RunStatus.PAUSED:
            await off_loop(keep_credentials, self.stores, key=self.run.execution_id, now=self.clock())
            await self.feed.tell("ast.paused", status_payload(done))
        await self.feed.tell("ast.status", {**status_payload(done), **state_payload(done, now=self.clock())})
        log.info("run let go", run=self.run.execution_id, status=done.status.value, fence=self.run.fence)

    async def _settled_counts(self) -> Counts:
        """The counts once the index has caught up with all results."""
        counts = self.counts
        for _ in range(COUNT_TRIES):
            counts = await self._counts(fresh=False)
            if counts.completed >= self.run.total_items:
                break
            await asyncio.sleep(COUNT_WAIT_SECONDS)
        return counts


def address_of(host: Host) -> HostAddress:
    """Where a host is and how to speak to it."""
    return HostAddress(
        name=host.host_name,
        address=host.address,
        port=host.port,
        use_tls=host.use_tls,
        verify_certificate=host.verify_certificate,
        encoding=host.encoding,
        rows=host.rows,
        columns=host.columns,
    )
