"""Activating plans: every member gets both assessments once, whatever breaks off and whoever acts at the same time."""

import asyncio

import pytest

from apps.assessments.entities import AssessmentStatus, AssessmentType, PlanStatus
from apps.assessments.errors import PlanNotFound, PlanRefused
from apps.assessments.handler import SeasonHandler
from apps.assessments.ids import assessment_id
from apps.assessments.services.activation import activate_plan, follow_team
from apps.assessments.services.submitting import reopen
from apps.assessments.services.sweeping import settle_all
from apps.errors import Conflict
from apps.storage.conditions import Update
from apps.storage.errors import Duplicate
from apps.teams.services import add_members
from apps.teams.wiring import after_change
from apps.teams.wiring import default_stores as stores_of_teams
from tests.assessments.plans.planning import NOW, BrokenOff, Season, breaking_off, season_on
from tests.seasons import admin, manager, team_member


def expect_complete(season: Season, plan, members=None) -> None:
    """Exactly two assessments for each member, the plan and the team settled."""
    stored, found = season.stored(plan), season.assessments(plan)
    wanted = {
        assessment_id(plan.plan_id, user.user_id, kind)
        for user in (season.members if members is None else members)
        for kind in AssessmentType
    }
    assert {one.assessment_id for one in found if one.is_open} == wanted
    assert len(found) == len({one.assessment_id for one in found})
    assert (stored.status, stored.unsettled) == (PlanStatus.ACTIVE, None)
    assert stored.member_count == len(wanted) / 2
    assert season.team_now().unsettled is None


def test_activation_makes_one_assessment_of_each_kind_for_each_member(season) -> None:
    plan = season.activated()
    expect_complete(season, plan)
    assert plan.member_count == 2 and plan.activated_at == NOW and plan.active_season == "2026-Q1"
    for one in season.assessments(plan):
        is_own = one.assessment_type is AssessmentType.SELF
        assert one.assessor_id == (one.team_member_id if is_own else season.boss.user_id)
        assert (one.competency_count, one.status) == (3, AssessmentStatus.NOT_STARTED)
    assert season.team_now().active_plan_ids == {plan.plan_id}


def test_a_team_of_fifty_is_activated_in_steps(store, costs) -> None:
    season = season_on(store, members=50)
    draft = season.draft()
    with costs(writes=1 + 3 + 1):
        plan = season.activated(draft)
    expect_complete(season, plan)
    assert plan.assessment_count == 100


def test_activating_again_changes_nothing(season, costs) -> None:
    plan = season.activated()
    before = season.assessments(plan)
    with costs(writes=0):
        season.activated(plan)
    assert season.assessments(plan) == before


@pytest.mark.parametrize("again", ["activate", "sweep"])
@pytest.mark.parametrize("after", range(1, 6))
def test_what_breaks_off_after_any_write_is_finished_without_doubles(store, monkeypatch, after, again) -> None:
    season = season_on(store, members=40)
    draft = season.draft()
    with breaking_off(store, monkeypatch, after=after), pytest.raises(BrokenOff):
        season.activated(draft)
    assert season.stored(draft).status is PlanStatus.ACTIVE
    if again == "activate":
        season.activated(draft)
    else:
        asyncio.run(SeasonHandler(lambda: season.stores).sweep(now=NOW))
    expect_complete(season, draft)
    entries = season.stores.audit.of(f"AssessmentPlans#{draft.plan_id}").items
    assert [entry.action for entry in entries] == ["plan.activated", "plan.created"]


def test_nothing_to_do_costs_the_worker_two_small_questions_a_minute_and_nothing_in_between(season, costs) -> None:
    season.activated()
    handler = SeasonHandler(lambda: season.stores)
    with costs(requests=0):
        assert not asyncio.run(handler.waiting(now=NOW, limit=8))
    with costs(requests=2, rcu=1, wcu=0):
        assert settle_all(season.stores, now=NOW) == 0


def test_of_two_plans_of_one_season_activated_at_once_exactly_one_is(season, in_threads) -> None:
    drafts, told = [season.draft(), season.draft(plan_name="Other")], []

    def activate(position: int) -> None:
        try:
            season.activated(drafts[position])
        except Conflict as error:
            told.append(error)

    in_threads(2, activate)
    states = sorted(season.stored(draft).status for draft in drafts)
    assert states == [PlanStatus.ACTIVE, PlanStatus.DRAFT]
    assert len(told) == 1
    loser = next(draft for draft in drafts if season.stored(draft).status is PlanStatus.DRAFT)
    with pytest.raises(Duplicate, match="has an active plan for this season"):
        season.activated(loser)
    assert season.assessments(loser) == []


