"""Assessments follow their plan and its team: the missing are made, the open given on, and locked at the end.

Every step can be done again, by anybody, at the same time: ids are derived, writes are conditional, and a plan or team
is called settled only on the condition that its team is still the one that was followed.

Who leaves the team keeps their assessments. Where one of them is submitted they count on, and the other half can be
handed in; where none is, both stay unfinished, are locked, and count no more, until the person comes back.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Final

from apps.assessments.entities import Assessment, AssessmentStatus, AssessmentType, Plan, PlanStatus
from apps.assessments.ids import assessment_id
from apps.assessments.stores import Stores
from apps.storage.conditions import Condition, Update, attribute
from apps.storage.errors import AlreadyExists, ConditionFailed, ItemNotFound
from apps.storage.transaction import Transaction
from apps.teams.entities import Team

TRIES: Final = 5
MEMBERS_AT_ONCE: Final = 19  # two assessments each, and the plan's check: at most 40 writes a transaction

Row = Mapping[AssessmentType, Assessment]
_MOVED: Final = (ConditionFailed, ItemNotFound, AlreadyExists)
_open = attribute("status").differs(AssessmentStatus.SUBMITTED)


def settle_plan(stores: Stores, *, plan_id: str, now: datetime) -> bool:
    """Let the assessments of a plan follow it and its team; False where others were in the way: do it again later."""
    for _ in range(TRIES):
        plan = stores.plans.find(plan_id, consistent=True)
        if plan is None:
            return True
        team = stores.teams.find(plan.team_id, consistent=True)
        try:
            if plan.status is not PlanStatus.ACTIVE:
                _lock(stores, plan, team, now=now)
            elif team is not None:
                _follow(stores, plan, team, now=now)
            else:  # its team is gone: there is nobody to ask
                stores.plans.update(plan_id, Update(remove=("unsettled",)), condition=_is(PlanStatus.ACTIVE))
        except _MOVED:
            continue
        else:
            return True
    return False


def follow_team(stores: Stores, *, team_id: str, now: datetime) -> bool:
    """Let each plan of the team follow its members and manager; False where others were in the way."""
    for _ in range(TRIES):
        team = stores.teams.find(team_id, consistent=True)
        if team is None:
            return True
        try:
            for plan in _plans_of(stores, team):
                if plan.status is PlanStatus.ACTIVE:
                    _follow(stores, plan, team, now=now)
                elif plan.manager_id != team.manager_id:
                    stores.plans.update(plan.plan_id, Update(set={"manager_id": team.manager_id}))
            if team.unsettled:
                as_followed = attribute("version").equals(team.version)
                stores.teams.update(team_id, Update(remove=("unsettled",)), condition=as_followed)
        except _MOVED:
            continue
        else:
            return True
    return False


def _plans_of(stores: Stores, team: Team) -> list[Plan]:
    """All that the index knows, and those under way that it does not know yet."""
    plans = {plan.plan_id: plan for plan in stores.plans.of_team(team.team_id)}
    fresh = [key for key in team.active_plan_ids if key not in plans or plans[key].status is not PlanStatus.ACTIVE]
    if fresh:
        plans |= {plan.plan_id: plan for plan in stores.plans.get_many(sorted(fresh), consistent=True)}
    return list(plans.values())


def _follow(stores: Stores, plan: Plan, team: Team, *, now: datetime) -> None:
    rows = _rows(stores, plan, team.member_ids)
    _make(stores, plan, team, [member for member in sorted(team.member_ids) if member not in rows], now=now)
    for found in [one for row in rows.values() for one in row.values()]:
        _hand_over(stores, found, team)
    former = {member: row for member, row in rows.items() if member not in team.member_ids}
    counting = [member for member, row in former.items() if any(one.is_submitted for one in row.values())]
    for member in former.keys() - set(counting):
        _end(stores, former[member].values(), now=now)
    changes = {"member_count": len(team.member_ids) + len(counting), "manager_id": team.manager_id}
    if plan.unsettled or any(getattr(plan, name) != value for name, value in changes.items()):
        Transaction(
            stores.store,
            stores.plans.updating(
                plan.plan_id, Update(set=changes, remove=("unsettled",)), condition=_is(PlanStatus.ACTIVE)
            ),
            stores.teams.checking(team.team_id, attribute("version").equals(team.version)),
        ).commit()


def _rows(stores: Stores, plan: Plan, members: Iterable[str]) -> dict[str, Row]:
    """The assessments by member, without answers; of whom the index knows nothing by key."""
    rows: dict[str, dict[AssessmentType, Assessment]] = {}
    for found in stores.assessments.matrix(plan.plan_id):
        rows.setdefault(found.team_member_id, {})[found.assessment_type] = found
    lacking = [member for member in members if len(rows.get(member, {})) < len(AssessmentType)]
    if lacking:
        ids = (assessment_id(plan.plan_id, member, kind) for member in sorted(lacking) for kind in AssessmentType)
        for found in stores.assessments.get_many(ids, consistent=True):
            rows.setdefault(found.team_member_id, {})[found.assessment_type] = found
    return dict(rows)


def _make(stores: Stores, plan: Plan, team: Team, members: Iterable[str], *, now: datetime) -> None:
    """The assessments of these members, both of each in one transaction, while the plan is active."""
    left = iter(members)
    count = -1
    while batch := list(islice(left, MEMBERS_AT_ONCE)):
        if count < 0:
            count = len(list(stores.ladders.get(plan.config_id, consistent=True).ladder.places))
        blanks = (
            Assessment(
                assessment_id=assessment_id(plan.plan_id, member, kind),
                plan_id=plan.plan_id,
                team_id=plan.team_id,
                team_member_id=member,
                assessment_type=kind,
                assessor_id=member if kind is AssessmentType.SELF else team.manager_id,
                season=plan.season,
                config_id=plan.config_id,
                competency_count=count,
                created_at=now,
                updated_at=now,
            )
            for member in batch
            for kind in AssessmentType
        )
        writes = [stores.assessments.adding(blank) for blank in blanks]
        Transaction(stores.store, stores.plans.checking(plan.plan_id, _is(PlanStatus.ACTIVE)), *writes).commit()


def _hand_over(stores: Stores, found: Assessment, team: Team) -> None:
    """Give an open manager assessment to the present manager, and back to work what ended before somebody came back."""
    is_back = found.ended_at is not None and found.team_member_id in team.member_ids
    goes_on = found.assessment_type is AssessmentType.MANAGER and found.assessor_id != team.manager_id
    if found.is_submitted or not (is_back or goes_on):
        return
    update = Update(set={"assessor_id": team.manager_id} if goes_on else {}, remove=("ended_at",) if is_back else ())
    with suppress(ConditionFailed):  # submitted just now: it stays with who submitted it
        stores.assessments.update(found.assessment_id, update, condition=_open)


def _end(stores: Stores, row: Iterable[Assessment], *, now: datetime) -> None:
    """Both or none: where one was submitted just now, neither ends."""
    ending = Update(set={"ended_at": now})
    writes = [
        stores.assessments.updating(one.assessment_id, ending, condition=_open) for one in row if one.ended_at is None
    ]
    Transaction(stores.store, *writes).commit()


def _lock(stores: Stores, plan: Plan, team: Team | None, *, now: datetime) -> None:
    """Lock what is open under a plan that has ended."""
    if not plan.unsettled:
        return
    for row in _rows(stores, plan, team.member_ids if team else ()).values():
        for one in row.values():
            if one.is_open:
                with suppress(ConditionFailed):
                    stores.assessments.update(one.assessment_id, Update(set={"ended_at": now}), condition=_open)
    has_ended = attribute("status").differs(PlanStatus.ACTIVE)
    stores.plans.update(plan.plan_id, Update(remove=("unsettled",)), condition=has_ended)


def _is(status: PlanStatus) -> Condition:
    return attribute("status").equals(status)
