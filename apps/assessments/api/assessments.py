"""The API of assessments."""

from datetime import UTC, datetime

from django.http import HttpRequest
from ninja import Router

from apps.accounts.middleware import actor_of, signed_in_user
from apps.accounts.permissions import allowed
from apps.api_shapes import CHANGING, READING, CursorText
from apps.assessments.access import SEEN_BY, concerning
from apps.assessments.entities import AssessmentStatus
from apps.assessments.errors import AnswersChanged
from apps.assessments.schemas.assessments import (
    AssessmentOut,
    AssessmentPageOut,
    ReopenIn,
    SavedOut,
    SaveIn,
    SubmitIn,
    SubmittedOut,
    assessment_out,
    listed_out,
    outcomes_told,
    saved_out,
)
from apps.assessments.services.answering import save_answers, start
from apps.assessments.services.opening import ground_of
from apps.assessments.services.submitting import reopen, submit
from apps.assessments.wiring import default_stores

router = Router(tags=["assessments"], by_alias=True)


@router.get("", response={200: AssessmentPageOut, **READING}, summary="List the assessments that one gives")
def list_assessments(
    request: HttpRequest, status: AssessmentStatus | None = None, cursor: CursorText = None
) -> AssessmentPageOut:
    """Assessments whose assessor is this user, the open ones first, without their answers."""
    stores, user = default_stores(), signed_in_user(request)
    page = stores.assessments.given_by(user.user_id, status=status, cursor=cursor)
    found = stores.teams.get_many(sorted({one.team_id for one in page.items})) if page.items else []
    teams = {team.team_id: team for team in found}
    seen = [
        one
        for one in page.items
        if allowed(user, SEEN_BY[one.assessment_type], concerning(teams.get(one.team_id), one))
    ]
    return AssessmentPageOut(items=[listed_out(one) for one in seen], next=page.next, previous=page.previous)


@router.get("/{assessment_id}", response={200: AssessmentOut, **READING}, summary="Get an assessment")
def get_assessment(request: HttpRequest, assessment_id: str) -> AssessmentOut:
    """The assessment with an answer for every competency of its ladder.

    Before it is submitted its answers are empty for everybody but who fills it in.
    """
    user = signed_in_user(request)
    ground = ground_of(default_stores(), assessment_id=assessment_id, by=user)
    found = ground.assessment if ground.may_be_read_by(user) else ground.assessment.without_answers()
    return assessment_out(found, ground.ladder)


@router.post("/{assessment_id}/start", response={200: AssessmentOut, **CHANGING}, summary="Begin an assessment")
def start_assessment(request: HttpRequest, assessment_id: str) -> AssessmentOut:
    """From *not started* to *in progress*; one that was begun stays as it is."""
    stores, user = default_stores(), signed_in_user(request)
    begun = start(stores, assessment_id=assessment_id, by=user, now=datetime.now(UTC))
    return assessment_out(begun, stores.ladders.get(begun.config_id).ladder)


@router.patch("/{assessment_id}", response={200: SavedOut, **CHANGING}, summary="Save answers")
def save_assessment(request: HttpRequest, assessment_id: str, body: SaveIn) -> SavedOut:
    """Each answer over the revision that its writer knew.

    Where all are saved, 200. Of those that were changed elsewhere since, the stored version stays: then 409
    `answers_changed`, whose details are the outcomes of every answer, with `saved` and what is stored. An answer that
    is stored already is `saved`, so a request can be sent again. 409 `assessment_locked` where it was submitted, or its
    plan has ended.
    """
    saved = save_answers(
        default_stores(),
        assessment_id=assessment_id,
        by=signed_in_user(request),
        now=datetime.now(UTC),
        answers=[answer.given() for answer in body.answers],
        conclusion=body.conclusion.given() if body.conclusion else None,
        resume_at=body.resume_at,
    )
    if not saved.is_all_saved:
        raise AnswersChanged(outcomes_told(saved))
    return saved_out(saved)


@router.post("/{assessment_id}/submit", response={200: SubmittedOut, **CHANGING}, summary="Submit an assessment")
def submit_assessment(request: HttpRequest, assessment_id: str, body: SubmitIn | None = None) -> SubmittedOut:
    """Locks it; the second of a member's two submissions makes the report. Submitting again changes nothing.

    422 `incomplete` names every answer that is missing.
    """
    stores = default_stores()
    done = submit(
        stores,
        assessment_id=assessment_id,
        by=signed_in_user(request),
        actor=actor_of(request),
        now=datetime.now(UTC),
        version=body.version if body else None,
    )
    ladder = stores.ladders.get(done.assessment.config_id).ladder
    report_id = done.report.report_id if done.report else None
    return SubmittedOut(assessment=assessment_out(done.assessment, ladder), report_id=report_id)


@router.post("/{assessment_id}/reopen", response={200: AssessmentOut, **CHANGING}, summary="Reopen an assessment")
def reopen_assessment(request: HttpRequest, assessment_id: str, body: ReopenIn) -> AssessmentOut:
    """Takes a submission back, with a reason; administrators only, while the plan is under way."""
    stores = default_stores()
    opened = reopen(
        stores,
        assessment_id=assessment_id,
        reason=body.reason,
        by=signed_in_user(request),
        actor=actor_of(request),
        now=datetime.now(UTC),
    )
    return assessment_out(opened, stores.ladders.get(opened.config_id).ladder)
