"""What the API of assessments says and takes."""

from datetime import datetime
from typing import Any

from pydantic import Field

from apps.api_shapes import Camel, Count, Number
from apps.assessments.entities import Assessment, AssessmentStatus, AssessmentType
from apps.assessments.services.answering import AnswerOutcome, ConclusionOutcome, GivenAnswer, GivenConclusion, Saved
from apps.ladders.ladder import Ladder

MOST_ANSWERS = 200


class AnswerIn(Camel):
    """An answer, whole, and the revision that its writer knew (0 for none). At most 5,000 characters a text."""

    category: str
    competency: str
    level: Number | None = None
    evidence: str = ""
    next_level_feedback: str = ""
    revision: Count = 0

    def given(self) -> GivenAnswer:
        """The same for the service."""
        return GivenAnswer(
            place=(self.category, self.competency),
            level=self.level,
            evidence=self.evidence,
            next_level_feedback=self.next_level_feedback,
            revision=self.revision,
        )


class ConclusionIn(Camel):
    """The overall level and the way forward, and the revision of both that their writer knew."""

    current_level: Number | None = None
    way_forward: str = ""
    revision: Count = 0

    def given(self) -> GivenConclusion:
        """The same for the service."""
        return GivenConclusion(current_level=self.current_level, way_forward=self.way_forward, revision=self.revision)


class SaveIn(Camel):
    """What to save; what is left out stays as it is."""

    answers: list[AnswerIn] = Field(default_factory=list, max_length=MOST_ANSWERS)
    conclusion: ConclusionIn | None = None
    resume_at: str | None = Field(default=None, description="The category to go on with.")


class SubmitIn(Camel):
    """`version` is the one that was looked at: another one is not submitted."""

    version: Count | None = None


class ReopenIn(Camel):
    """Why it is reopened; the audit log keeps it."""

    reason: str


class AnswerOut(Camel):
    """What is stored for a competency; `saved` is false where an answer was sent over another revision."""

    category: str
    competency: str
    level: int | None
    evidence: str
    next_level_feedback: str
    revision: int
    saved: bool = True


class ConclusionOut(Camel):
    """The stored overall level and way forward; `saved` as with answers."""

    current_level: int | None
    way_forward: str
    revision: int
    saved: bool = True


class AssessmentListedOut(Camel):
    """An assessment without its answers."""

    assessment_id: str
    plan_id: str
    team_id: str
    member_id: str
    type: AssessmentType
    assessor_id: str
    season: str
    status: AssessmentStatus
    answered_count: int
    competency_count: int
    submitted_at: datetime | None
    reopened_at: datetime | None
    version: int


class AssessmentOut(AssessmentListedOut):
    """An assessment with an answer for every competency of its ladder, in the ladder's order."""

    config_id: str
    answers: list[AnswerOut]
    conclusion: ConclusionOut
    resume_at: str


class AssessmentPageOut(Camel):
    """One page of assessments."""

    items: list[AssessmentListedOut]
    next: str | None
    previous: str | None


class SavedOut(Camel):
    """What became of all that was sent, and how far the assessment is now."""

    answers: list[AnswerOut]
    conclusion: ConclusionOut | None
    status: AssessmentStatus
    answered_count: int
    competency_count: int
    version: int


class SubmittedOut(Camel):
    """The locked assessment; `reportId` where both views are submitted now."""

    assessment: AssessmentOut
    report_id: str | None


def listed_out(assessment: Assessment) -> AssessmentListedOut:
    """An assessment for a list."""
    return AssessmentListedOut(**_head(assessment))


def assessment_out(assessment: Assessment, ladder: Ladder) -> AssessmentOut:
    """The whole of it."""
    answers = [
        AnswerOut(
            category=place[0],
            competency=place[1],
            **assessment.answer(place).model_dump(),
            revision=assessment.revision(place),
        )
        for place in ladder.places
    ]
    conclusion = ConclusionOut(
        current_level=assessment.current_level,
        way_forward=assessment.way_forward,
        revision=assessment.texts_revision,
    )
    return AssessmentOut(
        **_head(assessment),
        config_id=assessment.config_id,
        answers=answers,
        conclusion=conclusion,
        resume_at=assessment.resume_at,
    )


def saved_out(saved: Saved) -> SavedOut:
    """What became of what was sent."""
    return SavedOut(
        answers=[outcome_out(one) for one in saved.answers],
        conclusion=conclusion_out(saved.conclusion) if saved.conclusion else None,
        status=saved.assessment.status,
        answered_count=saved.assessment.answered_count,
        competency_count=saved.assessment.competency_count,
        version=saved.assessment.version,
    )


def outcome_out(outcome: AnswerOutcome) -> AnswerOut:
    """What became of one answer."""
    return AnswerOut(
        category=outcome.place[0],
        competency=outcome.place[1],
        **outcome.answer.model_dump(),
        revision=outcome.revision,
        saved=outcome.is_saved,
    )


def conclusion_out(outcome: ConclusionOutcome) -> ConclusionOut:
    """What became of overall level and way forward."""
    return ConclusionOut(
        current_level=outcome.current_level,
        way_forward=outcome.way_forward,
        revision=outcome.revision,
        saved=outcome.is_saved,
    )


def outcomes_told(saved: Saved) -> list[dict[str, object]]:
    """Every outcome as a detail of the error that says that some answers were changed elsewhere."""
    told: list[dict[str, object]] = [
        {"message": _message(one.is_saved), **outcome_out(one).model_dump(by_alias=True)} for one in saved.answers
    ]
    if saved.conclusion is not None:
        found = conclusion_out(saved.conclusion).model_dump(by_alias=True)
        told.append({"message": _message(saved.conclusion.is_saved), **found})
    return told


def _message(is_saved: bool) -> str:  # noqa: FBT001
    return "Saved." if is_saved else "Changed elsewhere: this is what is stored."


def _head(assessment: Assessment) -> dict[str, Any]:
    return {
        "assessment_id": assessment.assessment_id,
        "plan_id": assessment.plan_id,
        "team_id": assessment.team_id,
        "member_id": assessment.team_member_id,
        "type": assessment.assessment_type,
        "assessor_id": assessment.assessor_id,
        "season": assessment.season,
        "status": assessment.status,
        "answered_count": assessment.answered_count,
        "competency_count": assessment.competency_count,
        "submitted_at": assessment.submitted_at,
        "reopened_at": assessment.reopened_at,
        "version": assessment.version,
    }
