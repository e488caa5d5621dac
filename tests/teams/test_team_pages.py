"""Teams in the browser: whom each page is for, what it shows, what it costs, and what is done on it."""

import re

import pytest

from apps.accounts.entities import Role
from apps.accounts.repository import Users
from apps.assessments.entities import AssessmentType
from apps.assessments.ids import assessment_id
from apps.assessments.repository import Assessments
from apps.storage.metering import metering
from apps.teams.entities import MOST_MEMBERS, Team
from apps.teams.repository import Teams
from tests.policy_runs.conftest import person
from tests.policy_runs.web import beyond_sign_in, browser, member
from tests.seasons import active_ladder, admin, manager, plan_of, team_member, team_of

TEAM_LINK = re.compile(r'<a href="/teams/[^/"]+/">([^<]+)</a>')
PERSON_ROW = re.compile(r'<th scope="row">(?:<a[^>]*>)?([^<]+)')


def get(user, path):
    return browser(user).get(path)


def html(user, path):
    answer = get(user, path)
    assert answer.status_code == 200
    return answer.content.decode()


def stored(store, team):
    return Teams(store).get(team.team_id, consistent=True)


@pytest.fixture
def mona(store):
    return manager(store)


@pytest.fixture
def timo(store):
    return team_member(store)


@pytest.fixture
def team(store, mona, timo):
    return team_of(store, mona, timo)


def test_an_administrator_sees_all_teams_by_name_and_finds_them_by_its_beginning(store, mona):
    ada = admin(store)
    for name in ("yard", "Harbour", "Harvest"):
        team_of(store, mona, name=name)
    assert TEAM_LINK.findall(html(ada, "/teams/")) == ["Harbour", "Harvest", "yard"]
    found = html(ada, "/teams/?q=HAR")
    assert TEAM_LINK.findall(found) == ["Harbour", "Harvest"]
    assert 'value="HAR"' in found
    assert "begins with “zzz”" in html(ada, "/teams/?q=zzz")


def test_all_teams_come_page_by_page(store, mona):
    ada = admin(store)
    for number in range(60):
        Teams(store).add(Team(team_id=f"t{number}", team_name=f"Team {number:02}", manager_id=mona.user_id))
    first = html(ada, "/teams/")
    assert len(TEAM_LINK.findall(first)) == 50
    following = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
    second = html(ada, f"/teams/{following}")
    assert TEAM_LINK.findall(second) == [f"Team {number:02}" for number in range(50, 60)]
    previous = re.search(r'rel="prev" href="([^"]+)"', second)[1].replace("&amp;", "&")
    assert TEAM_LINK.findall(html(ada, f"/teams/{previous}")) == TEAM_LINK.findall(first)
    assert get(ada, "/teams/?cursor=nonsense").status_code == 422


def test_the_first_team_is_offered_where_there_is_none(store):
    assert "Make the first team" in html(admin(store), "/teams/")
    assert "You lead no team yet" in html(manager(store), "/teams/")
    assert "You are in no team yet" in html(team_member(store), "/teams/")


def test_others_see_the_teams_they_lead_and_those_they_are_in(store, mona, timo, team):
    both = member(store, Role.MANAGER, Role.TEAM_MEMBER, name="Bo Both")
    team_of(store, both, timo, name="Led by Bo")
    team_of(store, mona, both, name="With Bo")
    assert TEAM_LINK.findall(html(mona, "/teams/")) == ["Harbour", "With Bo"]
    assert TEAM_LINK.findall(html(both, "/teams/")) == ["Led by Bo", "With Bo"]
    timos = html(timo, "/teams/")
    assert TEAM_LINK.findall(timos) == ["Harbour", "Led by Bo"]
    assert "Bo Both" in timos, "a member is told who leads"


def test_a_manager_without_the_role_leads_nothing_any_more(store, mona, team):
    lost = Users(store).save(Users(store).get(mona.user_id).evolve(roles={Role.TEAM_MEMBER}))
    assert TEAM_LINK.findall(html(lost, "/teams/")) == []
    assert get(lost, f"/teams/{team.team_id}/").status_code == 404


