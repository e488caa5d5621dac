"""Runs, their results, and what they need, in the back office: hosts, people's sessions with them, ASTs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.admin import UserAdmin
from apps.accounts.middleware import actor_of, signed_in_user
from apps.accounts.permissions import Permission, allowed
from apps.console.entity_admin import EntityAdmin
from apps.console.forms.inlines import Inline
from apps.console.lists.actions import row_action
from apps.console.lists.filters import Choices, Days, Exactly
from apps.console.lists.listings import Listing, Plan
from apps.jobs.entities import Control
from apps.policy_runs.entities import AstExecution, AstRegistration, PolicyResult, PolicyStatus
from apps.policy_runs.hosts import add_host, change_host, remove_host
from apps.policy_runs.payloads import shown_status
from apps.policy_runs.registry import switch_ast
from apps.policy_runs.repository import STATUS_INDEX, AstRegistrations, Executions, Results
from apps.policy_runs.services import control
from apps.policy_runs.showing import COMMAND_LINE
from apps.policy_runs.wiring import default_stores
from apps.storage.conditions import Query
from apps.storage.page import Page
from apps.terminal.entities import Host, Session
from apps.terminal.repository import Hosts, Sessions


class HostAdmin(EntityAdmin[Host]):
    """Few rows, in the table's own order."""

    repository = Hosts
    sees = Permission.HOSTS_SEE
    changes = Permission.HOSTS_CHANGE
    sees_history = Permission.AUDIT_SEE
    about = "The mainframes that policy runs may go to: where they answer, and how many sessions they bear."
    labels: ClassVar[Mapping[str, str]] = {
        "host_name": "name",
        "use_tls": "TLS",
        "sessions_at_once": "sessions of one run",
        "sessions_a_user_id": "sessions of one user id (0: any number)",
    }
    list_display = ("host_name", "description", "address", "port", "use_tls", "enabled")
    finds: ClassVar[Mapping[str, Callable[[str], str]]] = {"host_name": str}
    search_help_text = "Whole name"
    exports = Permission.HOSTS_CHANGE
    row_actions = ("switch_on", "switch_off")

    @row_action("Switch on", permission=Permission.HOSTS_CHANGE, done="switched on")
    def switch_on(self, request: HttpRequest, entity: Host, data: Mapping[str, Any]) -> None:
        """Let runs be started on it."""
        del data
        self._switch(request, entity, enabled=True)

    @row_action(
        "Switch off …",
        permission=Permission.HOSTS_CHANGE,
        done="switched off",
        confirm=(
            "No run can be started on them until they are switched on again. Runs that a worker has go on. "
            "Runs that wait for a worker, or are resumed meanwhile, fail: pause those first that should not."
        ),
    )
    def switch_off(self, request: HttpRequest, entity: Host, data: Mapping[str, Any]) -> None:
        """Let no more runs be started on it."""
        del data
        self._switch(request, entity, enabled=False)

    def _switch(self, request: HttpRequest, host: Host, *, enabled: bool) -> None:
        if host.enabled is not enabled:
            self.change(request, before=host, after=host.evolve(enabled=enabled))

    def create(self, request: HttpRequest, entity: Host) -> Host:
        """Add a host."""
        return add_host(default_stores().hosts, host=entity, **_by(request))

    def change(self, request: HttpRequest, *, before: Host, after: Host) -> Host:
        """Change a host."""
        return change_host(default_stores().hosts, before=before, after=after, **_by(request))

    def remove(self, request: HttpRequest, entity: Host) -> None:
        """Delete a host."""
        remove_host(default_stores().hosts, host=entity, **_by(request))

    def goes_with(self, entity: Host) -> Sequence[str]:
        """Runs whose worker would look for it in vain."""
        del entity
        return ("runs on it that wait for a worker or are paused: they fail as soon as one takes them",)


class AstAdmin(EntityAdmin[AstRegistration]):
    """The ASTs that the code offers; few, in the table's own order."""

    repository = AstRegistrations
    sees = Permission.HOSTS_SEE
    about = "What can be done to policies: switched on and off here, written in code."
    sees_history = Permission.AUDIT_SEE
    labels: ClassVar[Mapping[str, str]] = {
        "ast_name": "name",
        "ast_version": "release",
        "parameter_schema": "parameters",
    }
    list_display = ("ast_name", "description", "ast_version", "enabled", "updated_at")
    row_actions = ("switch_on", "switch_off")

    @row_action("Switch on", permission=Permission.HOSTS_CHANGE, done="switched on")
    def switch_on(self, request: HttpRequest, entity: AstRegistration, data: Mapping[str, Any]) -> None:
        """Let runs of it be launched."""
        del data
        switch_ast(default_stores().asts, ast=entity, enabled=True, **_by(request))

    @row_action(
        "Switch off …",
        permission=Permission.HOSTS_CHANGE,
        done="switched off",
        confirm="No run of them can be launched until they are switched on again. Runs under way go on.",
    )
    def switch_off(self, request: HttpRequest, entity: AstRegistration, data: Mapping[str, Any]) -> None:
        """Let no more runs of it be launched."""
        del data
        switch_ast(default_stores().asts, ast=entity, enabled=False, **_by(request))


