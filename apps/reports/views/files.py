"""Reports handed out as files; each is recorded before it leaves."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.accounts.decorators import permission_required, sign_in_required
from apps.accounts.middleware import actor_of, signed_in_user
from apps.accounts.permissions import Permission
from apps.assessments.wiring import default_stores
from apps.reports.exports import plan_csv, season_csv
from apps.reports.handing_out import CSV, as_file, handed_out
from apps.reports.reading import one_plan, one_season
from apps.reports.services import note_plan_exported, note_season_exported


@never_cache
@sign_in_required
@require_GET
def report_file(request: HttpRequest, report_id: str, form: str) -> HttpResponse:
    """One report as PDF, CSV or JSON."""
    return handed_out(request, report_id=report_id, form=form)


@never_cache
@sign_in_required
@require_GET
def plan_file(request: HttpRequest, plan_id: str) -> HttpResponse:
    """All reports of a plan as CSV."""
    stores, user, now = default_stores(), signed_in_user(request), datetime.now(UTC)
    one = one_plan(stores, plan_id=plan_id, reader=user)
    content = list(plan_csv(one))
    note_plan_exported(
        stores, plan=one.plan, team=one.team, reports=len(one.reports), user=user, actor=actor_of(request), now=now
    )
    return as_file(content, CSV, f"reports-{one.plan.plan_name}", "csv")


@never_cache
@permission_required(Permission.ORGANISATION_SEE)
@require_GET
def season_file(request: HttpRequest) -> HttpResponse:
    """The figures of all plans of a season as CSV."""
    stores, user, now = default_stores(), signed_in_user(request), datetime.now(UTC)
    one = one_season(stores, season=request.GET.get("season", ""), reader=user)
    content = list(season_csv(one.plans))
    note_season_exported(stores, season=one.season, plans=len(one.plans), user=user, actor=actor_of(request), now=now)
    return as_file(content, CSV, f"season-{one.season}", "csv")
