"""The demo organisation: whatever it holds is what the services would have written."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from apps.accounts.demo import DEMO_MANAGING_MEMBER, demo_email
from apps.accounts.entities import Role
from apps.assessments.demo import seed_demo_seasons
from apps.assessments.demo.ladders import FORMER_VERSION
from apps.assessments.entities import AssessmentStatus, AssessmentType, PlanStatus
from apps.assessments.ids import assessment_id, report_id
from apps.assessments.stores import stores_on
from apps.assessments.variance import level_counts, variance_of
from apps.errors import Forbidden
from apps.storage.connection import Store
from apps.storage.pointers import Pointers
from tests.seasons import active_ladder

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture
def stores(store):
    seed_demo_seasons(store, NOW, ladder=active_ladder(store))
    return stores_on(store)


@pytest.fixture
def teams(stores):
    listed = stores.teams.listed().items
    return stores.teams.get_many([team.team_id for team in listed], consistent=True)


@pytest.fixture
def plans(stores, teams):
    return [plan for team in teams for plan in stores.plans.of_team(team.team_id)]


def of_plan(stores, plan):
    """A plan's assessments, whole."""
    return stores.assessments.get_many([one.assessment_id for one in stores.assessments.matrix(plan.plan_id)])


def test_there_are_forty_people_in_six_teams_with_four_seasons(stores, teams, plans):
    people = stores.users.listed(limit=100).items
    assert len(people) == 40
    assert len(teams) == 6
    assert stores.seasons.names() == ["2026-H1", "2025-H2", "2025-H1", "2024-H2"]
    assert Counter(plan.season for plan in plans) == dict.fromkeys(stores.seasons.names(), 6)
    states = Counter(plan.status for plan in plans)
    assert states == {
        PlanStatus.ARCHIVED: 12,
        PlanStatus.COMPLETED: 6,
        PlanStatus.ACTIVE: 5,
        PlanStatus.DRAFT: 1,
    }


def test_who_leads_is_a_manager_and_who_is_in_a_team_a_member_and_nobody_is_in_the_team_they_lead(stores, teams):
    people = {user.user_id: user for user in stores.users.listed(limit=100).items}
    for team in teams:
        assert Role.MANAGER in people[team.manager_id].roles
        assert team.manager_id not in team.member_ids
        assert team.member_count == len(team.member_ids)
        for member_id in team.member_ids:
            assert Role.TEAM_MEMBER in people[member_id].roles
            assert team.team_id in {one.team_id for one in stores.memberships.of(member_id)}
    both = stores.users.by_email(demo_email(DEMO_MANAGING_MEMBER))
    assert stores.teams.managed_by(both.user_id)
    assert stores.memberships.of(both.user_id)
    in_teams = {member_id for team in teams for member_id in team.member_ids}
    assert in_teams | {team.manager_id for team in teams} == set(people), "everybody has a place"
    assert sum(len(team.member_ids) for team in teams) > len(in_teams), "some are in two teams"


def test_the_counters_of_every_plan_are_what_its_assessments_say(stores, plans):
    for plan in plans:
        assessments = of_plan(stores, plan)
        submitted = Counter(one.assessment_type for one in assessments if one.is_submitted)
        assert len(assessments) == plan.assessment_count
        assert plan.self_submitted == submitted[AssessmentType.SELF]
        assert plan.manager_submitted == submitted[AssessmentType.MANAGER]
        reports = stores.reports.of_plan(plan.plan_id)
        assert len(reports) == plan.report_count
        levels: dict[str, Counter[str]] = {}
        for report in reports:
            for category, row in level_counts(report.variance).items():
                levels.setdefault(category, Counter()).update(row)
        assert plan.level_counts == levels


def test_a_report_is_there_exactly_where_both_submitted_and_says_what_they_said(stores, plans):
    for plan in plans:
        by_id = {one.assessment_id: one for one in of_plan(stores, plan)}
        listed = stores.reports.of_plan(plan.plan_id)
        reports = {one.team_member_id: one for one in stores.reports.get_many([one.report_id for one in listed])}
        for member_id in {one.team_member_id for one in by_id.values()}:
            own, by_manager = (by_id[assessment_id(plan.plan_id, member_id, kind)] for kind in AssessmentType)
            assert (member_id in reports) is (own.is_submitted and by_manager.is_submitted)
            if member_id in reports:
                report = reports[member_id]
                assert report.report_id == report_id(plan.plan_id, member_id)
                assert report.variance == variance_of(own.selections, by_manager.selections)
                assert report.final_level == by_manager.current_level
                assert report.self_assessed_level == own.current_level
                assert report.generated_at == max(own.submitted_at, by_manager.submitted_at)
                assert (
                    bool(report.discussion_notes) is bool(report.next_steps) is (plan.status is not PlanStatus.ACTIVE)
                )


