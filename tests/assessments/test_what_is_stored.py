"""What plans, assessments, ladders and reports are in the store, and what their lists read."""

from apps.assessments.entities import AssessmentType
from apps.assessments.ids import assessment_id
from apps.assessments.repository import Assessments, Plans, Reports, Seasons
from apps.assessments.seasons import season_order
from apps.ladders.repository import LadderVersions
from apps.teams.repository import Memberships, Teams
from tests.seasons import LADDER, active_ladder, filled_in, manager, plan_of, reported, team_member, team_of


def test_a_season_is_stored_and_read_back_as_it_was(store, costs) -> None:
    boss, timo = manager(store), team_member(store)
    team, ladder = team_of(store, boss, timo), active_ladder(store)
    plan = plan_of(store, team, ladder)
    report = reported(store, plan, timo.user_id, team=team, ladder=ladder, own=(3, 4, 5), by_manager=(4, 1, 5))

    own = Assessments(store).get(assessment_id(plan.plan_id, timo.user_id, AssessmentType.SELF), consistent=True)
    assert own.answer(("Craft", "Testing")).level == 4
    assert own.answer(("Craft", "Testing")).evidence == "Shows **4**."
    assert own.answered_count == 3 and own.is_submitted
    assert Reports(store).get(report.report_id).variance["Craft"]["Testing"].difference == -3
    assert Reports(store).get(report.report_id).variance["Craft"]["Testing"].stands_out
    assert Plans(store).get(plan.plan_id).level_counts == {"Craft": {"4": 1, "1": 1}, "People": {"5": 1}}
    with costs(requests=2):
        active = LadderVersions(store).active()
    assert active is not None and active.ladder == LADDER and active.ladder_version == "1.0.0"
    assert [one.is_projected for one in LadderVersions(store).listed().items] == [True]


def test_every_list_of_a_season_is_one_request_without_answers(store, costs) -> None:
    boss, timo = manager(store), team_member(store)
    team, ladder = team_of(store, boss, timo), active_ladder(store)
    plan = plan_of(store, team, ladder)
    with costs(requests=1):
        assert {one.assessment_type for one in Assessments(store).matrix(plan.plan_id)} == set(AssessmentType)
    with costs(requests=1):
        waiting = Assessments(store).waiting_for(boss.user_id)
    assert [one.team_member_id for one in waiting] == [timo.user_id] and waiting[0].is_projected
    with costs(requests=1):
        assert [one.plan_id for one in Plans(store).under_way().items] == [plan.plan_id]
    with costs(requests=1):
        assert [one.plan_id for one in Plans(store).of_season("2026-Q1").items] == [plan.plan_id]
    with costs(requests=1):
        assert [one.team_id for one in Memberships(store).of(timo.user_id)] == [team.team_id]
    with costs(requests=1):
        assert [one.team_id for one in Teams(store).managed_by(boss.user_id)] == [team.team_id]
    assert Seasons(store).names() == ["2026-Q1"]
    assert Teams(store).listed("har").items[0].member_count == 1


def test_what_was_written_at_one_level_follows_to_the_next(store) -> None:
    boss, timo = manager(store), team_member(store)
    team, ladder = team_of(store, boss, timo), active_ladder(store)
    plan = plan_of(store, team, ladder)
    found = Assessments(store).get(assessment_id(plan.plan_id, timo.user_id, AssessmentType.SELF))
    begun = Assessments(store).save(filled_in(found, LADDER, (3,), submitted=False))
    place = ("Craft", "Design")
    moved = begun.answered(place, begun.answer(place).model_copy(update={"level": 4}), now=begun.updated_at)
    assert moved.feedback["Craft"]["Design"].keys() == {"4"}
    assert moved.answer(place).evidence == "Shows **3**." and moved.revision(place) == 2


def test_seasons_sort_by_when_they_end() -> None:
    names = ["H1-2026", "2025-Q4", "2026-Q1", "2026", "2026-Q2"]
    assert sorted(names, key=season_order) == ["2025-Q4", "2026-Q1", "2026-Q2", "H1-2026", "2026"]
