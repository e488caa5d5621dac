"""The pages over several reports: a person's seasons, a team's plan, the organisation's season."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.accounts.decorators import permission_required, sign_in_required
from apps.accounts.middleware import signed_in_user
from apps.accounts.permissions import Permission, allowed
from apps.assessments.access import concerning
from apps.assessments.wiring import default_stores
from apps.reports.organisation import organisation_context
from apps.reports.reading import one_person, one_plan, one_season
from apps.reports.showing import person_context, plan_context


@never_cache
@sign_in_required
@require_GET
def member(request: HttpRequest, user_id: str) -> HttpResponse:
    """One person over the seasons, as far as the reader may see."""
    reader = signed_in_user(request)
    one = one_person(default_stores(), user_id=user_id, reader=reader)
    context = {**person_context(one), "is_own": reader.user_id == user_id}
    return render(request, "reports/member.html", context)


@never_cache
@sign_in_required
@require_GET
def plan(request: HttpRequest, plan_id: str) -> HttpResponse:
    """A team in a season."""
    reader = signed_in_user(request)
    one = one_plan(default_stores(), plan_id=plan_id, reader=reader)
    context = {
        **plan_context(one, by_competency=request.GET.get("by") == "competency"),
        "may_export": allowed(reader, Permission.REPORT_EXPORT, concerning(one.team)),
    }
    return render(request, "reports/plan.html", context)


@never_cache
@permission_required(Permission.ORGANISATION_SEE)
@require_GET
def organisation(request: HttpRequest) -> HttpResponse:
    """All teams in a season."""
    one = one_season(default_stores(), season=request.GET.get("season", ""), reader=signed_in_user(request))
    return render(request, "reports/organisation.html", organisation_context(one, page=request.GET.get("page", "")))
