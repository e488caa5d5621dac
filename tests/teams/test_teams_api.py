"""Teams over the API; every answer is held against the OpenAPI document by the client."""

import pytest

from apps.accounts.entities import Role
from apps.storage.metering import metering
from apps.teams.entities import Team
from apps.teams.repository import Teams
from tests.policy_runs.web import ApiClient, beyond_sign_in, member
from tests.seasons import admin, manager, team_member, team_of


def api(user):
    return ApiClient(user, at="/api/teams")


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


def names(answer):
    assert answer.status == 200
    return [item["teamName"] for item in answer.body["items"]]


def test_everybody_lists_the_teams_they_may_see(store, mona, timo, team):
    team_of(store, manager(store, "Max Manager"), name="Yard")
    ada = api(admin(store))
    assert names(ada.get("")) == ["Harbour", "Yard"]
    assert names(ada.get("", prefix="ya")) == ["Yard"]
    assert names(ada.get("", mine=True)) == []
    for user in (mona, timo):
        assert names(api(user).get("")) == ["Harbour"]
        assert names(api(user).get("", prefix="ya")) == []
    assert api(member(store, Role.VIEWER)).get("").status == 404
    assert api(None).get("").status == 401


def test_all_teams_come_by_cursor(store, mona):
    for number in range(60):
        Teams(store).add(Team(team_id=f"t{number}", team_name=f"Team {number:02}", manager_id=mona.user_id))
    ada = api(admin(store))
    first = ada.get("")
    second = ada.get("", cursor=first.body["next"])
    assert names(first) + names(second) == [f"Team {number:02}" for number in range(60)]
    assert (second.body["next"], ada.get("", cursor="x").status) == (None, 422)


def test_a_team_is_made_read_changed_and_put_away(store, mona):
    ada = api(admin(store))
    made = ada.post("", {"teamName": " Yard ", "managerId": mona.user_id, "description": "Ships."})
    assert made.status == 201
    address = f"/{made.body['teamId']}"
    assert made.body | {"teamName": "Yard", "memberIds": [], "version": 1} == made.body
    assert ada.get(address).body == made.body
    assert ada.post("", {"teamName": "yard", "managerId": mona.user_id}).code == "duplicate"
    changed = api(mona).send("patch", address, {"version": 1, "description": "Boats."})
    assert (changed.status, changed.body["description"], changed.body["teamName"]) == (200, "Boats.", "Yard")
    assert ada.send("delete", address).status == 204
    assert ada.get(address).body["isActive"] is False
    version = ada.get(address).body["version"]
    assert ada.send("patch", address, {"version": version, "isActive": True}).body["isActive"] is True


def test_a_change_of_another_version_is_a_conflict(mona, team):
    client = api(mona)
    assert client.send("patch", f"/{team.team_id}", {"version": 1, "teamName": "Yard"}).status == 200
    late = client.send("patch", f"/{team.team_id}", {"version": 1, "teamName": "Late"})
    assert (late.status, late.code) == (409, "stale_version")


def test_the_manager_neither_gives_the_team_away_nor_puts_it_away(store, mona, team):
    other, client = manager(store, "Max Manager"), api(mona)
    for changes in ({"managerId": other.user_id}, {"isActive": False}):
        assert client.send("patch", f"/{team.team_id}", {"version": 1, **changes}).status == 403
    assert client.send("delete", f"/{team.team_id}").status == 403
    assert client.post("", {"teamName": "X", "managerId": mona.user_id}).status == 404
    assert stored(store, team) == team
    given = api(admin(store)).send("patch", f"/{team.team_id}", {"version": 1, "managerId": other.user_id})
    assert given.body["managerId"] == other.user_id


def test_members_are_listed_added_and_removed(store, mona, timo, team):
    bea = team_member(store, "Bea Member")
    client, address = api(mona), f"/{team.team_id}/members"
    added = client.post(address, {"userIds": [bea.user_id, timo.user_id]})
    assert added.body["memberIds"] == sorted([bea.user_id, timo.user_id])
    assert added.body["version"] == client.get(f"/{team.team_id}").body["version"]
    listed = client.get(address).body["items"]
    assert [(one["name"], one["email"]) for one in listed] == [("Bea Member", bea.email), ("Timo Member", timo.email)]
    assert [one["email"] for one in api(timo).get(address).body["items"]] == [None, None]
    for _ in range(2):
        assert client.send("delete", f"{address}/{bea.user_id}").status == 204
    assert stored(store, team).member_ids == {timo.user_id}


def test_who_cannot_be_added_is_named_one_by_one(store, mona, team):
    olga, bea = member(store, Role.OPERATOR), team_member(store, "Bea Member")
    refused = api(mona).post(f"/{team.team_id}/members", {"userIds": [bea.user_id, olga.user_id, "nobody"]})
    assert (refused.status, refused.code) == (422, "invalid_team")
    assert [detail["value"] for detail in refused.body["error"]["details"]] == [olga.user_id, "nobody"]
    assert stored(store, team) == team


def test_what_one_may_not_see_is_not_there(store, team):
    others = (manager(store, "Max Manager"), team_member(store, "Stan Stranger"), member(store, Role.SUPPORT))
    for user in others:
        client = api(user)
        for path in ("", "/members"):
            assert client.get(f"/{team.team_id}{path}").status == 404
        assert client.send("patch", f"/{team.team_id}", {"version": 1, "teamName": "Mine"}).status == 404
        assert client.send("delete", f"/{team.team_id}").status == 404
        assert client.post(f"/{team.team_id}/members", {"userIds": [user.user_id]}).status == 404
        assert client.send("delete", f"/{team.team_id}/members/{user.user_id}").status == 404
    assert stored(store, team) == team


def test_a_member_reads_and_does_not_change(store, timo, team):
    client = api(timo)
    assert client.get(f"/{team.team_id}").body["memberIds"] == [timo.user_id]
    assert client.send("patch", f"/{team.team_id}", {"version": 1, "teamName": "Mine"}).status == 403
    assert client.send("delete", f"/{team.team_id}/members/{timo.user_id}").status == 403
    assert stored(store, team) == team


@pytest.mark.parametrize(
    "body",
    [{}, {"teamName": "", "managerId": "m"}, {"teamName": "x" * 101, "managerId": "m"}, {"team_name": "x", "more": 1}],
    ids=["nothing", "no name", "long name", "unknown"],
)
def test_a_malformed_team_answers_422(store, body):
    assert api(admin(store)).post("", body).status == 422


def test_reading_costs_what_it_shows(store, mona, timo, team):
    for user, path, most in ((mona, "", 1), (timo, "", 3), (mona, f"/{team.team_id}", 1), (mona, "/x/members", 1)):
        client = api(user)
        with metering() as cost:
            client.get(path)
        assert sum(beyond_sign_in(cost).values()) <= most, (path, cost.requests)
