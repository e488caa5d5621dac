"""Preparing a plan, and changing one."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.accounts.decorators import sign_in_required
from apps.accounts.entities import Role, User
from apps.accounts.middleware import actor_of, signed_in_user
from apps.assessments.entities import Plan, PlanStatus
from apps.assessments.forms.plans import PlanForm, first_suggestion, of_plan
from apps.assessments.services.managed import managed_plan, may_manage, require_planner
from apps.assessments.services.plans import change_plan, create_plan
from apps.assessments.wiring import default_stores
from apps.errors import Conflict, DomainError, Invalid
from apps.storage.errors import StaleVersion
from apps.teams.entities import Team
from apps.teams.errors import TeamNotFound

UNPROCESSABLE, CONFLICT = 422, 409
LONGEST_ID, LONGEST_PREFIX = 64, 100


@never_cache
@sign_in_required
@require_http_methods(["GET", "POST"])
def new_plan(request: HttpRequest) -> HttpResponse:
    """First the team, then the rest."""
    user, stores = signed_in_user(request), default_stores()
    require_planner(user)
    team_id = request.GET.get("team", "")[:LONGEST_ID]
    if not team_id:
        return _choose_team(request, user)
    team = stores.teams.find(team_id, consistent=True)
    if team is None or not may_manage(user, team):
        raise TeamNotFound
    if request.method == "GET":
        plans, seasons = stores.plans.of_team(team_id), stores.seasons.names()
        taken = frozenset(plan.season for plan in plans if plan.status is not PlanStatus.DRAFT)
        today = timezone.localdate(datetime.now(UTC))
        initial = first_suggestion(team.team_name, seasons=seasons, taken=taken, today=today)
        return _new_page(request, PlanForm(initial=initial), team)
    form = PlanForm(request.POST)
    if form.is_valid():
        try:
            plan = create_plan(stores, team_id=team_id, content=form.content(), **_by(request))
        except (Invalid, Conflict) as error:
            _tell(form, error)
        else:
            messages.success(request, "The plan is prepared. Nobody is asked for anything before you activate it.")
            return redirect("plans:plan", plan.plan_id)
    return _new_page(request, form, team, status=UNPROCESSABLE)


@never_cache
@sign_in_required
@require_http_methods(["GET", "POST"])
def edit_plan(request: HttpRequest, plan_id: str) -> HttpResponse:
    """A draft whole, an active plan as far as that goes; who was overtaken sees what is stored now beside their own."""
    stores = default_stores()
    plan, team = managed_plan(stores, plan_id=plan_id, user=signed_in_user(request))
    is_active = plan.status is PlanStatus.ACTIVE
    if not is_active and plan.status is not PlanStatus.DRAFT:
        messages.error(request, "This plan has ended: it can only be read.")
        return redirect("plans:plan", plan_id)
    if request.method == "GET":
        return _edit_page(request, PlanForm(initial=of_plan(plan), is_active=is_active), plan, team)
    form = PlanForm(request.POST, is_active=is_active)
    status = UNPROCESSABLE
    if form.is_valid():
        edition = form.cleaned_data["edition"] or 0
        try:
            change_plan(stores, plan_id=plan_id, edition=edition, changes=form.changes(), **_by(request))
        except StaleVersion as error:
            now = error.stored if isinstance(error.stored, Plan) else plan
            form = _with_edition(request, now)
            form.add_error(None, "Somebody changed this plan in the meantime. What you typed is still here, and below "
                                 "is what they saved. Save again to put yours in its place.")  # fmt: skip
            return _edit_page(request, form, now, team, theirs=now, status=CONFLICT)
        except (Invalid, Conflict) as error:
            _tell(form, error)
        else:
            messages.success(request, "The plan is changed.")
            return redirect("plans:plan", plan_id)
    return _edit_page(request, form, plan, team, status=status)


def _with_edition(request: HttpRequest, plan: Plan) -> PlanForm:
    """What was typed, on top of what is stored now."""
    typed = request.POST.copy()
    typed["edition"] = str(plan.edition)
    form = PlanForm(typed, is_active=plan.status is PlanStatus.ACTIVE)
    form.is_valid()
    return form


def _choose_team(request: HttpRequest, user: User) -> HttpResponse:
    stores = default_stores()
    prefix = request.GET.get("q", "").strip()[:LONGEST_PREFIX]
    next_cursor = previous_cursor = None
    if Role.ADMIN in user.roles:
        page = stores.teams.listed(prefix, cursor=request.GET.get("cursor") or None)
        found, next_cursor, previous_cursor = list(page.items), page.next, page.previous
    else:
        found = stores.teams.managed_by(user.user_id)
    teams = [team for team in found if team.is_active]
    context = {
        "teams": teams,
        "prefix": prefix,
        "searches": Role.ADMIN in user.roles,
        "next_cursor": next_cursor,
        "previous_cursor": previous_cursor,
    }
    return render(request, "plans/choose_team.html", context)


def _new_page(request: HttpRequest, form: PlanForm, team: Team, *, status: int = 200) -> HttpResponse:
    stores = default_stores()
    context = {"form": form, "team": team, "ladder": stores.ladders.active(), "seasons": stores.seasons.names()}
    return render(request, "plans/new.html", context, status=status)


def _edit_page(
    request: HttpRequest,
    form: PlanForm,
    plan: Plan,
    team: Team | None,
    *,
    theirs: Plan | None = None,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "plan": plan, "team": team, "theirs": theirs}
    context["seasons"] = default_stores().seasons.names()
    return render(request, "plans/edit.html", context, status=status)


def _tell(form: PlanForm, error: DomainError) -> None:
    form.add_error(error.field if error.field in form.fields else None, error.public_message)


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"user": signed_in_user(request), "actor": actor_of(request), "now": datetime.now(UTC)}
