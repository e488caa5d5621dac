"""The page of one report, and what is written after manager and member have met."""

from datetime import UTC, datetime
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.decorators import sign_in_required
from apps.accounts.middleware import actor_of, signed_in_user
from apps.accounts.permissions import Permission, allowed
from apps.assessments.access import concerning
from apps.assessments.wiring import default_stores
from apps.errors import Invalid
from apps.reports.errors import NotesChanged
from apps.reports.forms import NotesForm
from apps.reports.reading import OneReport, one_report
from apps.reports.services import Notes, discuss
from apps.reports.showing import report_context

CONFLICT: Final = 409
UNPROCESSABLE: Final = 422


@never_cache
@sign_in_required
@require_GET
def report(request: HttpRequest, report_id: str) -> HttpResponse:
    """One report: levels, where the views differ, what was written, what was agreed, and the seasons before."""
    one = one_report(default_stores(), report_id=report_id, reader=signed_in_user(request))
    return _page(request, one, _form_of(one))


@never_cache
@sign_in_required
@require_POST
def notes(request: HttpRequest, report_id: str) -> HttpResponse:
    """Save the notes, and back to the report; where others were saved meanwhile both are shown, and nothing is lost."""
    stores, user = default_stores(), signed_in_user(request)
    form = NotesForm(request.POST)
    if not form.is_valid():
        return _page(request, one_report(stores, report_id=report_id, reader=user), form, status=UNPROCESSABLE)
    try:
        discuss(
            stores,
            report_id=report_id,
            notes=form.notes(),
            revision=form.cleaned_data["revision"],
            user=user,
            actor=actor_of(request),
            now=datetime.now(UTC),
        )
    except NotesChanged as changed:
        one = one_report(stores, report_id=report_id, reader=user)
        form = NotesForm({**request.POST.dict(), "revision": changed.stored.notes_revision})
        form.add_error(None, changed.public_message)
        return _page(request, one, form, status=CONFLICT, changed=True)
    except Invalid as error:
        form.add_error(error.field if error.field in form.fields else None, error.public_message)
        return _page(request, one_report(stores, report_id=report_id, reader=user), form, status=UNPROCESSABLE)
    messages.success(request, "The notes are saved. The member reads them in this report.")
    return redirect(f"{redirect('reports:report', report_id).url}#meeting")


def _form_of(one: OneReport) -> NotesForm:
    known = Notes.of(one.report)
    return NotesForm(
        initial={
            "discussed_on": known.discussed_on,
            "discussion_notes": known.discussion_notes,
            "next_steps": known.next_steps,
            "revision": one.report.notes_revision,
        }
    )


def _page(
    request: HttpRequest, one: OneReport, form: NotesForm, *, status: int = 200, changed: bool = False
) -> HttpResponse:
    reader = signed_in_user(request)
    about = concerning(one.team, one.report)
    context: dict[str, Any] = {
        **report_context(one, by_competency=request.GET.get("by") == "competency"),
        "form": form,
        "changed": changed,
        "is_own": reader.user_id == one.report.team_member_id,
        "may_discuss": allowed(reader, Permission.REPORT_DISCUSS, about),
        "may_export": allowed(reader, Permission.REPORT_EXPORT, about),
        "may_see_plan": allowed(reader, Permission.REPORT_SEE, concerning(one.team)),
    }
    return render(request, "reports/report.html", context, status=status)
