"""What somebody assesses: what waits for them, and what they have finished under plans that are under way."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from apps.accounts.entities import User
from apps.accounts.permissions import allowed
from apps.assessments.access import FILLED_IN_BY, concerning
from apps.assessments.entities import Assessment, AssessmentStatus, AssessmentType, Plan, PlanStatus
from apps.assessments.stores import Stores
from apps.storage.transaction import MOST_ITEMS, Reading, read_together
from apps.teams.entities import Team

LONGEST_PLAN = timedelta(days=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """An assessment that somebody gives, without its answers, with its plan and the person it is about."""

    assessment: Assessment
    plan: Plan
    member: User | None

    @property
    def is_own(self) -> bool:
        """Whether it is about its assessor."""
        return self.assessment.assessment_type is AssessmentType.SELF

    def is_overdue(self, today: date) -> bool:
        """Whether it should have been submitted before today."""
        return not self.assessment.is_submitted and self.plan.is_overdue(today)


def assessments_of(stores: Stores, *, by: User, now: datetime) -> list[Mine]:
    """What this person assesses under active plans, as far as they may: first what is due first, then what is done.

    Three requests, and one more for each hundred plans, teams and people behind the first.
    """
    found = [
        *stores.assessments.waiting_for(by.user_id),
        *stores.assessments.finished_by(by.user_id, since=now - LONGEST_PLAN),
    ]
    if not found:
        return []
    plans, teams, members = _around(stores, found)
    shown = [
        Mine(assessment=one, plan=plans[one.plan_id], member=members.get(one.team_member_id))
        for one in found
        if (one.is_open or one.is_submitted)
        and one.plan_id in plans
        and plans[one.plan_id].status is PlanStatus.ACTIVE
        and allowed(by, FILLED_IN_BY[one.assessment_type], concerning(teams.get(one.team_id), one))
    ]
    return sorted(shown, key=_order)


def _order(mine: Mine) -> tuple[bool, date, str, bool, str]:
    name = mine.member.name.casefold() if mine.member else ""
    done = mine.assessment.status is AssessmentStatus.SUBMITTED
    return done, mine.plan.end_date, mine.plan.plan_name.casefold(), not mine.is_own, name


def _around(stores: Stores, found: Sequence[Assessment]) -> tuple[dict[str, Plan], dict[str, Team], dict[str, User]]:
    readings: list[Reading[Plan] | Reading[Team] | Reading[User]] = [
        *(stores.plans.reading(key) for key in _distinct(one.plan_id for one in found)),
        *(stores.teams.reading(key) for key in _distinct(one.team_id for one in found)),
        *(stores.users.reading(key) for key in _distinct(one.team_member_id for one in found)),
    ]
    read = [
        entity
        for start in range(0, len(readings), MOST_ITEMS)
        for entity in read_together(stores.store, *readings[start : start + MOST_ITEMS])
    ]
    return (
        {one.plan_id: one for one in read if isinstance(one, Plan)},
        {one.team_id: one for one in read if isinstance(one, Team)},
        {one.user_id: one for one in read if isinstance(one, User)},
    )


def _distinct(keys: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(keys))