def test_an_administrator_who_leads_a_team_has_it_apart(store):
    ada = member(store, Role.ADMIN, Role.MANAGER, name="Ada Admin")
    team_of(store, ada, name="Ada's")
    team_of(store, manager(store), name="Another")
    assert TEAM_LINK.findall(html(ada, "/teams/")) == ["Ada&#x27;s", "Another"]
    assert TEAM_LINK.findall(html(ada, "/teams/?of=mine")) == ["Ada&#x27;s"]
    assert "?of=mine" not in html(admin(store), "/teams/")


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN, Role.MANAGER, Role.TEAM_MEMBER}))
def test_who_can_have_no_team_finds_no_such_page(store, role):
    assert get(member(store, role), "/teams/").status_code == 404


def test_a_list_costs_three_requests_at_most(store):
    ada, mona = admin(store), manager(store)
    both = member(store, Role.MANAGER, Role.TEAM_MEMBER, name="Bo Both")
    timo = team_member(store)
    for number in range(12):
        team_of(store, mona, both, timo, name=f"With {number}")
        team_of(store, both, timo, name=f"Led {number}")
    for user, most in ((ada, 2), (mona, 1), (timo, 3), (both, 3)):
        client = browser(user)
        with metering() as cost:
            assert client.get("/teams/").status_code == 200
        assert sum(beyond_sign_in(cost).values()) <= most, (user.name, cost.requests)
        assert cost.scans == 0


def test_a_team_has_its_members_by_name_and_their_addresses_for_who_may_edit(store, mona, timo):
    bea = team_member(store, "bea Member")
    team = team_of(store, mona, timo, bea)
    page = html(mona, f"/teams/{team.team_id}/")
    assert [name.strip() for name in PERSON_ROW.findall(page)] == ["bea Member", "Timo Member"]
    assert bea.email in page
    assert "Led by Mona Manager" in page
    members = html(timo, f"/teams/{team.team_id}/")
    assert [name.strip() for name in PERSON_ROW.findall(members)] == ["bea Member", "Timo Member"]
    assert bea.email not in members
    for word in ("Add members", "Remove chosen", ">Edit<", "Deactivate"):
        assert word not in members, word


def test_a_description_is_markdown_without_harm(store, mona):
    team = Teams(store).save(
        team_of(store, mona).evolve(description="*Boats* <script>alert(1)</script> [x](javascript:alert(1))")
    )
    page = html(mona, f"/teams/{team.team_id}/")
    assert "<em>Boats</em>" in page
    assert "<script>alert" not in page
    assert 'href="javascript' not in page


def test_the_largest_team_costs_three_requests_at_most(store, mona, costs):
    people = [Users(store).add(person(Role.TEAM_MEMBER, name=f"P {number}")) for number in range(MOST_MEMBERS)]
    team = team_of(store, mona, *people)
    for user in (mona, people[0], admin(store)):
        client = browser(user)
        with costs(requests=5, scans=0, writes=0) as cost:
            assert client.get(f"/teams/{team.team_id}/").status_code == 200
        assert sum(beyond_sign_in(cost).values()) <= 3


def test_a_team_exists_only_for_who_has_to_do_with_it(store, team):
    others = (manager(store, "Max Manager"), team_member(store, "Stan Stranger"), member(store, Role.SUPPORT))
    for user in others:
        for path in ("", "edit/", "people/"):
            assert get(user, f"/teams/{team.team_id}/{path}").status_code == 404
        for path in ("edit/", "add/", "remove/", "deactivate/", "reactivate/"):
            assert browser(user).post(f"/teams/{team.team_id}/{path}").status_code == 404
    assert stored(store, team) == team


def test_a_member_may_look_and_not_touch(store, timo, team):
    client = browser(timo)
    for path in ("edit/", "add/", "remove/", "deactivate/", "reactivate/"):
        assert client.post(f"/teams/{team.team_id}/{path}", {"user_id": timo.user_id}).status_code == 403
    assert client.get(f"/teams/{team.team_id}/people/?q=t").status_code == 403
    assert stored(store, team) == team


def test_people_are_found_as_one_types_and_those_chosen_stay(store, mona, timo, team):
    bea, bert = team_member(store, "Bea Member"), team_member(store, "Bert Member")
    member(store, Role.OPERATOR, name="Bernd Operator")
    Users(store).save(team_member(store, "Berta Gone").evolve(is_active=False))
    client = browser(mona)
    found = client.get(f"/teams/{team.team_id}/people/?q=BE").content.decode()
    assert re.findall(r"<strong>([^<]+)</strong>", found) == ["Bea Member", "Bert Member"]
    assert bert.email in found
    kept = client.get(f"/teams/{team.team_id}/people/?q=timo&user_id={bea.user_id}").content.decode()
    assert re.findall(r"<strong>([^<]+)</strong>", kept) == ["Bea Member", "Timo Member"]
    assert f'value="{bea.user_id}" checked' in kept
    assert "in this team" in kept
    assert f'value="{timo.user_id}"' not in kept, "who is in it already cannot be added again"
    hidden = admin(store, "Ada Admin")
    others = client.get(f"/teams/{team.team_id}/people/?user_id={hidden.user_id}").content.decode()
    assert hidden.name not in others and hidden.email not in others, "whom the search would not find"
    assert "begins with “zz”" in client.get(f"/teams/{team.team_id}/people/?q=zz").content.decode()