def test_one_plan_activated_by_several_at_once_is_activated_once(season, in_threads) -> None:
    draft = season.draft()
    in_threads(4, lambda _: season.activated(draft))
    settle_all(season.stores, now=NOW)
    expect_complete(season, draft)
    actions = [entry.action for entry in season.stores.audit.of(f"AssessmentPlans#{draft.plan_id}").items]
    assert actions.count("plan.activated") == 1


@pytest.mark.parametrize("moment", range(3, 11))
def test_a_member_who_joins_at_any_moment_of_the_activation_gets_theirs(season, monkeypatch, moment) -> None:
    draft, newcomer, asked = season.draft(), team_member(season.stores.store, name="Nora New"), []
    call = season.stores.store.call

    def joining(operation, **more):
        asked.append(operation)
        if len(asked) == moment:
            monkeypatch.undo()
            season.with_members(*season.members, newcomer)
            follow_team(season.stores, team_id=season.team.team_id, now=NOW)
        return call(operation, **more)

    monkeypatch.setattr(season.stores.store, "call", joining)
    season.activated(draft)
    assert len(asked) >= moment, "the newcomer joined while it ran"
    settle_all(season.stores, now=NOW)
    expect_complete(season, draft, (*season.members, newcomer))


def test_a_plan_that_the_index_does_not_know_yet_is_followed_all_the_same(season, monkeypatch) -> None:
    plan, newcomer = season.activated(), team_member(season.stores.store, name="Nora New")
    season.with_members(*season.members, newcomer)
    monkeypatch.setattr(type(season.stores.plans), "of_team", lambda *_: [])
    monkeypatch.setattr(type(season.stores.assessments), "matrix", lambda *_: [])
    assert follow_team(season.stores, team_id=season.team.team_id, now=NOW)
    monkeypatch.undo()
    expect_complete(season, plan, (*season.members, newcomer))


def test_a_new_manager_gets_what_is_open_and_not_what_was_submitted(season) -> None:
    plan, successor = season.activated(), manager(season.stores.store, name="Nils New")
    done = season.stores.assessments.get(_of(season, plan, 0, AssessmentType.MANAGER))
    season.stores.assessments.save(done.evolve(status=AssessmentStatus.SUBMITTED, submitted_at=NOW))
    season.led_by(successor)
    follow_team(season.stores, team_id=season.team.team_id, now=NOW)
    assessors = {
        one.team_member_id: one.assessor_id
        for one in season.assessments(plan)
        if one.assessment_type is AssessmentType.MANAGER
    }
    assert assessors == {
        season.members[0].user_id: season.boss.user_id,
        season.members[1].user_id: successor.user_id,
    }
    assert season.stored(plan).manager_id == successor.user_id
    assert [one.plan_id for one in season.stores.plans.of_manager(successor.user_id).items] == [plan.plan_id]
    assert season.team_now().unsettled is None
    with pytest.raises(PlanNotFound):
        season.completed(plan)


def test_what_is_reopened_goes_to_whoever_leads_the_team_now(season) -> None:
    plan, successor = season.activated(), manager(season.stores.store, name="Nils New")
    key, ada = _of(season, plan, 0, AssessmentType.MANAGER), admin(season.stores.store)
    done = season.stores.assessments.get(key)
    season.stores.assessments.save(done.evolve(status=AssessmentStatus.SUBMITTED, submitted_at=NOW))
    season.stores.plans.update(plan.plan_id, Update(add={"manager_submitted": 1}))
    season.led_by(successor)
    follow_team(season.stores, team_id=season.team.team_id, now=NOW)
    reopen(season.stores, assessment_id=key, reason="A slip.", by=ada, actor=ada.acting(), now=NOW)
    assert season.stores.assessments.get(key, consistent=True).assessor_id == successor.user_id
    assert len(season.stores.assessments.waiting_for(successor.user_id)) == 2


