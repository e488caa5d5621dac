"""What the API says of plans, and what it is told."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from apps.api_shapes import Camel, Count
from apps.assessments.entities import Assessment, Plan, PlanStatus
from apps.assessments.services.plans import PlanContent
from apps.assessments.showing.plan_board import Board, MemberProgress

PlanName = Annotated[str, Field(min_length=1, max_length=100)]
Description = Annotated[str, Field(max_length=2000)]
SeasonText = Annotated[str, Field(max_length=10, description="Such as 2026-Q1, 2026-H2 or 2026.")]


class PlanIn(Camel):
    """A draft to prepare; both dates are included."""

    team_id: Annotated[str, Field(min_length=1, max_length=64)]
    plan_name: PlanName
    season: SeasonText
    start_date: date
    end_date: date
    description: Description = ""

    def content(self) -> PlanContent:
        """What it says of the plan."""
        return PlanContent(**self.model_dump(exclude={"team_id"}))


class PlanChangeIn(Camel):
    """What to change; what is left out stays. `version` is the one that was read: after another change it is a 409."""

    version: Count
    plan_name: PlanName | None = None
    season: SeasonText | None = None
    start_date: date | None = None
    end_date: date | None = None
    description: Description | None = None

    def changes(self) -> dict[str, Any]:
        """What it changes."""
        given = self.model_dump(exclude={"version"})
        return {name: value for name, value in given.items() if value is not None}


class PlanVersionIn(Camel):
    """The version that was read, where the deed is to be refused after another change."""

    version: Count | None = None


class PlanListedOut(Camel):
    """A plan as lists have it."""

    plan_id: str
    team_id: str
    plan_name: str
    season: str
    start_date: date
    end_date: date
    status: PlanStatus
    config_id: str
    ladder_version: str
    member_count: int
    assessment_count: int
    self_submitted: int
    manager_submitted: int
    report_count: int


class PlanOut(PlanListedOut):
    """A plan. `isSettled` is false while its assessments are being created or locked."""

    description: str
    version: int
    is_settled: bool
    activated_at: datetime | None
    completed_at: datetime | None
    reminded_at: datetime | None


class AssessmentProgressOut(Camel):
    """How far an assessment is. `endedAt` is there where it stays unfinished."""

    assessment_id: str
    assessor_id: str
    status: str
    answered_count: int
    competency_count: int
    submitted_at: datetime | None
    ended_at: datetime | None


class PlanMemberOut(Camel):
    """A member's two assessments; `reportId` is there once both are submitted."""

    member_id: str
    name: str
    is_former: bool
    own: AssessmentProgressOut | None
    manager: AssessmentProgressOut | None
    report_id: str | None


class PlanPersonOut(Camel):
    """Somebody of the team."""

    member_id: str
    name: str


class PlanDetailOut(PlanOut):
    """A plan with its matrix; `notAsked` are members who have no assessments: yet, or while it is a draft."""

    members: list[PlanMemberOut]
    not_asked: list[PlanPersonOut]


class PlanPageOut(Camel):
    """A page of plans; the cursors belong to the same question."""

    items: list[PlanListedOut]
    next: str | None
    previous: str | None


class RemindedOut(Camel):
    """How many people are being reminded."""

    people: int


def listed_out(plan: Plan) -> PlanListedOut:
    """The plan as lists have it."""
    return PlanListedOut(**_of(plan, PlanListedOut))


def plan_out(plan: Plan) -> PlanOut:
    """The plan."""
    return PlanOut(**_of(plan, PlanOut))


def detail_out(board: Board) -> PlanDetailOut:
    """The plan with its matrix."""
    return PlanDetailOut(
        **_of(board.plan, PlanOut),
        members=[_member_out(row) for row in board.rows],
        not_asked=[PlanPersonOut(member_id=member_id, name=name) for member_id, name in board.lacking],
    )


def _of(plan: Plan, shape: type[PlanListedOut]) -> dict[str, Any]:
    own = {"version": plan.edition, "ladder_version": plan.config_version, "is_settled": plan.unsettled is None}
    return {name: own[name] if name in own else getattr(plan, name) for name in shape.model_fields}


def _member_out(row: MemberProgress) -> PlanMemberOut:
    return PlanMemberOut(
        member_id=row.member_id,
        name=row.name,
        is_former=row.is_former,
        own=_progress_out(row.own),
        manager=_progress_out(row.by_manager),
        report_id=row.report_id or None,
    )


def _progress_out(one: Assessment | None) -> AssessmentProgressOut | None:
    return (
        AssessmentProgressOut(**{name: getattr(one, name) for name in AssessmentProgressOut.model_fields})
        if one
        else None
    )
