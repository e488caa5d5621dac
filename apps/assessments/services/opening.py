"""An assessment with what it stands on, as far as somebody may see it."""

from dataclasses import dataclass

from apps.accounts.entities import User
from apps.accounts.permissions import allowed
from apps.assessments.access import FILLED_IN_BY, SEEN_BY, OfTeam, concerning
from apps.assessments.entities import Assessment, AssessmentType, Plan, PlanStatus, Report
from apps.assessments.errors import AssessmentLocked, AssessmentNotFound
from apps.assessments.ids import assessment_id as id_of
from apps.assessments.ids import report_id
from apps.assessments.stores import Stores
from apps.errors import Forbidden
from apps.ladders.entities import LadderVersion
from apps.ladders.ladder import Ladder
from apps.storage.transaction import read_together
from apps.teams.entities import Team

OTHER = {AssessmentType.SELF: AssessmentType.MANAGER, AssessmentType.MANAGER: AssessmentType.SELF}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """An assessment with its plan, its ladder and its team; the team is None if it is gone."""

    assessment: Assessment
    plan: Plan
    ladder: Ladder
    team: Team | None

    @property
    def thing(self) -> OfTeam:
        """What permissions are asked about."""
        return concerning(self.team, self.assessment)

    def may_be_seen_by(self, user: User) -> bool:
        """Whether the table of permissions shows it to this user."""
        return allowed(user, SEEN_BY[self.assessment.assessment_type], self.thing)

    def may_be_filled_in_by(self, user: User) -> bool:
        """Whether the table of permissions lets this user answer it."""
        return allowed(user, FILLED_IN_BY[self.assessment.assessment_type], self.thing)

    def may_be_read_by(self, user: User) -> bool:
        """Whether this user, who sees it, reads its answers: before it is submitted only who fills it in does.

        It is a draft until then, and shared by submitting it. (The back office shows administrators what is stored.)
        """
        return self.assessment.is_submitted or self.may_be_filled_in_by(user)

    @property
    def is_open(self) -> bool:
        """Whether it takes answers, from whom may give them."""
        return self.plan.status is PlanStatus.ACTIVE and self.assessment.is_open

    def require_filling_in(self, user: User) -> None:
        """Raise `Forbidden` where this user may see it but not answer it."""
        if not self.may_be_filled_in_by(user):
            whose = (
                "the person it is about" if self.assessment.assessment_type is AssessmentType.SELF else "the manager"
            )
            raise Forbidden(f"You may see this assessment, but only {whose} fills it in.")

    def require_open(self) -> None:
        """Raise `AssessmentLocked` where it takes no answers."""
        if self.assessment.is_submitted:
            raise AssessmentLocked(
                "This assessment was submitted, so it takes no more answers. An administrator can reopen it."
            )
        if self.plan.status is PlanStatus.DRAFT:
            raise AssessmentLocked("The plan of this assessment has not begun yet.")
        if self.plan.status is not PlanStatus.ACTIVE:
            raise AssessmentLocked("The plan of this assessment has ended, so it takes no more answers.")
        if not self.assessment.is_open:
            raise AssessmentLocked(
                "This assessment takes no more answers: the person it is about has left the team. Ask the manager."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Ground):
    """The same with the other view of the same member, the report on both, and the people; None for what is not there.

    `other` is for services: what of it a person may see is `other_seen_by`.
    """

    other: Assessment | None
    report: Report | None
    member: User | None
    assessor: User | None

    @property
    def pair(self) -> tuple[Assessment | None, Assessment | None]:
        """Both views, the member's own first."""
        is_own = self.assessment.assessment_type is AssessmentType.SELF
        return (self.assessment, self.other) if is_own else (self.other, self.assessment)

    def other_seen_by(self, user: User) -> Assessment | None:
        """The other view where this user may see it."""
        if self.other is None or not allowed(user, SEEN_BY[self.other.assessment_type], self.thing):
            return None
        return self.other


def ground_of(stores: Stores, *, assessment_id: str, by: User) -> Ground:
    """The assessment as it is now with what saving it rests on, in two requests.

    Raises `AssessmentNotFound` both for a missing and for a hidden one.
    """
    found = _found(stores, assessment_id)
    plan, team, version = read_together(
        stores.store,
        stores.plans.reading(found.plan_id),
        stores.teams.reading(found.team_id),
        stores.ladders.reading(found.config_id),
    )
    if plan is None or version is None:
        raise AssessmentNotFound
    ground = Ground(assessment=found, plan=plan, ladder=version.ladder, team=team)
    if not ground.may_be_seen_by(by):
        raise AssessmentNotFound
    return ground


def opened(stores: Stores, *, assessment_id: str, by: User) -> Opened:
    """The assessment as it is now with everything around it, in two requests.

    Raises `AssessmentNotFound` both for a missing and for a hidden one.
    """
    found = opened_for_anybody(stores, assessment_id=assessment_id)
    if not found.may_be_seen_by(by):
        raise AssessmentNotFound
    return found


def opened_for_anybody(stores: Stores, *, assessment_id: str) -> Opened:
    """The same before anybody's permission was asked. Raises `AssessmentNotFound`."""
    found = _found(stores, assessment_id)
    people = list(dict.fromkeys((found.team_member_id, found.assessor_id)))
    other = id_of(found.plan_id, found.team_member_id, OTHER[found.assessment_type])
    read = read_together(
        stores.store,
        stores.plans.reading(found.plan_id),
        stores.teams.reading(found.team_id),
        stores.ladders.reading(found.config_id),
        stores.assessments.reading(other),
        stores.reports.reading(report_id(found.plan_id, found.team_member_id)),
        *(stores.users.reading(user_id) for user_id in people),
    )
    plan: Plan | None = read[0]
    version: LadderVersion | None = read[2]
    if plan is None or version is None:
        raise AssessmentNotFound
    return Opened(
        assessment=found,
        plan=plan,
        team=read[1],
        ladder=version.ladder,
        other=read[3],
        report=read[4],
        member=read[5],
        assessor=read[-1],
    )


def _found(stores: Stores, assessment_id: str) -> Assessment:
    found = stores.assessments.find(assessment_id, consistent=True)
    if found is None:
        raise AssessmentNotFound
    return found
