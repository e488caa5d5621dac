"""Reports handed out as files; each is recorded before it leaves."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.accounts.decorators import permission_required, sign_in_required
from apps.accounts.middleware import actor_of, signed_in_user
from apps.accounts.permissions import Permission, require
from apps.assessments.access import concerning
from apps.assessments.wiring import default_stores
from apps.reports.exports import plan_csv, report_csv, season_csv, whole_report
from apps.reports.paper import report_pdf
from apps.reports.reading import OneReport, one_plan, one_report, one_season
from apps.reports.services import note_exported, note_plan_exported, note_season_exported

CSV = "text/csv; charset=utf-8"


def as_json(one: OneReport) -> bytes:
    """The report as JSON, indented for who reads it."""
    return orjson.dumps(whole_report(one), option=orjson.OPT_INDENT_2)


MAKERS: dict[str, tuple[str, Callable[[OneReport, datetime], bytes]]] = {
    "pdf": ("application/pdf", lambda one, now: report_pdf(one, now=now)),
    "csv": (CSV, lambda one, _: b"".join(report_csv(one))),
    "json": ("application/json", lambda one, _: as_json(one)),
}


@never_cache
@sign_in_required
@require_GET
def report_file(request: HttpRequest, report_id: str, form: str) -> HttpResponse:
    """One report as PDF, CSV or JSON."""
    return handed_out(request, report_id=report_id, form=form)


def handed_out(request: HttpRequest, *, report_id: str, form: str) -> HttpResponse:
    """The file: made, then recorded, then sent. Raises `ReportNotFound`, `Forbidden`, `PdfUnavailable`."""
    stores, user, now = default_stores(), signed_in_user(request), datetime.now(UTC)
    one = one_report(stores, report_id=report_id, reader=user)
    require(user, Permission.REPORT_EXPORT, concerning(one.team, one.report))
    kind, make = MAKERS[form]
    content = make(one, now)
    note_exported(stores, report=one.report, team=one.team, form=form, user=user, actor=actor_of(request), now=now)
    return _file([content], kind, f"report-{one.member_name}-{one.report.season}", form)


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
    return _file(content, CSV, f"reports-{one.plan.plan_name}", "csv")


@never_cache
@permission_required(Permission.ORGANISATION_SEE)
@require_GET
def season_file(request: HttpRequest) -> HttpResponse:
    """The figures of all plans of a season as CSV."""
    stores, user, now = default_stores(), signed_in_user(request), datetime.now(UTC)
    one = one_season(stores, season=request.GET.get("season", ""), reader=user)
    content = list(season_csv(one.plans))
    note_season_exported(stores, season=one.season, plans=len(one.plans), user=user, actor=actor_of(request), now=now)
    return _file(content, CSV, f"season-{one.season}", "csv")


def _file(content: Iterable[bytes], kind: str, name: str, ending: str) -> HttpResponse:
    headers: dict[str, Any] = {"Content-Disposition": f'attachment; filename="{slugify(name) or "report"}.{ending}"'}
    return HttpResponse(b"".join(content), content_type=kind, headers=headers)
