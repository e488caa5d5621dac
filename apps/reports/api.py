"""The API of reports."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router

from apps.accounts.middleware import actor_of, signed_in_user
from apps.api_shapes import CHANGING, READING, CursorText
from apps.assessments.services.submitting import generate_report
from apps.assessments.wiring import default_stores
from apps.reports.exports import report_summary, whole_report
from apps.reports.handing_out import handed_out
from apps.reports.reading import one_person, one_report, one_season, reports_of_plan
from apps.reports.schemas import (
    LONGEST_ID,
    GenerateIn,
    LevelCountOut,
    NotesIn,
    NotesOut,
    OrganisationOut,
    PlanProgressOut,
    ReportOut,
    ReportPageOut,
    WholeReportOut,
)
from apps.reports.scores import added_up
from apps.reports.services import Notes, discuss

router = Router(tags=["reports"], by_alias=True)

ReportId = Annotated[str, Path(max_length=LONGEST_ID)]
FILE: Final[dict[str, Any]] = {
    "responses": {
        200: {
            "description": "The file",
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "application/pdf": {"schema": {"type": "string", "format": "binary"}},
                "text/csv": {"schema": {"type": "string"}},
            },
        }
    }
}


@router.post("/generate", response={200: ReportOut, **CHANGING}, summary="Generate a report")
def generate(request: HttpRequest, body: GenerateIn) -> dict[str, Any]:
    """The report on this member under this plan: the one that is there, else made from both submitted assessments.

    Submitting the second one makes it, too. 409 before both are submitted.
    """
    report = generate_report(
        default_stores(),
        plan_id=body.plan_id,
        member_id=body.member_id,
        by=signed_in_user(request),
        actor=actor_of(request),
        now=datetime.now(UTC),
    )
    return report_summary(report)


@router.get("/organisation", response={200: OrganisationOut, **READING}, summary="Get a season of the organisation")
def organisation(request: HttpRequest, season: str = "") -> OrganisationOut:
    """Levels by category and the progress of every plan of a season, the newest one without a name."""
    one = one_season(default_stores(), season=season, reader=signed_in_user(request))
    counts = added_up(plan.level_counts for plan in one.plans)
    return OrganisationOut(
        season=one.season,
        seasons=list(one.seasons),
        levels=[
            LevelCountOut(category=category, level=level, number=number)
            for category, row in counts.items()
            for level, number in sorted(row.items())
        ],
        plans=[
            PlanProgressOut(
                plan_id=plan.plan_id,
                team_id=plan.team_id,
                plan_name=plan.plan_name,
                status=plan.status.value,
                member_count=plan.member_count,
                self_submitted=plan.self_submitted,
                manager_submitted=plan.manager_submitted,
                percent_submitted=plan.percent_submitted,
                report_count=plan.report_count,
            )
            for plan in one.plans
        ],
        is_cut=one.is_cut,
    )


@router.get("/by-plan/{plan_id}", response={200: ReportPageOut, **READING}, summary="List the reports of a plan")
def by_plan(request: HttpRequest, plan_id: ReportId, cursor: CursorText = None) -> dict[str, Any]:
    """A page of the reports that came of a plan, for who leads its team and for administrators."""
    page = reports_of_plan(default_stores(), plan_id=plan_id, reader=signed_in_user(request), cursor=cursor)
    return {"items": [report_summary(one) for one in page.items], "next": page.next, "previous": page.previous}


@router.get("/by-member/{user_id}", response={200: ReportPageOut, **READING}, summary="List the reports on a person")
def by_member(request: HttpRequest, user_id: ReportId) -> dict[str, Any]:
    """Those that this user may see, the first season first, all on one page."""
    one = one_person(default_stores(), user_id=user_id, reader=signed_in_user(request))
    return {"items": [report_summary(report) for report in one.reports], "next": None, "previous": None}


@router.get("/{report_id}", response={200: WholeReportOut, **READING}, summary="Get a report")
def get_report(request: HttpRequest, report_id: ReportId) -> dict[str, Any]:
    """The report with all that its page says."""
    return whole_report(one_report(default_stores(), report_id=report_id, reader=signed_in_user(request)))


@router.get(
    "/{report_id}/export", response={403: READING[404], **READING}, openapi_extra=FILE, summary="Export a report"
)
def export(request: HttpRequest, report_id: ReportId, form: Literal["pdf", "csv", "json"] = "json") -> HttpResponse:
    """The report as a file; that it was taken goes into the audit log. A PDF takes seconds."""
    return handed_out(request, report_id=report_id, form=form)


@router.put("/{report_id}/notes", response={200: NotesOut, **CHANGING}, summary="Write notes after the meeting")
def put_notes(request: HttpRequest, report_id: ReportId, body: NotesIn) -> NotesOut:
    """Notes and next steps in place of the former ones; 409 where others were written since `revision`."""
    report = discuss(
        default_stores(),
        report_id=report_id,
        notes=Notes(discussed_on=body.discussed_on, discussion_notes=body.discussion_notes, next_steps=body.next_steps),
        revision=body.revision,
        user=signed_in_user(request),
        actor=actor_of(request),
        now=datetime.now(UTC),
    )
    return NotesOut(
        discussed_on=report.discussed_on,
        discussion_notes=report.discussion_notes,
        next_steps=report.next_steps,
        revision=report.notes_revision,
    )