def test_what_is_reopened_while_the_team_is_given_away_goes_to_who_leads_it_then(season, monkeypatch) -> None:
    plan, successor = season.activated(), manager(season.stores.store, name="Nils New")
    key, ada = _of(season, plan, 0, AssessmentType.MANAGER), admin(season.stores.store)
    done = season.stores.assessments.get(key)
    season.stores.assessments.save(done.evolve(status=AssessmentStatus.SUBMITTED, submitted_at=NOW))
    call = season.stores.store.call

    def overtaken(operation, **more):
        if operation == "transact_write_items":
            monkeypatch.undo()
            season.led_by(successor)
            assert follow_team(season.stores, team_id=season.team.team_id, now=NOW)
        return call(operation, **more)

    monkeypatch.setattr(season.stores.store, "call", overtaken)
    reopen(season.stores, assessment_id=key, reason="A slip.", by=ada, actor=ada.acting(), now=NOW)
    assert season.stores.assessments.get(key, consistent=True).assessor_id == successor.user_id


def test_the_services_of_teams_are_followed_at_once(season) -> None:
    plan, nora = season.activated(), team_member(season.stores.store, name="Nora New")
    by = {"by": season.boss, "actor": season.boss.acting(), "now": NOW}
    add_members(stores_of_teams(), team_id=season.team.team_id, user_ids=[nora.user_id], **by)
    after_change(season.team.team_id, now=NOW)
    expect_complete(season, plan, (*season.members, nora))


def test_who_leaves_before_anything_was_submitted_counts_no_more_until_they_come_back(season) -> None:
    plan = season.activated()
    season.with_members(season.members[0])
    follow_team(season.stores, team_id=season.team.team_id, now=NOW)
    expect_complete(season, plan, season.members[:1])
    assert season.stores.assessments.waiting_for(season.members[1].user_id) == []
    season.with_members(*season.members)
    follow_team(season.stores, team_id=season.team.team_id, now=NOW)
    expect_complete(season, plan)


def test_who_leaves_after_one_half_was_submitted_counts_on(season) -> None:
    plan = season.activated()
    own = season.stores.assessments.get(_of(season, plan, 1, AssessmentType.SELF))
    season.stores.assessments.save(own.evolve(status=AssessmentStatus.SUBMITTED, submitted_at=NOW))
    season.with_members(season.members[0])
    follow_team(season.stores, team_id=season.team.team_id, now=NOW)
    assert season.stored(plan).member_count == 2
    assert season.stores.assessments.get(_of(season, plan, 1, AssessmentType.MANAGER)).is_open


def test_of_who_comes_to_lead_the_team_nobody_gives_the_managers_view_until_somebody_else_leads_it(season) -> None:
    plan, promoted = season.activated(), season.members[1]
    own = season.stores.assessments.get(_of(season, plan, 1, AssessmentType.SELF))
    season.stores.assessments.save(own.evolve(status=AssessmentStatus.SUBMITTED, submitted_at=NOW))
    season.with_members(season.members[0])
    for leader, waiting in ((promoted, 1), (season.boss, 2)):
        season.led_by(leader)
        follow_team(season.stores, team_id=season.team.team_id, now=NOW)
        assert len(season.stores.assessments.waiting_for(leader.user_id)) == waiting
        assert season.stored(plan).member_count == 2


def test_a_team_without_members_or_inactive_is_refused(store) -> None:
    season = season_on(store, members=0)
    draft = season.draft()
    with pytest.raises(PlanRefused, match="no members yet"):
        season.activated(draft)
    season.stores.teams.save(season.team_now().evolve(is_active=False))
    with pytest.raises(PlanRefused, match="not active"):
        season.activated(draft)
    assert season.stored(draft).status is PlanStatus.DRAFT


def test_who_does_not_lead_the_team_is_told_of_no_plan(season) -> None:
    draft = season.draft()
    for other in (manager(season.stores.store, name="Nils Other"), season.members[0]):
        with pytest.raises(PlanNotFound):
            activate_plan(season.stores, plan_id=draft.plan_id, user=other, actor=other.acting(), now=NOW)
    with pytest.raises(PlanNotFound):
        activate_plan(season.stores, plan_id="nothing", user=season.boss, actor=season.boss.acting(), now=NOW)


def _of(season: Season, plan, position: int, kind: AssessmentType) -> str:
    return assessment_id(plan.plan_id, season.members[position].user_id, kind)
