"""The list of plans."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.accounts.decorators import sign_in_required
from apps.accounts.entities import Role
from apps.accounts.middleware import signed_in_user
from apps.assessments.entities import PlanStatus
from apps.assessments.showing.plan_lists import listed_plans
from apps.assessments.showing.plan_words import due_words, is_due_soon, plan_state
from apps.assessments.wiring import default_stores
from apps.errors import NotFound

TABS = (("active", "Active"), ("draft", "Drafts"), ("completed", "Completed"), ("archived", "Archived"))
LONGEST_FILTER = 64


@never_cache
@sign_in_required
@require_GET
def plan_list(request: HttpRequest) -> HttpResponse:
    """Plans by state, season and team; three requests, however many there are."""
    user, stores = signed_in_user(request), default_stores()
    team_id, season = (request.GET.get(name, "").strip()[:LONGEST_FILTER] for name in ("team", "season"))
    found = listed_plans(
        stores,
        user=user,
        team_id=team_id,
        season=season,
        status=_status(request.GET.get("status", "")),
        cursor=request.GET.get("cursor") or None,
    )
    today = timezone.localdate(datetime.now(UTC))
    rows = [
        {
            "plan": plan,
            "team": found.teams.get(plan.team_id),
            "state": plan_state(plan),
            "due": due_words(plan, today),
            "is_soon": is_due_soon(plan, today),
            "is_overdue": plan.is_overdue(today),
        }
        for plan in found.page.items
    ]
    context = {
        "rows": rows,
        "tabs": TABS,
        "status": found.status.value if found.status else "",
        # All plans of an organisation are in no order that an index has; those of a team, season or manager are few.
        "has_all": bool(team_id or season or Role.ADMIN not in user.roles),
        "is_filtered": bool(team_id or season or request.GET.get("status")),
        "season": season,
        "seasons": stores.seasons.names(),
        "team_id": team_id,
        "team": found.teams.get(team_id),
        "next_cursor": found.page.next,
        "previous_cursor": found.page.previous,
    }
    return render(request, "plans/list.html", context)


def _status(text: str) -> PlanStatus | None:
    try:
        return PlanStatus(text) if text else None
    except ValueError:
        raise NotFound(f"There is no status “{text[:20]}”.") from None