def test_without_a_script_the_same_form_searches_and_adds(store, mona, team):
    bea, carl = team_member(store, "Bea Member"), team_member(store, "Carl Member")
    client = browser(mona)
    address = f"/teams/{team.team_id}/add/"
    searched = client.post(address, {"q": "carl", "user_id": bea.user_id, "search": "1"})
    assert searched.status_code == 200
    assert f'value="{bea.user_id}" checked' in searched.content.decode()
    assert f'value="{carl.user_id}"' in searched.content.decode()
    assert stored(store, team) == team
    added = client.post(address, {"q": "carl", "user_id": [bea.user_id, carl.user_id]}, follow=True)
    assert "2 people are added to the team." in added.content.decode()
    assert {bea.user_id, carl.user_id} <= stored(store, team).member_ids


def test_what_is_refused_is_told_and_what_was_chosen_stays(store, mona, team):
    bea, olga = team_member(store, "Bea Member"), member(store, Role.OPERATOR)
    client = browser(mona)
    refused = client.post(f"/teams/{team.team_id}/add/", {"q": "bea", "user_id": [bea.user_id, olga.user_id]})
    assert refused.status_code == 422
    page = refused.content.decode()
    assert "Olga Operator does not have the role team member" in page
    assert f'value="{bea.user_id}" checked' in page
    nobody = client.post(f"/teams/{team.team_id}/add/", {"q": "bea"})
    assert nobody.status_code == 422
    assert "Choose who is to be added" in nobody.content.decode()
    assert stored(store, team) == team


def test_removing_asks_first_and_says_who_goes(store, mona, timo, team):
    client = browser(mona)
    address = f"/teams/{team.team_id}/remove/"
    asked = client.post(address, {"user_id": timo.user_id})
    assert asked.status_code == 200
    assert "Timo Member" in asked.content.decode()
    assert stored(store, team) == team
    done = client.post(address, {"user_id": timo.user_id, "confirmed": "1"}, follow=True)
    assert "One person has left the team." in done.content.decode()
    assert stored(store, team).member_ids == frozenset()
    nobody = client.post(address, {"user_id": "somebody else", "confirmed": "1"}, follow=True)
    assert "tick who is to leave" in nobody.content.decode()


def test_an_administrator_makes_a_team_and_finds_its_manager_by_name(store, mona):
    client = browser(admin(store))
    suggested = client.get("/teams/managers/?manager_email=mon").content.decode()
    assert suggested.strip() == f'<option value="{mona.email}">Mona Manager</option>'
    assert client.get("/teams/managers/").content.decode().strip() == ""
    made = client.post(
        "/teams/new/", {"team_name": "Yard", "manager_email": mona.email.upper(), "description": "One\r\ntwo"}
    )
    (team,) = Teams(store).listed().items
    assert made.url == f"/teams/{team.team_id}/"
    assert (team.team_name, team.manager_id, team.description) == ("Yard", mona.user_id, "One\ntwo")


def test_a_refused_team_keeps_what_was_typed_and_says_why_beside_the_field(store, mona, timo, team):
    client = browser(admin(store))
    typed = {"team_name": "harbour", "manager_email": mona.email, "description": "Kept."}
    for changes, field, sentence in (
        ({}, "team_name", "This manager has a team of this name already."),
        ({"team_name": ""}, "team_name", "Enter a name."),
        ({"manager_email": "nobody@example.org"}, "manager_email", "Nobody here has this e-mail address."),
        ({"manager_email": timo.email}, "manager_email", "Timo Member does not have the role manager."),
    ):
        refused = client.post("/teams/new/", {**typed, **changes})
        assert refused.status_code == 422
        page = refused.content.decode()
        assert f'<a href="#id_{field}">{sentence}' in page
        assert "Kept." in page
    assert len(Teams(store).listed().items) == 1


