"""The pages of plans: what they show to whom, what they ask the store, and what can be done on them."""

import re

import pytest

from apps.accounts.entities import Role
from apps.assessments.entities import AssessmentStatus, AssessmentType, PlanStatus
from apps.assessments.ids import assessment_id
from apps.storage.conditions import Update
from tests.assessments.plans.planning import season_on
from tests.policy_runs.web import beyond_sign_in, browser, member
from tests.seasons import admin, manager, team_of

FORM = {"plan_name": "Autumn", "season": "2026-q4", "start_date": "2026-10-01", "end_date": "2026-12-31"}


def text_of(page) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.content.decode()))


def submitted(season, plan, position, kind) -> None:
    found = season.stores.assessments.get(assessment_id(plan.plan_id, season.members[position].user_id, kind))
    season.stores.assessments.save(
        found.evolve(status=AssessmentStatus.SUBMITTED, submitted_at=found.created_at, answered_count=3)
    )
    name = "self_submitted" if kind is AssessmentType.SELF else "manager_submitted"
    season.stores.plans.update(plan.plan_id, Update(add={name: 1}))


def test_the_matrix_of_fifty_is_three_requests(store, costs) -> None:
    season = season_on(store, members=49)
    plan = season.activated()
    client = browser(season.boss)
    with costs(wcu=0) as cost:
        page = client.get(f"/plans/{plan.plan_id}/")
    assert beyond_sign_in(cost) == {
        ("get_item", "AssessmentPlans"): 1,
        ("query", "Assessments"): 1,
        ("transact_get_items", "Teams+Users"): 1,
    }
    told = text_of(page)
    assert "0 of 98 assessments submitted" in told
    assert all(user.name in told for user in season.members)
    assert told.count("Not started") == 98 + 1


def test_the_matrix_says_how_far_each_is_in_words(season) -> None:
    plan = season.activated()
    for kind in AssessmentType:
        submitted(season, plan, 0, kind)
    begun = season.stores.assessments.get(assessment_id(plan.plan_id, season.members[1].user_id, AssessmentType.SELF))
    season.stores.assessments.save(begun.evolve(status=AssessmentStatus.IN_PROGRESS, answered_count=2))
    page = browser(season.boss).get(f"/plans/{plan.plan_id}/")
    told = text_of(page)
    assert "2 of 4 assessments submitted" in told
    assert "In progress" in told and "2 of 3 answered" in told
    assert told.count("Submitted") >= 2 and "Manager\N{RIGHT SINGLE QUOTATION MARK}s assessment" in told
    rows = re.findall(r'<th scope="row">.*?</tr>', page.content.decode(), re.DOTALL)
    assert [re.search(r">(Ready|Report)<", row) is not None for row in rows] == [True, False]


def test_a_draft_says_what_activating_will_create(season, costs) -> None:
    draft, client = season.draft(), browser(season.boss)
    with costs(wcu=0) as cost:
        page = client.get(f"/plans/{draft.plan_id}/")
    assert sum(beyond_sign_in(cost).values()) == 3
    told = text_of(page)
    assert "It creates 4 assessments: each of the 2 members" in told and "Mona Manager for one of each" in told
    assert "Who will be asked" in told and "Timo Member 1" in told
    answer = client.post(f"/plans/{draft.plan_id}/activate/", {"edition": draft.edition}, follow=True)
    assert "The plan is active: 4 assessments were created." in text_of(answer)
    assert season.stored(draft).status is PlanStatus.ACTIVE


def test_a_draft_of_a_team_without_members_says_what_is_missing(store) -> None:
    season = season_on(store, members=0)
    draft = season.draft()
    client = browser(season.boss)
    assert "The team has no members yet. Add them to the team first." in text_of(client.get(f"/plans/{draft.plan_id}/"))
    answer = client.post(f"/plans/{draft.plan_id}/activate/", follow=True)
    assert "no members yet" in text_of(answer)


def test_a_second_active_plan_of_the_season_is_refused_in_words(season) -> None:
    season.activated()
    other = season.draft(plan_name="Other")
    answer = browser(season.boss).post(f"/plans/{other.plan_id}/activate/", follow=True)
    assert "This team has an active plan for this season already." in text_of(answer)


def test_completing_says_how_many_stay_unfinished(season) -> None:
    plan, client = season.activated(), browser(season.boss)
    submitted(season, plan, 0, AssessmentType.SELF)
    assert "3 assessments are not submitted" in text_of(client.get(f"/plans/{plan.plan_id}/"))
    answer = client.post(f"/plans/{plan.plan_id}/complete/", follow=True)
    assert "3 assessments stay unfinished and are locked." in text_of(answer)
    assert text_of(answer).count("Left unfinished") == 3 + 1
    answer = client.post(f"/plans/{plan.plan_id}/archive/", follow=True)
    assert "The plan is archived." in text_of(answer)
    answer = client.get(f"/plans/{plan.plan_id}/edit/", follow=True)
    assert "can only be read" in text_of(answer)


def test_a_button_pressed_on_an_old_page_is_refused(season) -> None:
    draft, client = season.draft(), browser(season.boss)
    season.changed(draft, plan_name="Changed")
    answer = client.post(f"/plans/{draft.plan_id}/delete/", {"edition": draft.edition}, follow=True)
    assert "Somebody changed this plan in the meantime" in text_of(answer)
    client.post(f"/plans/{draft.plan_id}/delete/", {"edition": season.stored(draft).edition})
    assert season.stores.plans.find(draft.plan_id, consistent=True) is None


