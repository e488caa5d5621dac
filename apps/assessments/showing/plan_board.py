"""How far a plan is, member by member: what its page and the API show."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from apps.accounts.entities import User
from apps.assessments.entities import Assessment, AssessmentStatus, AssessmentType, Plan, PlanStatus
from apps.assessments.errors import PlanNotFound
from apps.assessments.ids import report_id
from apps.assessments.services.managed import may_manage
from apps.assessments.stores import Stores
from apps.storage.transaction import MOST_ITEMS, read_together
from apps.teams.entities import Team

GONE: Final = "Somebody who is gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberProgress:
    """One member's two assessments under a plan."""

    member_id: str
    name: str
    own: Assessment | None
    by_manager: Assessment | None
    is_former: bool
    report_id: str = ""

    @property
    def both(self) -> tuple[Assessment | None, Assessment | None]:
        """The member's own assessment, and the manager's."""
        return self.own, self.by_manager


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A plan with the progress of each member by name; `lacking` are those of the team who have no assessments.

    Of these the ids and names, by name.
    """

    plan: Plan
    team: Team | None
    rows: list[MemberProgress]
    lacking: list[tuple[str, str]]
    people: Mapping[str, User] = field(repr=False)

    @property
    def in_progress(self) -> int:
        """Assessments that were begun and not handed in."""
        begun = AssessmentStatus.IN_PROGRESS
        return sum(one.status is begun and one.is_open for row in self.rows for one in row.both if one is not None)

    @property
    def unfinished(self) -> int:
        """Assessments that were not submitted."""
        return max(0, self.plan.assessment_count - self.plan.submitted)

    @property
    def awaited(self) -> list[str]:
        """Names of those who have yet to submit something."""
        ids = {one.assessor_id for row in self.rows for one in row.both if one is not None and one.is_open}
        return sorted((self.name(one) for one in ids), key=str.casefold)

    def name(self, user_id: str) -> str:
        """What this person is called."""
        found = self.people.get(user_id)
        return found.name if found else GONE


def board_for(stores: Stores, *, plan_id: str, user: User) -> Board:
    """The board of a plan that this person manages; three requests for up to 99 people.

    Plan and team are read consistently; the assessments' index may lag. Names of those of the team who have no
    assessments yet are one more request. Raises `PlanNotFound` both for a missing plan and for a hidden one.
    """
    plan = stores.plans.find(plan_id, consistent=True)
    if plan is None:
        raise PlanNotFound
    found = [] if plan.status is PlanStatus.DRAFT else stores.assessments.matrix(plan_id)
    team, people = _team_and_people(
        stores, plan, [who for one in found for who in (one.team_member_id, one.assessor_id)]
    )
    if not may_manage(user, team):
        raise PlanNotFound
    members = team.member_ids if team else frozenset()
    by_member: dict[str, dict[AssessmentType, Assessment]] = {}
    for one in found:
        by_member.setdefault(one.team_member_id, {})[one.assessment_type] = one
    lacking = sorted(members - by_member.keys()) if plan.status in {PlanStatus.DRAFT, PlanStatus.ACTIVE} else []
    unknown = [*lacking, *([team.manager_id] if team and team.manager_id not in people else [])]
    people |= {one.user_id: one for one in stores.users.get_many(unknown)} if unknown else {}
    board = Board(plan=plan, team=team, rows=[], lacking=[], people=people)
    for member, row in by_member.items():
        own, by_manager = (row.get(kind) for kind in AssessmentType)
        board.rows.append(
            MemberProgress(
                member_id=member,
                name=board.name(member),
                own=own,
                by_manager=by_manager,
                is_former=member not in members,
                report_id=report_id(plan_id, member) if _are_submitted(own, by_manager) else "",
            )
        )
    board.rows.sort(key=lambda row: (row.is_former, row.name.casefold()))
    board.lacking.extend(sorted(((one, board.name(one)) for one in lacking), key=lambda one: one[1].casefold()))
    return board


def _team_and_people(stores: Stores, plan: Plan, ids: Iterable[str]) -> tuple[Team | None, dict[str, User]]:
    wanted = iter(dict.fromkeys(ids))
    readings = [stores.users.reading(one) for one in islice(wanted, MOST_ITEMS - 1)]
    team, *users = read_together(stores.store, stores.teams.reading(plan.team_id), *readings)
    rest = list(wanted)
    found = [*(one for one in users if one is not None), *(stores.users.get_many(rest) if rest else [])]
    return team, {one.user_id: one for one in found}


def _are_submitted(*both: Assessment | None) -> bool:
    return all(one is not None and one.is_submitted for one in both)