def test_the_manager_edits_name_and_description_but_not_who_leads(store, mona, team):
    client = browser(mona)
    assert "manager_email" not in client.get(f"/teams/{team.team_id}/edit/").content.decode()
    other = manager(store, "Max Manager")
    typed = {"team_name": "Yard", "description": "", "version": team.version, "manager_email": other.email}
    assert client.post(f"/teams/{team.team_id}/edit/", typed).url == f"/teams/{team.team_id}/"
    assert (stored(store, team).team_name, stored(store, team).manager_id) == ("Yard", mona.user_id)


def test_an_administrator_gives_a_team_to_another_manager_on_the_same_form(store, team):
    other, client = manager(store, "Max Manager"), browser(admin(store))
    page = client.get(f"/teams/{team.team_id}/edit/").content.decode()
    assert "manager_email" in page
    typed = {"team_name": team.team_name, "version": team.version, "manager_email": other.email}
    client.post(f"/teams/{team.team_id}/edit/", typed)
    assert stored(store, team).manager_id == other.user_id
    assert stored(store, team).unsettled is None, "plans under way have followed already"


def test_whoever_saves_over_somebody_elses_change_is_told_first(store, mona, team):
    client = browser(mona)
    Teams(store).save(team.evolve(team_name="Faster"))
    typed = {"team_name": "Slower", "description": "", "version": team.version}
    told = client.post(f"/teams/{team.team_id}/edit/", typed)
    assert told.status_code == 409
    page = told.content.decode()
    assert "Somebody changed this team in the meantime" in page
    assert "Faster" in page
    assert 'value="Slower"' in page
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    client.post(f"/teams/{team.team_id}/edit/", {**typed, "version": version})
    assert stored(store, team).team_name == "Slower"


def test_a_team_is_put_away_and_taken_out_again(store, mona, team):
    client = browser(admin(store))
    away = client.post(f"/teams/{team.team_id}/deactivate/", follow=True).content.decode()
    assert "Harbour is deactivated." in away
    assert "Add members" not in away
    assert not stored(store, team).is_active
    Users(store).save(mona.evolve(is_active=False))
    refused = client.post(f"/teams/{team.team_id}/reactivate/", follow=True).content.decode()
    assert "Mona Manager is deactivated" in refused
    Users(store).save(Users(store).get(mona.user_id).evolve(is_active=True))
    assert "active again" in client.post(f"/teams/{team.team_id}/reactivate/", follow=True).content.decode()
    assert stored(store, team).is_active


def test_the_side_bar_has_teams_for_who_may_have_some(store):
    for role in Role:
        side = html(member(store, role), "/account/")
        assert ('href="/teams/"' in side) is (role in {Role.ADMIN, Role.MANAGER, Role.TEAM_MEMBER}), role


def test_more_people_than_a_team_holds_are_refused_at_once(store, mona, team):
    too_many = [f"u-{number}" for number in range(151)]
    refused = browser(mona).post(f"/teams/{team.team_id}/add/", {"user_id": too_many})
    assert refused.status_code == 422
    assert "at most 150 people at once" in refused.content.decode()


def test_plans_under_way_follow_whoever_is_added_within_the_request(store, mona, team):
    plan = plan_of(store, team, active_ladder(store))
    team = Teams(store).save(stored(store, team).evolve(active_plan_ids={plan.plan_id}))
    bea = team_member(store, "Bea Member")
    browser(mona).post(f"/teams/{team.team_id}/add/", {"user_id": bea.user_id})
    ids = [assessment_id(plan.plan_id, bea.user_id, kind) for kind in AssessmentType]
    made = Assessments(store).get_many(ids, consistent=True)
    assert [one.assessor_id for one in made] == [bea.user_id, mona.user_id]
    assert stored(store, team).unsettled is None


def test_the_team_leads_to_its_plans_and_to_reports_for_who_may_see_them(store, mona, timo, team):
    page = html(mona, f"/teams/{team.team_id}/")
    assert f'href="/plans/?team={team.team_id}"' in page
    assert f'href="/reports/member/{timo.user_id}/"' in page
    bea = team_member(store, "Bea Member")
    browser(mona).post(f"/teams/{team.team_id}/add/", {"user_id": bea.user_id})
    members = html(timo, f"/teams/{team.team_id}/")
    assert "/plans/?team" not in members
    assert f"/reports/member/{timo.user_id}/" in members
    assert f"/reports/member/{bea.user_id}/" not in members
