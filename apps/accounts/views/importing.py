"""People out of a spreadsheet: choose the file, see what would be done, confirm it."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.accounts import services, wiring
from apps.accounts.decorators import permission_required
from apps.accounts.middleware import actor_of, signed_in_user
from apps.accounts.people_sheet import MOST_ROWS, read_people
from apps.accounts.permissions import Permission
from apps.accounts.services import PeoplePlan
from apps.accounts.sheets import MOST_SHOWN, SheetForm, sealed, shown_findings, unsealed
from apps.accounts.views._page import UNPROCESSABLE, role_words
from apps.errors import Invalid


@never_cache
@permission_required(Permission.USERS_CHANGE)
@require_http_methods(["GET", "POST"])
def import_people(request: HttpRequest) -> HttpResponse:
    """The form; what a file would do; and once that is confirmed, what was done."""
    if request.method == "GET":
        return _page(request, {"form": SheetForm()})
    if "plan" in request.POST:
        return _confirmed(request)
    form = SheetForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, {"form": form}, status=UNPROCESSABLE)
    try:
        sheet = read_people(form.text)
        plan, more = services.plan_people(wiring.users(), sheet.people)
        findings = sorted([*sheet.findings, *more], key=lambda finding: finding.line)
        shown: dict[str, Any] = {"plan": plan, "sealed": sealed(plan, user=signed_in_user(request))}
    except (ValueError, Invalid) as error:
        form.add_error("sheet", error.public_message if isinstance(error, Invalid) else str(error))
        return _page(request, {"form": form}, status=UNPROCESSABLE)
    if findings:
        return _page(request, {"form": SheetForm(), **shown_findings(findings)}, status=UNPROCESSABLE)
    return _page(request, {**shown, **_told(plan), "unused": sheet.unused})


def _confirmed(request: HttpRequest) -> HttpResponse:
    by = signed_in_user(request)
    try:
        plan = unsealed(PeoplePlan, request.POST["plan"], user=by)
    except Invalid as error:
        return _page(request, {"form": SheetForm.refused(error.public_message)}, status=UNPROCESSABLE)
    done = services.import_people(
        wiring.users(),
        plan=plan,
        by=by,
        actor=actor_of(request),
        now=datetime.now(UTC),
        audit=wiring.audit_log(),
        sessions=wiring.web_sessions(),
    )
    return _page(request, {"done": done})


def _told(plan: PeoplePlan) -> dict[str, Any]:
    """The first of those who are added and changed, in words."""
    return {
        "added": [{"person": one, "roles": role_words(one.roles)} for one in plan.add[:MOST_SHOWN]],
        "changed": [{"person": one, "new_roles": role_words(one.new_roles)} for one in plan.change[:MOST_SHOWN]],
        "more_added": max(0, len(plan.add) - MOST_SHOWN),
        "more_changed": max(0, len(plan.change) - MOST_SHOWN),
    }


def _page(request: HttpRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    return render(request, "accounts/import_people.html", {"most_rows": MOST_ROWS, **context}, status=status)