def test_a_plan_is_prepared_in_two_steps_with_a_season_suggested(season) -> None:
    client = browser(season.boss)
    page = client.get("/plans/new/")
    address = f"/plans/new/?team={season.team.team_id}"
    assert address in page.content.decode()
    page = client.get(address)
    assert re.search(r'name="season" value="20\d\d-Q[1-4]"', page.content.decode())
    wrong = client.post(address, {**FORM, "end_date": "2026-09-30", "plan_name": ""})
    assert wrong.status_code == 422
    assert "Enter a name for the plan." in text_of(wrong) and "The end is before the start." in text_of(wrong)
    assert 'value="2026-q4"' in wrong.content.decode(), "what was typed stays"
    answer = client.post(address, FORM, follow=True)
    assert "The plan is prepared." in text_of(answer)
    assert [plan.season for plan in season.stores.plans.of_team(season.team.team_id)] == ["2026-Q4"]


def test_whoever_was_overtaken_sees_both_and_loses_nothing(season) -> None:
    draft, client = season.draft(), browser(season.boss)
    address = f"/plans/{draft.plan_id}/edit/"
    season.changed(draft, plan_name="Theirs")
    answer = client.post(address, {**FORM, "plan_name": "Mine", "edition": draft.edition})
    assert answer.status_code == 409
    html = answer.content.decode()
    assert 'value="Mine"' in html and "Theirs" in text_of(answer)
    edition = re.search(r'name="edition" value="(\d+)"', html)
    assert edition is not None
    client.post(address, {**FORM, "plan_name": "Mine", "edition": edition[1]})
    assert season.stored(draft).plan_name == "Mine"


def test_an_active_plans_form_has_no_season(season) -> None:
    plan = season.activated()
    page = browser(season.boss).get(f"/plans/{plan.plan_id}/edit/")
    assert 'name="season"' not in page.content.decode()
    assert 'name="end_date" value="2026-03-31"' in page.content.decode()


def test_the_description_is_markdown_and_nothing_else(season) -> None:
    draft = season.draft(description="*All* <script>alert(1)</script>")
    html = browser(season.boss).get(f"/plans/{draft.plan_id}/").content.decode()
    assert "<em>All</em>" in html and "<script>alert" not in html


def test_managers_list_the_plans_of_their_teams_in_three_requests(season, costs) -> None:
    plan, other = season.activated(), season_on(season.stores.store)
    foreign = other.activated(other.draft(plan_name="Foreign"))
    season.draft(plan_name="Later", season="2026-Q2")
    client = browser(season.boss)
    with costs(wcu=0) as cost:
        page = client.get("/plans/")
    assert sum(beyond_sign_in(cost).values()) == 3
    told = text_of(page)
    assert plan.plan_name in told and "Later" in told and "0 of 4" in told
    assert foreign.plan_name not in told
    assert "Later" not in text_of(client.get("/plans/?status=active"))
    assert "Spring" not in text_of(client.get("/plans/?season=2026-Q2"))
    assert "Later" in text_of(client.get(f"/plans/?team={season.team.team_id}"))
    assert client.get(f"/plans/?team={other.team.team_id}").status_code == 404
    assert client.get("/plans/?status=lost").status_code == 404


def test_administrators_list_what_is_under_way_and_the_rest_by_state_season_and_team(season, costs) -> None:
    season.activated()
    season.draft(plan_name="Later", season="2026-Q2")
    client = browser(admin(season.stores.store))
    for query, shown, hidden in (
        ("", "Spring", "Later"),
        ("?status=draft", "Later", "Spring"),
        ("?season=2026-Q2", "Later", "Spring"),
        ("?season=2026-Q1&status=active", "Spring", "Later"),
        (f"?team={season.team.team_id}&status=draft", "Later", "Spring"),
    ):
        with costs(wcu=0) as cost:
            told = text_of(client.get(f"/plans/{query}"))
        assert sum(beyond_sign_in(cost).values()) <= 3, query
        assert shown in told and hidden not in told, query


def test_a_long_list_has_pages(season) -> None:
    for number in range(52):
        season.draft(plan_name=f"Plan {number:02}", season=f"20{30 + number // 4}-Q{number % 4 + 1}")
    client = browser(season.boss)
    first = client.get("/plans/").content.decode()
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None and first.count('<th scope="row">') == 50
    second = client.get("/plans/" + following[1].replace("&amp;", "&")).content.decode()
    assert second.count('<th scope="row">') == 2 and 'rel="prev"' in second


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN, Role.MANAGER}))
def test_for_others_there_are_no_plans(season, role) -> None:
    plan, client = season.activated(), browser(member(season.stores.store, role))
    for address in ("/plans/", "/plans/new/", f"/plans/{plan.plan_id}/", f"/plans/{plan.plan_id}/edit/"):
        assert client.get(address).status_code == 404, address
    assert 'href="/plans/"' not in client.get("/account/").content.decode()


def test_another_manager_is_told_of_no_plan(season) -> None:
    plan, nils = season.activated(), manager(season.stores.store, name="Nils Other")
    client = browser(nils)
    for deed in ("activate", "complete", "archive", "delete", "remind"):
        assert client.post(f"/plans/{plan.plan_id}/{deed}/").status_code == 404, deed
    assert client.get(f"/plans/{plan.plan_id}/").status_code == 404
    assert client.get(f"/plans/new/?team={season.team.team_id}").status_code == 404
    assert season.stored(plan).status is PlanStatus.ACTIVE
    team_of(season.stores.store, nils, name="Theirs")
    assert 'href="/plans/"' in client.get("/account/").content.decode()
