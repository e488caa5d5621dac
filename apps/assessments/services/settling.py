"""Assessments follow their plan and its team: the missing are made, the open given on, and locked at the end.

Every step can be done again, by anybody, at the same time: ids are derived, and whatever is written for a team is
written on the condition that it is still the one that was followed.

Who leaves the team keeps their assessments. Where one of them is, or before a reopening was, submitted they count on,
and what is open can be handed in; where none is, both stay unfinished, are locked, and count no more, until the person
comes back. Of who comes to lead the team nobody gives the manager's view: it stays unfinished.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from apps.storage.writes import Write
from apps.teams.entities import Team

TRIES: Final = 5
MEMBERS_AT_ONCE: Final = 19  # two assessments each, and the checks of plan and team: at most 40 writes a transaction

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
                stores.teams.update(team_id, Update(remove=("unsettled",)), condition=_version_of(team))
        except _MOVED:
            continue
        else:
            return True
    return False


def _plans_of(stores: Stores, team: Team) -> list[Plan]:
    """Those under way as they are stored, and what the index, which lags, knows of the others."""
    listed = stores.plans.of_team(team.team_id)
    under_way = team.active_plan_ids.union(plan.plan_id for plan in listed if plan.status is PlanStatus.ACTIVE)
    stored = stores.plans.get_many(sorted(under_way), consistent=True) if under_way else []
    return [*stored, *(plan for plan in listed if plan.plan_id not in under_way)]


def _follow(stores: Stores, plan: Plan, team: Team, *, now: datetime) -> None:
    rows = _rows(stores, plan, team.member_ids)
    counting = team.member_ids.union(
        member for member, row in rows.items() if any(one.is_submitted or one.reopened_at for one in row.values())
    )
    steps = [
        *_made(stores, plan, team, sorted(team.member_ids.difference(rows)), now=now),
        *(
            _handed_over(stores, row.values(), team, now=now)
            if member in counting
            else _ended(stores, row.values(), now=now)
            for member, row in rows.items()
        ),
    ]
    _write(stores, plan, team, [step for step in steps if step])
    changes = {"member_count": len(counting), "manager_id": team.manager_id}
    if plan.unsettled or any(getattr(plan, name) != value for name, value in changes.items()):
        Transaction(
            stores.store,
            stores.plans.updating(
                plan.plan_id, Update(set=changes, remove=("unsettled",)), condition=_is(PlanStatus.ACTIVE)
            ),
            _as_followed(stores, team),
        ).commit()


def _rows(stores: Stores, plan: Plan, members: Iterable[str]) -> dict[str, Row]:
    """The assessments by member, as they are stored; the index, which lags, only tells who left the team."""
    known = {found.team_member_id for found in stores.assessments.matrix(plan.plan_id)}
    ids = [
        assessment_id(plan.plan_id, member, kind) for member in sorted(known.union(members)) for kind in AssessmentType
    ]
    rows: dict[str, dict[AssessmentType, Assessment]] = {}
    for found in stores.assessments.get_many(ids, consistent=True) if ids else ():
        rows.setdefault(found.team_member_id, {})[found.assessment_type] = found
    return dict(rows)


def _write(stores: Stores, plan: Plan, team: Team, steps: Iterable[Sequence[Write]]) -> None:
    """What is to be written for each member, many in one transaction, while plan and team are as it was decided by."""
    left = iter(steps)
    while batch := list(islice(left, MEMBERS_AT_ONCE)):
        under_way = stores.plans.checking(plan.plan_id, _is(PlanStatus.ACTIVE))
        writes = [write for step in batch for write in step]
        Transaction(stores.store, under_way, _as_followed(stores, team), *writes).commit()


def _made(stores: Stores, plan: Plan, team: Team, members: Sequence[str], *, now: datetime) -> Iterator[list[Write]]:
    """Both assessments of each of these members."""
    if not members:
        return
    count = len(list(stores.ladders.get(plan.config_id, consistent=True).ladder.places))
    for member in members:
        yield [
            stores.assessments.adding(
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
            )
            for kind in AssessmentType
        ]


def _handed_over(stores: Stores, row: Iterable[Assessment], team: Team, *, now: datetime) -> list[Write]:
    """An open manager assessment goes to the present manager, and back to work what ended before somebody came back."""
    writes = []
    for one in row:
        is_managers = one.assessment_type is AssessmentType.MANAGER
        can_be_given = not is_managers or one.team_member_id != team.manager_id
        change: dict[str, datetime | str] = {}
        if is_managers and can_be_given and one.assessor_id != team.manager_id:
            change["assessor_id"] = team.manager_id
        if not can_be_given and one.ended_at is None:
            change["ended_at"] = now
        is_back = can_be_given and one.ended_at is not None
        if not one.is_submitted and (change or is_back):
            update = Update(set=change, remove=("ended_at",) if is_back else ())
            writes.append(stores.assessments.updating(one.assessment_id, update, condition=_open))
    return writes


def _ended(stores: Stores, row: Iterable[Assessment], *, now: datetime) -> list[Write]:
    """Both or none: where one was submitted just now, neither ends."""
    ending = Update(set={"ended_at": now})
    return [
        stores.assessments.updating(one.assessment_id, ending, condition=_open) for one in row if one.ended_at is None
    ]


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


def _as_followed(stores: Stores, team: Team) -> Write:
    """The check that the team is still the one that was followed."""
    return stores.teams.checking(team.team_id, _version_of(team))


def _version_of(team: Team) -> Condition:
    return attribute("version").equals(team.version)
