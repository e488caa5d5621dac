"""The first page: what is going on, and what waits, for each kind of person.

Who has work of several kinds gets the first of them with the page; the others follow as parts of their own, each with
an address where it can be read without a script.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.accounts.decorators import sign_in_required
from apps.accounts.entities import Role, User
from apps.accounts.middleware import signed_in_user
from apps.accounts.permissions import Permission, allowed, require
from apps.accounts.wiring import users
from apps.assessments import wiring as assessments
from apps.home.organisation import organisation
from apps.home.own_work import own_work
from apps.home.runs import runs
from apps.policy_runs import wiring as policy_runs
from apps.policy_runs.showing import with_owners
from apps.reports.showing import trends

WORK, ORGANISATION, RUNS = "work", "organisation", "runs"


@never_cache
@sign_in_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What is going on and what waits, as far as it is this person's business."""
    actor = signed_in_user(request)
    parts = _parts_of(actor)
    first = parts[0] if parts else ""
    context = {"part": first, "later": parts[1:], **_context(first, actor)}
    return render(request, "home/page.html", context)


@never_cache
@sign_in_required
@require_GET
def organisation_part(request: HttpRequest) -> HttpResponse:
    """What administrators see, by itself."""
    return _part(request, ORGANISATION, Permission.ORGANISATION_SEE)


@never_cache
@sign_in_required
@require_GET
def runs_part(request: HttpRequest) -> HttpResponse:
    """Policy runs, by themselves."""
    return _part(request, RUNS, Permission.RUN_SEE)


def _part(request: HttpRequest, part: str, permission: Permission) -> HttpResponse:
    """Only the part for a script; a page with nothing else for everybody else."""
    actor = signed_in_user(request)
    require(actor, permission)
    is_wanted_alone = bool(request.headers.get("HX-Request"))
    template = f"home/_{part}.html" if is_wanted_alone else "home/page.html"
    answer = render(request, template, {"part": part, "later": [], **_context(part, actor)})
    answer["Vary"] = "HX-Request"
    return answer


def _parts_of(actor: User) -> list[str]:
    """What this person's first page is made of, in its order; administrators have the runs with all the rest."""
    parts = [WORK] if actor.roles & {Role.MANAGER, Role.TEAM_MEMBER} else []
    if allowed(actor, Permission.ORGANISATION_SEE):
        return [*parts, ORGANISATION]
    return [*parts, RUNS] if allowed(actor, Permission.RUN_SEE) else parts


def _context(part: str, actor: User) -> dict[str, Any]:
    """What the part shows: at most four requests."""
    may_launch = allowed(actor, Permission.RUN_LAUNCH)
    if part == WORK:
        found = own_work(assessments.default_stores(), actor, today=timezone.localdate())
        return {"work": found, "trend": trends(found.reports, title="Your level, season by season")}
    if part == ORGANISATION:
        stores, now = policy_runs.default_stores(), timezone.now()
        whole = organisation(assessments.default_stores(), stores, now=now, today=timezone.localdate())
        return {"organisation": whole, "running": whole.running, "recent": whole.recent, "may_launch": may_launch}
    if part == RUNS:
        some = runs(policy_runs.default_stores())
        shown, number = with_owners(some.all, users()), len(some.in_progress)
        return {"running": shown[:number], "recent": shown[number:], "may_launch": may_launch}
    return {}