class ResultAdmin(EntityAdmin[PolicyResult]):
    """What became of each policy. Screens and data are on the result's own page, which records who looks."""

    repository = Results
    sees = Permission.RUN_SEE
    about = "What became of each policy of a run; screens and data are on the run's own pages."
    asks_first = "Choose a run, or enter a policy number: results are read by one of them."
    labels: ClassVar[Mapping[str, str]] = {
        "execution_id": "run",
        "started_at": "started",
        "completed_at": "ended",
        "duration_ms": "took (ms)",
        "attempt": "tries",
    }
    listings = (
        Listing(index="execution_id-status_key-index", by=("execution_id",)),
        Listing(index="policy_number-execution_id-index", by=("policy_number",), descending=True),
    )
    filters = (
        Exactly("execution_id", label="Run"),
        Exactly("policy_number", label="Policy number"),
        Choices("status", label="Status (pending: without a result)"),
    )
    list_display = ("policy_number", "execution_id", "status", "completed_at", "duration_ms")
    fields = (
        "policy_number",
        "execution_id",
        "status",
        "attempt",
        "started_at",
        "completed_at",
        "duration_ms",
        "error",
    )

    def read(self, plan: Plan | None, *, cursor: str | None = None, limit: int | None = None) -> Page[PolicyResult]:
        """One page, in the states that people know; one more request where a result is missing."""
        page = super().read(plan, cursor=cursor, limit=limit)
        return replace(page, items=_as_shown(page.items))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The same of one. Raises `NotFound`."""
        row = super().get_object(request, object_id, from_field)
        return self.row(_as_shown([row.entity])[0])

    def site_page(self, request: HttpRequest, entity: PolicyResult) -> str | None:
        """The page with its screens and data, for whoever may see those of any run."""
        if not allowed(signed_in_user(request), Permission.RUN_SCREENS):
            return None
        return reverse("policy_runs:result", args=[entity.execution_id, entity.policy_number])

    def links(self, request: HttpRequest, entity: PolicyResult) -> list[tuple[str, str]]:
        """The run."""
        del request
        return [("Open the run", reverse("policy_runs:run", args=[entity.execution_id]))]


class ResultsOfRun(Inline):
    """The first results of a run, by state and number, in the states that its own page shows."""

    admin = ResultAdmin
    title = "Results"
    columns = ("policy_number", "status", "error")

    def query(self, parent: AstExecution) -> Query:
        """In the index, which does not carry screens."""
        return Query(partition=parent.execution_id, index=STATUS_INDEX)

    def as_shown(self, child: PolicyResult, parent: AstExecution) -> PolicyResult:
        """What has no result when the run has ended was skipped."""
        return child.evolve(status=shown_status(child, run=parent))

    def all_address(self, request: HttpRequest, parent: AstExecution) -> str:
        """The list of them."""
        del request
        results = reverse("admin:policy_runs_policyresult_changelist")
        return f"{results}?{urlencode({'execution_id': parent.execution_id})}"


class RunAdmin(EntityAdmin[AstExecution]):
    """Runs, the newest first."""

    repository = Executions
    labels: ClassVar[Mapping[str, str]] = {
        "execution_id": "run",
        "ast_name": "AST",
        "host_name": "host",
        "user_id": "owner",
        "session_id": "host session",
        "control": "wanted",
        "waiting_reason": "why it waits",
        "created_at": "launched",
        "started_at": "started",
        "completed_at": "ended",
        "progress": "done (%)",
        "total_items": "policies",
        "success_count": "succeeded",
        "failed_count": "failed",
        "skipped_count": "skipped",
        "unknown_count": "unknown",
        "result": "outcome",
    }
    sees = Permission.RUN_SEE
    about = "Batches of policies on their way through a host, the newest first."
    sees_history = Permission.AUDIT_SEE
    exports = Permission.RUN_CONTROL
    listings = (
        Listing(index="board-execution_id-index", partition="all", descending=True, sorts="created_at"),
        Listing(index="user_id-execution_id-index", by=("user_id",), descending=True, sorts="created_at"),
        Listing(index="status-execution_id-index", by=("status",), descending=True, sorts="created_at"),
    )
    filters = (
        Choices("status"),
        Exactly("host_name", label="Host"),
        Exactly("user_id", label="Owner"),
        Days("created_at", label="Launched", ulid="execution_id"),
    )
    related: ClassVar[Mapping[str, type[EntityAdmin[Any]]]] = {"user_id": UserAdmin}
    list_display = ("execution_id", "created_at", "status", "host_name", "user_id", "progress", "total_items")
    fields = (
        *("execution_id", "ast_name", "host_name", "user_id", "session_id", "status", "control", "waiting_reason"),
        *("created_at", "started_at", "completed_at", "progress", "total_items", "success_count", "failed_count"),
        *("skipped_count", "unknown_count", "result"),
    )
    row_actions = ("pause", "resume", "cancel")
    children = (ResultsOfRun,)

    @row_action(
        "Pause …",
        permission=Permission.RUN_CONTROL,
        done="being paused",
        confirm="No further policy is started; what is under way is finished.",
    )
    def pause(self, request: HttpRequest, entity: AstExecution, data: Mapping[str, Any]) -> None:
        """Start no further policy."""
        del data
        _control(request, entity, Control.PAUSE)

    @row_action("Resume", permission=Permission.RUN_CONTROL, done="resumed")
    def resume(self, request: HttpRequest, entity: AstExecution, data: Mapping[str, Any]) -> None:
        """Go on, with the host password that is still kept."""
        del data
        _control(request, entity, Control.RUN)

    @row_action(
        "Cancel …",
        permission=Permission.RUN_CONTROL,
        done="being cancelled",
        confirm="They end within seconds and cannot be resumed. Policies without a result are skipped.",
        is_destructive=True,
    )
    def cancel(self, request: HttpRequest, entity: AstExecution, data: Mapping[str, Any]) -> None:
        """End it."""
        del data
        _control(request, entity, Control.CANCEL)

    def site_page(self, request: HttpRequest, entity: AstExecution) -> str:
        """The run's own page, which whoever sees this may see."""
        del request
        return reverse("policy_runs:run", args=[entity.execution_id])

    def links(self, request: HttpRequest, entity: AstExecution) -> list[tuple[str, str]]:
        """Who launched it."""
        if entity.user_id == COMMAND_LINE or not allowed(signed_in_user(request), Permission.USERS_SEE):
            return []
        return [("Owner", reverse("admin:accounts_user_change", args=[quote(entity.user_id)]))]


