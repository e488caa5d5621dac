"""A report handed out as a file: made, then recorded, then sent; for pages and API alike."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.text import slugify

from apps.accounts.middleware import actor_of, signed_in_user
from apps.accounts.permissions import Permission, require
from apps.assessments.access import concerning
from apps.assessments.wiring import default_stores
from apps.reports.exports import report_csv, whole_report
from apps.reports.paper import report_pdf
from apps.reports.reading import OneReport, one_report
from apps.reports.schemas import WholeReportOut
from apps.reports.services import note_exported

CSV = "text/csv; charset=utf-8"


def as_json(one: OneReport) -> bytes:
    """The report as the API says it, indented for who reads it."""
    return WholeReportOut.model_validate(whole_report(one)).model_dump_json(by_alias=True, indent=2).encode()


MAKERS: dict[str, tuple[str, Callable[[OneReport, datetime], bytes]]] = {
    "pdf": ("application/pdf", lambda one, now: report_pdf(one, now=now)),
    "csv": (CSV, lambda one, _: b"".join(report_csv(one))),
    "json": ("application/json", lambda one, _: as_json(one)),
}


def handed_out(request: HttpRequest, *, report_id: str, form: str) -> HttpResponse:
    """The file: made, then recorded, then sent. Raises `ReportNotFound`, `Forbidden`, `PdfUnavailable`."""
    stores, user, now = default_stores(), signed_in_user(request), datetime.now(UTC)
    one = one_report(stores, report_id=report_id, reader=user)
    require(user, Permission.REPORT_EXPORT, concerning(one.team, one.report))
    kind, make = MAKERS[form]
    content = make(one, now)
    note_exported(stores, report=one.report, team=one.team, form=form, user=user, actor=actor_of(request), now=now)
    return as_file([content], kind, f"report-{one.member_name}-{one.report.season}", form)


def as_file(content: Iterable[bytes], kind: str, name: str, ending: str) -> HttpResponse:
    """The bytes as something to keep, under a name that any system takes."""
    headers: dict[str, Any] = {"Content-Disposition": f'attachment; filename="{slugify(name) or "report"}.{ending}"'}
    return HttpResponse(b"".join(content), content_type=kind, headers=headers)
