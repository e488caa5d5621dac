"""The page of the audit log, and its export."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.accounts.decorators import permission_required
from apps.accounts.middleware import actor_of
from apps.accounts.permissions import Permission
from apps.audit.repository import Selection
from apps.errors import Invalid
from apps.storage.connection import off_loop
from apps.trail.forms import FIRST_DAY, SelectionForm
from apps.trail.services import note_export
from apps.trail.showing import MOST_EXPORTED, changes, csv_lines
from apps.trail.wiring import audit_log

UNPROCESSABLE = 422
DAY = timedelta(days=1)


@never_cache
@permission_required(Permission.AUDIT_SEE)
@require_GET
def entries(request: HttpRequest) -> HttpResponse:
    """Who did what: of a day, of a person or of an object, newest first."""
    now = datetime.now(UTC)
    form = SelectionForm(request.GET)
    if not form.is_valid():
        return render(request, "trail/entries.html", {"form": form}, status=UNPROCESSABLE)
    selection = form.selection(today=now.date())
    page = audit_log().selected(selection, cursor=request.GET.get("cursor") or None)
    context = {
        "form": SelectionForm(initial=_query(selection)),
        "entries": [{"entry": entry, "changes": changes(entry)} for entry in page.items],
        "selection": selection,
        "query": urlencode(_query(selection)),
        "days": _days(selection, today=now.date()),
        "examined": page.examined,
        "exhausted_budget": page.exhausted_budget,
        "next_cursor": page.next,
        "previous_cursor": page.previous,
        "most_exported": MOST_EXPORTED,
    }
    return render(request, "trail/entries.html", context)


@never_cache
@permission_required(Permission.AUDIT_SEE)
@require_GET
async def export(request: HttpRequest) -> StreamingHttpResponse:
    """The same entries as CSV; that they were taken is itself recorded. Raises `Invalid`."""
    now = datetime.now(UTC)
    audit = audit_log()
    selection = await off_loop(_recorded_export, request, now)
    return StreamingHttpResponse(
        csv_lines(audit, selection),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="audit-{now:%Y%m%dT%H%M%SZ}.csv"'},
    )


def _recorded_export(request: HttpRequest, now: datetime) -> Selection:
    form = SelectionForm(request.GET)
    if not form.is_valid():
        field, messages = next(iter(form.errors.items()))
        raise Invalid(str(messages[0]), field=field)
    selection = form.selection(today=now.date())
    note_export(audit_log(), selection=selection, most=MOST_EXPORTED, actor=actor_of(request), now=now)
    return selection


def _query(selection: Selection) -> dict[str, Any]:
    """The selection as the address names it, so that a page's neighbours stay its own past midnight."""
    named = {
        "day": selection.day and selection.day.isoformat(),
        "actor": selection.actor_id,
        "object": selection.object,
        "action": selection.action,
    }
    return {name: value for name, value in named.items() if value}


def _days(selection: Selection, *, today: date) -> dict[str, str]:
    """The ways to the days around, as queries."""
    if selection.day is None:
        return {}
    query = _query(selection)
    around = {"before": selection.day - DAY if selection.day > FIRST_DAY else None}
    around["after"] = selection.day + DAY if selection.day < today else None
    return {name: urlencode({**query, "day": day.isoformat()}) for name, day in around.items() if day}
