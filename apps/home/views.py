"""The first page: what is going on, as far as this person may see it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.accounts.decorators import sign_in_required
from apps.accounts.entities import User
from apps.accounts.middleware import signed_in_user
from apps.accounts.permissions import Permission, allowed
from apps.accounts.wiring import users
from apps.policy_runs.entities import AstExecution, RunStatus
from apps.policy_runs.showing import with_owners
from apps.policy_runs.wiring import default_stores

NEWEST = 20
ACTIVE_STATES = (RunStatus.RUNNING, RunStatus.PAUSED)


@never_cache
@sign_in_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Runs in progress and the last ones that ended."""
    actor = signed_in_user(request)
    running, recent = _runs(actor)
    shown = with_owners([*running, *recent], users())
    context = {
        "running": shown[: len(running)],
        "recent": shown[len(running) :],
        "may_launch": allowed(actor, Permission.RUN_LAUNCH),
    }
    return render(request, "home/page.html", context)


def _runs(actor: User) -> tuple[list[AstExecution], list[AstExecution]]:
    """Runs in progress and the newest that ended: at most three requests, whatever the table holds."""
    if not allowed(actor, Permission.RUN_SEE):
        return [], []
    executions = default_stores().executions
    newest = executions.listed(limit=NEWEST).items
    active = {run.execution_id: run for run in newest if not run.status.is_final}
    for status in ACTIVE_STATES:  # one that was started long ago is still in progress
        active |= {run.execution_id: run for run in executions.listed(status=status, limit=NEWEST).items}
    in_progress = [active[key] for key in sorted(active, reverse=True)]
    return in_progress, [run for run in newest if run.status.is_final]
