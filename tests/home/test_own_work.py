"""What members and managers see on the first page, and what it costs."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.entities import Role
from apps.assessments.entities import AssessmentType, PlanStatus
from apps.assessments.ids import assessment_id
from apps.assessments.repository import Assessments, Plans
from apps.storage.conditions import Update
from apps.storage.metering import metering
from apps.teams.repository import Teams
from tests.policy_runs.web import beyond_sign_in, browser, member
from tests.seasons import active_ladder, filled_in, manager, plan_of, reported, team_member, team_of

FOUR = {
    ("query", "Teams"): 1,
    ("query", "Assessments"): 1,
    ("transact_get_items", "AssessmentPlans+Users"): 1,
    ("query", "AssessmentReports"): 1,
}


@pytest.fixture
def mona(store):
    return manager(store)


@pytest.fixture
def timo(store):
    return team_member(store)


@pytest.fixture
def ladder(store):
    return active_ladder(store)


@pytest.fixture
def under_way(store, ladder):
    """A plan of this team that is under way and ends in so many days, as its activation leaves it."""

    def planned(team, *, ends_in, season="2026-Q1"):
        today = timezone.localdate()
        end = today + timedelta(days=ends_in)
        plan = plan_of(store, team, ladder, season=season, start=end - timedelta(days=40), end=end)
        Teams(store).update(team.team_id, Update(add={"active_plan_ids": {plan.plan_id}}))
        return plan

    return planned


def page(user):
    answer = browser(user).get("/")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def text(html):
    """What is read, tags left out."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_a_member_finds_what_is_due_goes_on_where_they_left_and_sees_their_reports(
    store, mona, timo, ladder, under_way
):
    team = team_of(store, mona, timo)
    for season in ("2025-Q1", "2025-Q2"):
        former = plan_of(store, team, ladder, season=season, status=PlanStatus.COMPLETED)
        report = reported(store, former, timo.user_id, team=team, ladder=ladder, own=[2, 2, 3], by_manager=[3, 4, 4])
    plan = under_way(team, ends_in=3)
    own_id = assessment_id(plan.plan_id, timo.user_id, AssessmentType.SELF)
    begun = filled_in(Assessments(store).get(own_id, consistent=True), ladder.ladder, [3, 2], submitted=False)
    Assessments(store).save(begun)

    html = page(timo)

    assert "1 assessment is due within 7 days." in html
    assert "Due in 3 days" in html
    assert "2 of 3" in html
    assert re.search(rf'href="/assessments/{own_id}/">Continue', html)
    assert f'href="/reports/{report.report_id}/"' in html
    assert html.index(">2025-Q2</a>") < html.index(">2025-Q1</a>"), "the newest first"
    assert "<svg" in html
    assert "My teams" not in html


def test_what_is_overdue_is_said_first_and_what_is_not_due_for_long_is_no_reminder(store, mona, timo, under_way):
    team = team_of(store, mona, timo)
    late = under_way(team, ends_in=-1)
    calm = under_way(team, ends_in=30, season="2026-Q2")
    html = page(timo)
    assert "1 assessment that waits for you is overdue." in html
    assert "Overdue by 1 day" in html
    assert "within 7 days" not in html
    assert html.index(late.plan_name) < html.index(calm.plan_name), "the first due first"


def test_on_the_last_day_it_is_due_and_not_overdue(store, mona, timo, under_way):
    under_way(team_of(store, mona, timo), ends_in=0)
    html = page(timo)
    assert "Due today" in html
    assert "is overdue" not in html


def test_a_member_on_the_first_day_reads_the_ladder_meanwhile(store, timo):
    html = page(timo)
    assert "No assessment waits for you." in html
    assert 'href="/ladder/"' in html


def test_what_was_submitted_or_belongs_to_a_plan_that_ended_waits_no_more(store, mona, timo, ladder, under_way):
    team = team_of(store, mona, timo)
    done, ended = under_way(team, ends_in=2), under_way(team, ends_in=2, season="2026-Q2")
    own_id = assessment_id(done.plan_id, timo.user_id, AssessmentType.SELF)
    Assessments(store).save(filled_in(Assessments(store).get(own_id, consistent=True), ladder.ladder, [3, 2, 3]))
    found = Plans(store).get(ended.plan_id, consistent=True)
    Plans(store).save(found.evolve(status=PlanStatus.COMPLETED, active_season=None))
    html = page(timo)
    assert "No assessment waits for you." in html
    assert "due within" not in html


