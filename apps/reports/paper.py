"""A report on paper."""

from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string

from apps.reports.pdf import filled_in, made_pdf
from apps.reports.reading import OneReport
from apps.reports.showing import report_context


def report_html(one: OneReport, *, now: datetime) -> str:
    """The page that becomes the PDF: whole, with its style sheet in it, referring to nothing."""
    sheet = (settings.BASE_DIR / "static" / "reports" / "paper.css").read_text()
    context = {**report_context(one), "sheet": filled_in(sheet), "now": now}
    return render_to_string("reports/paper.html", context)


def report_pdf(one: OneReport, *, now: datetime) -> bytes:
    """One report as PDF. Raises `PdfUnavailable`."""
    return made_pdf(report_html(one, now=now))
