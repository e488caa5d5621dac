"""Indexes lag and processes stop anywhere: what follows a team is decided by what is stored, never by an old copy."""

from contextlib import contextmanager, suppress

import pytest
from botocore.exceptions import ClientError

from apps.assessments.entities import AssessmentStatus, AssessmentType, PlanStatus
from apps.assessments.ids import assessment_id
from apps.assessments.services import sweeping
from apps.assessments.services.activation import follow_team
from apps.assessments.services.submitting import reopen
from apps.assessments.services.sweeping import settle_all
from tests.assessments.plans.planning import NOW, BrokenOff, season_on
from tests.seasons import admin, manager


@contextmanager
def lagging(season, monkeypatch, plan):
    """What the indexes know of the plan stays as it is now."""
    plans, rows = season.stores.plans.of_team(plan.team_id), season.stores.assessments.matrix(plan.plan_id)
    with monkeypatch.context() as patch:
        patch.setattr(type(season.stores.plans), "of_team", lambda *_: plans)
        patch.setattr(type(season.stores.assessments), "matrix", lambda *_: rows)
        yield


def followed(season) -> bool:
    return follow_team(season.stores, team_id=season.team.team_id, now=NOW)


def own_of(season, plan, position: int):
    key = assessment_id(plan.plan_id, season.members[position].user_id, AssessmentType.SELF)
    return season.stores.assessments.get(key, consistent=True)


def test_who_leaves_and_comes_back_before_an_index_knows_can_go_on_and_is_counted(season, monkeypatch) -> None:
    plan = season.activated()
    with lagging(season, monkeypatch, plan):
        season.with_members(season.members[0])
        assert followed(season)
        assert own_of(season, plan, 1).ended_at == NOW
        assert season.stored(plan).member_count == 1
        season.with_members(*season.members)
        assert followed(season)
    assert own_of(season, plan, 1).is_open
    assert season.stored(plan).member_count == 2


def test_a_team_given_away_and_back_before_an_index_knows_leaves_nothing_behind(season, monkeypatch) -> None:
    plan, other = season.activated(), manager(season.stores.store, name="Nils New")
    with lagging(season, monkeypatch, plan):
        for leader in (other, season.boss):
            season.led_by(leader)
            assert followed(season)
    assert season.stored(plan).manager_id == season.boss.user_id
    assert season.stores.assessments.waiting_for(other.user_id) == []


def test_who_is_taken_out_while_their_assessments_are_being_made_gets_none(season, monkeypatch) -> None:
    plan = season.activated()
    stays, leaves = season.members
    for kind in AssessmentType:
        season.stores.assessments.delete(assessment_id(plan.plan_id, leaves.user_id, kind))
    season.with_members(*season.members)
    call = season.stores.store.call

    def overtaken(operation, **more):
        if operation == "transact_write_items":
            monkeypatch.undo()
            season.with_members(stays)
            assert followed(season)
            with suppress(ClientError):
                call(operation, **more)
            raise BrokenOff
        return call(operation, **more)

    monkeypatch.setattr(season.stores.store, "call", overtaken)
    with pytest.raises(BrokenOff):
        followed(season)
    settle_all(season.stores, now=NOW)
    assert {one.team_member_id for one in season.assessments(plan)} == {stays.user_id}
    assert season.stored(plan).member_count == 1


def test_what_was_reopened_of_somebody_who_left_stays_open(season) -> None:
    plan, ada = season.activated(), admin(season.stores.store)
    own = own_of(season, plan, 1)
    season.stores.assessments.save(own.evolve(status=AssessmentStatus.SUBMITTED, submitted_at=NOW))
    season.with_members(season.members[0])
    followed(season)
    reopen(season.stores, assessment_id=own.assessment_id, reason="A slip.", by=ada, actor=ada.acting(), now=NOW)
    season.with_members(season.members[0])
    followed(season)
    assert own_of(season, plan, 1).is_open
    assert season.stored(plan).member_count == 2


def test_those_that_cannot_be_settled_hold_up_no_other_however_many(store, monkeypatch) -> None:
    seasons = [season_on(store) for _ in range(4)]
    plan_ids = sorted(season.draft().plan_id for season in seasons)
    monkeypatch.setattr(sweeping, "AT_ONCE", 2)
    stores = seasons[0].stores
    for plan_id in plan_ids:
        lost = {} if plan_id == plan_ids[-1] else {"config_id": "gone"}
        draft = stores.plans.get(plan_id, consistent=True)
        stores.plans.save(draft.evolve(status=PlanStatus.ACTIVE, unsettled="yes", **lost))
    for _ in range(30):
        settle_all(stores, now=NOW)
        if stores.plans.get(plan_ids[-1], consistent=True).unsettled is None:
            break
    assert stores.plans.unsettled(limit=10) == plan_ids[:-1]