class SessionAdmin(EntityAdmin[Session]):
    """People's sessions with hosts: each run has one, which ends with it."""

    repository = Sessions
    sees = Permission.RUN_SEE
    about = "Who is, or was, connected to which host."
    labels: ClassVar[Mapping[str, str]] = {
        "session_id": "host session",
        "host_name": "host",
        "user_id": "owner",
        "created_at": "opened",
        "last_activity": "last active",
    }
    listings = (Listing(index="user_id-index", by=("user_id",)),)
    filters = (Exactly("user_id", label="Owner"),)
    related: ClassVar[Mapping[str, type[EntityAdmin[Any]]]] = {"user_id": UserAdmin}
    list_display = ("session_id", "host_name", "user_id", "status", "last_activity")


def _as_shown(results: Sequence[PolicyResult]) -> list[PolicyResult]:
    """The results in the states to show: what has none when its run has ended was skipped."""
    open_ones = {result.execution_id for result in results if result.status is PolicyStatus.PENDING}
    found = default_stores().executions.get_many(sorted(open_ones)) if open_ones else []
    runs = {run.execution_id: run for run in found}
    return [
        result.evolve(status=shown_status(result, run=runs[result.execution_id]))
        if result.execution_id in runs
        else result
        for result in results
    ]


def _control(request: HttpRequest, run: AstExecution, wish: Control) -> None:
    actor = actor_of(request)
    control(
        default_stores(),
        actor=signed_in_user(request),
        key=run.execution_id,
        wish=wish,
        now=datetime.now(UTC),
        address=actor.address,
    )


def _by(request: HttpRequest) -> dict[str, Any]:
    """Who does it, from where and when, and where that is noted."""
    who = {"user": signed_in_user(request), "actor": actor_of(request)}
    return {**who, "now": datetime.now(UTC), "audit": default_stores().audit}
