"""Plans from draft to archive: what may be changed when, by whom, and what two people do to each other."""

from datetime import date

import pytest

from apps.assessments.entities import AssessmentStatus, AssessmentType, PlanStatus
from apps.assessments.errors import InvalidPlan, PlanNotFound, PlanRefused
from apps.assessments.ids import assessment_id
from apps.assessments.services.plans import change_plan, create_plan
from apps.assessments.services.sweeping import settle_all
from apps.ladders.errors import NoActiveLadder
from apps.ladders.repository import ACTIVE_LADDER
from apps.storage.conditions import Update
from apps.storage.errors import StaleVersion
from apps.storage.plane import backoff
from apps.storage.pointers import Pointers
from apps.teams.errors import TeamNotFound
from tests.assessments.plans.planning import CONTENT, NOW, BrokenOff, breaking_off
from tests.seasons import active_ladder, admin, manager


def test_a_draft_takes_the_active_ladder_and_keeps_it(season) -> None:
    first = season.draft()
    active_ladder(season.stores.store, version="2.0.0")
    second = season.draft(season="2026-q2", plan_name="  Summer  ")
    assert (first.config_version, second.config_version) == ("1.0.0", "2.0.0")
    assert (second.season, second.plan_name, second.status) == ("2026-Q2", "Summer", PlanStatus.DRAFT)
    assert season.activated(first).config_version == "1.0.0"
    assert season.stores.seasons.names() == ["2026-Q2", "2026-Q1"]
    assert season.assessments(second) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"season": "spring"}, "season"),
        ({"plan_name": " "}, "plan_name"),
        ({"end_date": date(2026, 1, 4)}, "end_date"),
        ({"description": "x" * 2001}, "description"),
    ],
    ids=["season", "name", "end", "description"],
)
def test_what_a_plan_cannot_be_is_told_beside_its_field(season, changes, field) -> None:
    with pytest.raises(InvalidPlan) as told:
        season.draft(**changes)
    assert told.value.field == field
    draft = season.draft()
    with pytest.raises(InvalidPlan) as told:
        season.changed(draft, **changes)
    assert told.value.field == field
    assert season.stored(draft) == draft


def test_there_is_no_plan_without_a_ladder_or_for_another_managers_team(season) -> None:
    for other in (manager(season.stores.store, name="Nils Other"), season.members[0]):
        with pytest.raises(TeamNotFound):
            create_plan(
                season.stores, team_id=season.team.team_id, content=CONTENT, user=other, actor=other.acting(), now=NOW
            )
    Pointers(season.stores.store).delete(ACTIVE_LADDER)
    with pytest.raises(NoActiveLadder):
        season.draft()
    season.stores.teams.save(season.team_now().evolve(is_active=False))
    with pytest.raises(PlanRefused, match="not active"):
        season.draft()


def test_of_an_active_plan_name_description_and_end_can_be_changed(season) -> None:
    plan = season.activated()
    changed = season.changed(plan, plan_name="Longer", end_date=date(2026, 4, 30))
    assert (changed.plan_name, changed.end_date) == ("Longer", date(2026, 4, 30))
    for fixed in ({"season": "2026-Q2"}, {"start_date": date(2026, 1, 6)}):
        with pytest.raises(PlanRefused, match="stay"):
            season.changed(changed, **fixed)
    with pytest.raises(InvalidPlan):
        season.changed(changed, status="archived")


def test_two_who_edit_one_plan_notice_each_other_but_nobody_notices_a_submission(season) -> None:
    plan = season.activated()
    season.stores.plans.update(plan.plan_id, Update(add={"self_submitted": 1}))
    renamed = season.changed(plan, plan_name="First")
    assert renamed.self_submitted == 1
    with pytest.raises(StaleVersion) as lost:
        season.changed(plan, plan_name="Second")
    assert lost.value.stored.plan_name == "First"
    assert season.stored(plan).plan_name == "First"


def test_submissions_at_the_moment_of_a_change_are_kept(season, in_threads) -> None:
    plan = season.activated()

    def act(position: int) -> None:
        if position:
            season.stores.plans.update(plan.plan_id, Update(add={"self_submitted": 1}))
        else:
            season.changed(plan, plan_name="Changed")

    in_threads(4, act)
    assert (season.stored(plan).self_submitted, season.stored(plan).plan_name) == (3, "Changed")


