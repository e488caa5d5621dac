"""What members and managers see on the first page: their assessments, their teams, their reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from apps.accounts.entities import Role, User
from apps.assessments.entities import Assessment, AssessmentType, Plan, PlanStatus, Report
from apps.assessments.stores import Stores
from apps.home.due import Due
from apps.storage.transaction import MOST_ITEMS, read_together
from apps.teams.entities import Team

NAMES_A_PLAN: Final = 6
REPORTS_SHOWN: Final = 4
MOST_PLANS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ToGive:
    """Somebody whom a manager has yet to assess: the assessment, not begun or begun, and the member's name."""

    assessment: Assessment
    member_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAssessment:
    """One's own assessment that is open, its plan, and when it is due."""

    assessment: Assessment
    plan: Plan
    due: Due


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamPlan:
    """A team that one leads with a plan under way, None where it has none; `to_give` are the first of `left` people."""

    team: Team
    plan: Plan | None
    due: Due | None
    to_give: list[ToGive]
    left: int

    @property
    def more(self) -> int:
        """People to assess beyond those that are named."""
        return self.left - len(self.to_give)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWork:
    """What waits for one person, and what came of former seasons (reports, the first one first)."""

    is_member: bool
    is_manager: bool
    own: list[OwnAssessment] = field(default_factory=list)
    team_plans: list[TeamPlan] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)

    @property
    def latest_reports(self) -> list[Report]:
        """The newest first, a few."""
        return self.reports[::-1][:REPORTS_SHOWN]

    @property
    def has_to_give(self) -> bool:
        """Whether there is anybody whom this person has yet to assess."""
        return any(row.to_give for row in self.team_plans)

    @property
    def overdue(self) -> int:
        """Assessments that this person still owes although their day is over."""
        return sum(number for due, number in self._owed if due.is_overdue)

    @property
    def due_soon(self) -> int:
        """Assessments that this person owes within a week."""
        return sum(number for due, number in self._owed if due.is_soon)

    @property
    def plans_overdue(self) -> int:
        """Plans of the own teams that are not complete although their day is over, whoever it is that they wait for."""
        return sum(
            row.due is not None and row.due.is_overdue and row.plan is not None and row.plan.percent_submitted < 100  # noqa: PLR2004
            for row in self.team_plans
        )

    @property
    def _owed(self) -> list[tuple[Due, int]]:
        by_plan = [(row.due, row.left) for row in self.team_plans if row.due is not None]
        return [*((one.due, 1) for one in self.own), *by_plan]


def own_work(stores: Stores, user: User, *, today: date) -> OwnWork:
    """What waits for this person, in at most four requests: teams, assessments, names with plans, reports."""
    is_manager, is_member = Role.MANAGER in user.roles, Role.TEAM_MEMBER in user.roles
    teams = stores.teams.managed_by(user.user_id) if is_manager else []
    listed = stores.assessments.waiting_for(user.user_id)
    waiting = [one for one in listed if one.is_open and not _is_on_themselves_as_manager(one, user)]
    plan_ids = [plan_id for team in teams for plan_id in sorted(team.active_plan_ids)]
    plan_ids = list(dict.fromkeys([*plan_ids, *(one.plan_id for one in waiting)]))[:MOST_PLANS]
    by_plan: dict[str, list[Assessment]] = {plan_id: [] for plan_id in plan_ids}
    for one in waiting:
        if one.assessment_type is AssessmentType.MANAGER and one.plan_id in by_plan:
            by_plan[one.plan_id].append(one)
    member_ids = [one.team_member_id for ones in by_plan.values() for one in ones[:NAMES_A_PLAN]]
    plans, names = _read(stores, plan_ids, list(dict.fromkeys(member_ids)))
    return OwnWork(
        is_member=is_member,
        is_manager=is_manager,
        own=_own(waiting, plans, today=today) if is_member else [],
        team_plans=_team_plans(teams, plans, by_plan, names, today=today),
        reports=stores.reports.of_member(user.user_id) if is_member else [],
    )


def _is_on_themselves_as_manager(one: Assessment, user: User) -> bool:
    """Whether they came to lead the team that they are assessed in: nobody is their own manager."""
    return one.assessment_type is AssessmentType.MANAGER and one.team_member_id == user.user_id


def _read(stores: Stores, plan_ids: Sequence[str], member_ids: Sequence[str]) -> tuple[dict[str, Plan], dict[str, str]]:
    """The plans under way by id, and the members' names by id, in one request."""
    member_ids = member_ids[: MOST_ITEMS - len(plan_ids)]
    found: tuple[Any, ...] = read_together(
        stores.store,
        *(stores.plans.reading(plan_id) for plan_id in plan_ids),
        *(stores.users.reading(user_id) for user_id in member_ids),
    )
    plans = [one for one in found[: len(plan_ids)] if one is not None and one.status is PlanStatus.ACTIVE]
    names = {one.user_id: one.name for one in found[len(plan_ids) :] if one is not None}
    return {plan.plan_id: plan for plan in plans}, names


def _own(waiting: Sequence[Assessment], plans: Mapping[str, Plan], *, today: date) -> list[OwnAssessment]:
    rows = [
        OwnAssessment(assessment=one, plan=plans[one.plan_id], due=Due(plans[one.plan_id].end_date, today))
        for one in waiting
        if one.assessment_type is AssessmentType.SELF and one.plan_id in plans
    ]
    return sorted(rows, key=lambda row: (row.plan.end_date, row.plan.plan_name))


def _team_plans(
    teams: Sequence[Team],
    plans: Mapping[str, Plan],
    by_plan: Mapping[str, Sequence[Assessment]],
    names: Mapping[str, str],
    *,
    today: date,
) -> list[TeamPlan]:
    """A row for each plan under way of these teams, the first due first; last the active teams that have none."""
    rows, idle = [], []
    for team in teams:
        mine = [plans[plan_id] for plan_id in team.active_plan_ids if plan_id in plans]
        if not mine and team.is_active:
            idle.append(TeamPlan(team=team, plan=None, due=None, to_give=[], left=0))
        for plan in mine:
            left = by_plan.get(plan.plan_id, ())
            to_give = [
                ToGive(assessment=one, member_name=names[one.team_member_id])
                for one in left[:NAMES_A_PLAN]
                if one.team_member_id in names
            ]
            to_give.sort(key=lambda one: one.member_name.casefold())
            due = Due(plan.end_date, today)
            rows.append(TeamPlan(team=team, plan=plan, due=due, to_give=to_give, left=len(left)))
    rows.sort(key=lambda row: (row.due.day if row.due else today, row.team.name_key))
    return [*rows, *idle]