def test_every_assessment_answers_as_far_as_it_says_and_in_places_that_its_ladder_has(stores, teams, plans):
    leads = {team.team_id: team.manager_id for team in teams}
    versions = {plan.config_id: stores.ladders.get(plan.config_id).ladder for plan in plans}
    for plan in plans:
        for one in of_plan(stores, plan):
            places = set(versions[one.config_id].places)
            answered = {(category, title) for category, row in one.selections.items() for title in row}
            own = one.assessment_type is AssessmentType.SELF
            assert (one.config_id, one.season, one.team_id) == (plan.config_id, plan.season, plan.team_id)
            assert one.assessor_id == (one.team_member_id if own else leads[plan.team_id])
            assert one.competency_count == len(places)
            assert one.answered_count == len(answered)
            assert answered <= places
            assert all(one.revision(place) == 1 for place in answered)
            assert all(one.answer(place).evidence and one.answer(place).next_level_feedback for place in answered)
            if one.is_submitted:
                assert answered == places
                assert one.way_forward
                assert plan.activated_at < one.submitted_at <= NOW
            elif one.status is AssessmentStatus.NOT_STARTED:
                assert not answered
            else:
                assert 0 < len(answered) < len(places)
                assert one.resume_at in {category for category, _ in places - answered}


def test_the_season_under_way_has_something_due_soon_something_overdue_and_every_state(stores, teams, plans):
    under_way = [plan for plan in plans if plan.status is PlanStatus.ACTIVE]
    assert [plan.is_overdue(TODAY) for plan in stores.plans.under_way().items] == [True, False, False, False, False]
    assert any(TODAY <= plan.end_date <= TODAY + timedelta(days=7) for plan in under_way)
    assert {one.status for plan in under_way for one in of_plan(stores, plan)} == set(AssessmentStatus)
    assert all(plan.active_season == plan.season for plan in under_way)
    for team in teams:
        assert team.active_plan_ids == {plan.plan_id for plan in under_way if plan.team_id == team.team_id}
    leads = {team.team_id: team.manager_id for team in teams}
    assert all(plan.manager_id == leads[plan.team_id] for plan in plans)


def test_people_grow_and_some_views_are_far_apart(stores, plans):
    means = {}
    for season in ("2024-H2", "2025-H2"):
        reports = [one for plan in plans if plan.season == season for one in stores.reports.of_plan(plan.plan_id)]
        means[season] = sum(one.final_level for one in reports) / len(reports)
    assert means["2025-H2"] > means["2024-H2"]
    reports = [one for plan in plans for one in stores.reports.of_plan(plan.plan_id)]
    assert any(one.stands_out for report in reports for row in report.variance.values() for one in row.values())


def test_the_first_season_was_assessed_by_another_ladder(stores, plans):
    versions = {plan.season: plan.config_version for plan in plans}
    assert versions["2024-H2"] == FORMER_VERSION
    assert versions["2025-H1"] == versions["2026-H1"] == "1.0.0"
    former, present = (stores.ladders.find_unique("ladder_version", one) for one in (FORMER_VERSION, "1.0.0"))
    assert set(former.ladder.places) - set(present.ladder.places)
    assert set(present.ladder.places) - set(former.ladder.places)
    assert stores.ladders.active().config_id == present.config_id


def test_it_is_made_once_and_what_was_changed_since_stays(store: Store, stores, plans):
    changed = stores.plans.save(plans[0].evolve(plan_name="Ours"))
    seed_demo_seasons(store, NOW + timedelta(days=300), ladder=stores.ladders.active())
    assert stores.plans.get(changed.plan_id, consistent=True) == changed
    assert len(stores.seasons.names()) == 4


def test_what_broke_off_is_completed_without_doubles(store: Store, stores, plans):
    gone = plans[0]
    stores.plans.delete(gone)
    Pointers(store).delete("demo-seasons")
    seed_demo_seasons(store, NOW, ladder=stores.ladders.active())
    again = stores.plans.get(gone.plan_id, consistent=True)
    assert again.evolve(version=gone.version) == gone
    assert len(of_plan(stores, again)) == again.assessment_count


def test_there_is_no_demo_organisation_outside_dev(store: Store):
    ladder = active_ladder(store)
    staging = Store(environment="staging", prefix=store.prefix, endpoint=store.endpoint, region=store.region)
    with pytest.raises(Forbidden):
        seed_demo_seasons(staging, NOW, ladder=ladder)