def test_a_plan_is_completed_however_many_submit_at_that_moment(season, monkeypatch) -> None:
    plan = season.activated()
    save, rests = season.stores.plans.save, []
    monkeypatch.setattr(backoff, "rest", rests.append)

    def overtaken(*args):
        if len(rests) < 10:
            season.stores.plans.update(plan.plan_id, Update(add={"self_submitted": 1}))
        return save(*args)

    monkeypatch.setattr(season.stores.plans, "save", overtaken)
    ended = season.completed(plan)
    assert (ended.status, ended.self_submitted, len(rests)) == (PlanStatus.COMPLETED, 10, 10)


def test_a_completed_plan_locks_what_is_open_and_makes_room_for_another(season) -> None:
    plan = season.activated()
    own = assessment_id(plan.plan_id, season.members[0].user_id, AssessmentType.SELF)
    done = season.stores.assessments.get(own)
    season.stores.assessments.save(done.evolve(status=AssessmentStatus.SUBMITTED, submitted_at=NOW))
    season.stores.plans.update(plan.plan_id, Update(add={"self_submitted": 1}))
    ended = season.completed(plan)
    assert (ended.status, ended.completed_at, ended.active_season, ended.unsettled) == ("completed", NOW, None, None)
    assert [one.ended_at for one in season.assessments(plan) if not one.is_submitted] == [NOW] * 3
    assert season.stores.assessments.get(own).ended_at is None
    assert season.stores.assessments.waiting_for(season.boss.user_id) == []
    assert season.team_now().active_plan_ids == frozenset()
    (entry, *_) = season.stores.audit.of(f"AssessmentPlans#{plan.plan_id}").items
    assert entry.after == {"status": "completed", "unfinished": 3}
    season.activated(season.draft(plan_name="Once more"))


@pytest.mark.parametrize("after", range(1, 6))
def test_a_completion_that_breaks_off_is_finished_by_the_worker(season, monkeypatch, after) -> None:
    plan = season.activated()
    with breaking_off(season.stores.store, monkeypatch, after=after), pytest.raises(BrokenOff):
        season.completed(plan)
    settle_all(season.stores, now=NOW)
    assert not [one for one in season.assessments(plan) if one.is_open]
    assert season.stored(plan).unsettled is None


def test_an_activation_that_is_overtaken_by_the_end_leaves_nothing_open(season, monkeypatch) -> None:
    draft = season.draft()
    with breaking_off(season.stores.store, monkeypatch, after=1), pytest.raises(BrokenOff):
        season.activated(draft)
    season.completed(draft)
    settle_all(season.stores, now=NOW)
    assert season.assessments(draft) == []
    assert season.stored(draft).status is PlanStatus.COMPLETED


def test_a_plan_only_goes_forward(season) -> None:
    draft = season.draft()
    for refused in (season.completed, season.archived):
        with pytest.raises(PlanRefused):
            refused(draft)
    plan = season.activated(draft)
    for refused in (season.deleted, season.archived):
        with pytest.raises(PlanRefused):
            refused(plan)
    ended = season.completed(plan)
    for refused in (
        season.deleted,
        season.completed,
        season.activated,
        lambda plan: season.changed(plan, plan_name="X"),
    ):
        with pytest.raises(PlanRefused):
            refused(ended)
    kept = season.archived(ended)
    for refused in (season.deleted, season.completed, season.activated, season.archived):
        with pytest.raises(PlanRefused):
            refused(kept)


def test_a_draft_is_deleted_with_what_it_was_in_the_audit_log(season) -> None:
    draft = season.draft()
    season.deleted(draft)
    assert season.stores.plans.find(draft.plan_id, consistent=True) is None
    (entry, *_) = season.stores.audit.of(f"AssessmentPlans#{draft.plan_id}").items
    assert (entry.action, entry.before["plan_name"]) == ("plan.deleted", "Spring")


def test_an_administrator_may_do_all_of_it_and_another_manager_none(season) -> None:
    draft, ada, other = season.draft(), admin(season.stores.store), manager(season.stores.store, name="Nils Other")
    given = {"plan_id": draft.plan_id, "edition": draft.edition, "changes": {"plan_name": "By Ada"}, "now": NOW}
    with pytest.raises(PlanNotFound):
        change_plan(season.stores, user=other, actor=other.acting(), **given)
    assert change_plan(season.stores, user=ada, actor=ada.acting(), **given).plan_name == "By Ada"
