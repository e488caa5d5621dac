"""Teams out of a spreadsheet: choose the file, see what would be done, confirm it."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.accounts.decorators import permission_required
from apps.accounts.middleware import actor_of, signed_in_user
from apps.accounts.permissions import Permission
from apps.accounts.sheets import MOST_SHOWN, SheetForm, sealed, shown_findings, unsealed
from apps.errors import Invalid
from apps.teams import services
from apps.teams.services import TeamsPlan
from apps.teams.team_sheet import MOST_ROWS, read_teams
from apps.teams.views.team import UNPROCESSABLE
from apps.teams.wiring import after_change, default_stores


@never_cache
@permission_required(Permission.TEAM_CREATE)
@require_http_methods(["GET", "POST"])
def import_teams(request: HttpRequest) -> HttpResponse:
    """The form; what a file would do; and once that is confirmed, what was done."""
    if request.method == "GET":
        return _page(request, {"form": SheetForm()})
    if "plan" in request.POST:
        return _confirmed(request)
    form = SheetForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, {"form": form}, status=UNPROCESSABLE)
    try:
        sheet = read_teams(form.text)
        plan, more = services.plan_teams(default_stores(), sheet.rows)
        findings = sorted([*sheet.findings, *more], key=lambda finding: finding.line)
        shown: dict[str, Any] = {"plan": plan, "sealed": sealed(plan, user=signed_in_user(request))}
    except (ValueError, Invalid) as error:
        form.add_error("sheet", error.public_message if isinstance(error, Invalid) else str(error))
        return _page(request, {"form": form}, status=UNPROCESSABLE)
    if findings:
        return _page(request, {"form": SheetForm(), **shown_findings(findings)}, status=UNPROCESSABLE)
    shown |= {"teams": plan.teams[:MOST_SHOWN], "more_teams": max(0, len(plan.teams) - MOST_SHOWN)}
    return _page(request, {**shown, "unused": sheet.unused})


def _confirmed(request: HttpRequest) -> HttpResponse:
    by, now = signed_in_user(request), datetime.now(UTC)
    try:
        plan = unsealed(TeamsPlan, request.POST["plan"], user=by)
    except Invalid as error:
        return _page(request, {"form": SheetForm.refused(error.public_message)}, status=UNPROCESSABLE)
    followed = partial(after_change, now=now)
    done = services.import_teams(
        default_stores(), plan=plan, by=by, actor=actor_of(request), now=now, followed=followed
    )
    return _page(request, {"done": done})


def _page(request: HttpRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    return render(request, "teams/import.html", {"most_rows": MOST_ROWS, **context}, status=status)