def test_a_manager_sees_each_team_with_its_plan_and_whom_to_assess(store, mona, timo, ladder, under_way):
    tina = team_member(store, "Tina Member")
    harbour, ferry = team_of(store, mona, timo, tina), team_of(store, mona, tina, name="Ferry")
    team_of(store, mona, name="Idle")
    team_of(store, manager(store, "Other Manager"), timo, name="Theirs")
    late, soon = under_way(harbour, ends_in=-2), under_way(ferry, ends_in=5)
    given = assessment_id(late.plan_id, tina.user_id, AssessmentType.MANAGER)
    Assessments(store).save(filled_in(Assessments(store).get(given, consistent=True), ladder.ladder, [3, 2, 3]))
    Plans(store).update(late.plan_id, Update(add={"manager_submitted": 1}))

    html = page(mona)

    assert "Theirs" not in html
    assert html.index(late.plan_name) < html.index(soon.plan_name)
    assert "25 %" in html
    assert "1 plan is past its due date and not complete." in html
    assert "1 assessment that waits for you is overdue." in html
    assert "1 assessment is due within 7 days." in html
    to_timo = assessment_id(late.plan_id, timo.user_id, AssessmentType.MANAGER)
    assert re.search(rf'href="/assessments/{to_timo}/">Timo Member', html)
    assert given not in html, "what was given waits no more"
    assert re.search(r"Idle</a>.*?None\..*?Prepare or activate one", html)
    assert "My assessments" not in html


def test_of_many_people_to_assess_some_are_named_and_the_rest_are_counted(store, mona, under_way):
    people = [team_member(store, f"Member {number:02}") for number in range(20)]
    plan = under_way(team_of(store, mona, *people), ends_in=5)
    html = page(mona)
    assert html.count(">Start<") == 6
    assert f'href="/plans/{plan.plan_id}/">14 more in' in html
    assert "20 assessments are due within 7 days." in html


def test_a_manager_without_a_team_is_told_who_makes_them(mona):
    assert "You lead no team yet." in page(mona)


def test_who_leads_one_team_and_is_in_another_sees_both_for_four_requests(store, mona, timo, ladder, under_way):
    both = member(store, Role.MANAGER, Role.TEAM_MEMBER, name="Bo Both")
    theirs, other = team_of(store, both, timo), team_of(store, mona, both, name="Other")
    under_way(theirs, ends_in=5)
    under_way(other, ends_in=6)
    client = browser(both)
    client.get("/")
    with metering() as cost:
        html = client.get("/").content.decode()
    assert beyond_sign_in(cost) == FOUR
    assert html.index("My assessments") < html.index("My teams") < html.index("People I have to assess")


def test_who_came_to_lead_the_team_they_are_assessed_in_is_not_asked_to_assess_themselves(store, mona, timo, under_way):
    both = member(store, Role.MANAGER, Role.TEAM_MEMBER, name="Bo Both")
    plan = under_way(team_of(store, mona, both, timo), ends_in=5)
    stored = Teams(store).get(plan.team_id, consistent=True)
    left = stored.with_members({timo.user_id}).evolve(manager_id=both.user_id)
    Teams(store).save(left)
    for person in (both, timo):  # as following the team leaves it where one's own view was submitted already
        one = Assessments(store).get(assessment_id(plan.plan_id, person.user_id, AssessmentType.MANAGER))
        Assessments(store).save(one.evolve(assessor_id=both.user_id))
    people = page(both).partition("People I have to assess")[2]
    assert "Timo Member" in people
    assert assessment_id(plan.plan_id, both.user_id, AssessmentType.MANAGER) not in people


@pytest.mark.parametrize(("role", "less"), [(Role.MANAGER, ("AssessmentReports",)), (Role.TEAM_MEMBER, ("Teams",))])
def test_it_costs_three_requests_however_much_there_is(store, mona, ladder, under_way, role, less):
    people = [team_member(store, f"Member {number:02}") for number in range(30)]
    somebody = mona if role is Role.MANAGER else people[0]
    for number in range(8):
        under_way(team_of(store, mona, *people, name=f"Team {number}"), ends_in=number)
    client = browser(somebody)
    with metering() as cost:
        client.get("/")
    expected = {request for request in FOUR if request[1] not in less}
    found = beyond_sign_in(cost)
    assert sum(found.values()) == 3
    assert {table.partition("+")[0] for _, table in found} == {table.partition("+")[0] for _, table in expected}


def test_work_of_several_kinds_follows_in_parts_of_their_own(store, mona, timo, under_way):
    under_way(team_of(store, mona, timo), ends_in=3)
    everything = member(store, Role.ADMIN, Role.OPERATOR, Role.TEAM_MEMBER, name="Ed Everything")
    client = browser(everything)
    with metering() as cost:
        html = client.get("/").content.decode()
    assert sum(beyond_sign_in(cost).values()) <= 4
    assert 'hx-get="/home/organisation/"' in html
    assert "Plans under way" not in html
    with metering() as cost:
        part = client.get("/home/organisation/", headers={"HX-Request": "true"}).content.decode()
    assert sum(beyond_sign_in(cost).values()) <= 4
    assert "<html" not in part
    assert "Plans under way" in part
    whole = client.get("/home/organisation/").content.decode()
    assert "<html" in whole
    assert "Plans under way" in whole, "it can be read without a script"
    operating = browser(member(store, Role.MANAGER, Role.OPERATOR))
    assert 'hx-get="/home/runs/"' in operating.get("/").content.decode()
