"""The API of plans: the same services as the pages, every answer as the OpenAPI document says."""

import pytest

from apps.accounts.entities import Role
from tests.policy_runs.web import ApiClient, beyond_sign_in, member
from tests.seasons import admin, manager

BODY = {"planName": "Autumn", "season": "2026-q4", "startDate": "2026-10-01", "endDate": "2026-12-31"}


@pytest.fixture
def api(season) -> ApiClient:
    return ApiClient(season.boss, at="/api/plans")


def test_a_plan_lives_its_life_over_the_api(season, api) -> None:
    made = api.post("", {**BODY, "teamId": season.team.team_id})
    assert (made.status, made.body["season"], made.body["status"], made.body["version"]) == (201, "2026-Q4", "draft", 1)
    at = f"/{made.body['planId']}"
    changed = api.send("patch", at, {"version": 1, "planName": "Longer", "endDate": "2027-01-15"})
    assert (changed.body["planName"], changed.body["endDate"], changed.body["version"]) == ("Longer", "2027-01-15", 2)
    assert [one["name"] for one in api.get(at).body["notAsked"]] == ["Timo Member 0", "Timo Member 1"]
    active = api.post(f"{at}/activate", {"version": 2})
    assert (active.body["status"], active.body["assessmentCount"], active.body["isSettled"]) == ("active", 4, True)
    told = api.get(at).body
    assert [one["own"]["status"] for one in told["members"]] == ["not_started"] * 2
    assert told["members"][0]["manager"]["assessorId"] == season.boss.user_id and told["notAsked"] == []
    assert api.send("delete", at).code == "plan_refused"
    assert api.post(f"{at}/archive").status == 409
    assert api.post(f"{at}/complete").body["status"] == "completed"
    assert api.post(f"{at}/archive").body["status"] == "archived"


def test_an_older_version_is_a_conflict(season, api) -> None:
    at = f"/{season.draft().plan_id}"
    assert api.send("patch", at, {"version": 1, "description": "Other"}).status == 200
    refused = api.send("patch", at, {"version": 1, "description": "Mine"})
    assert (refused.status, refused.code) == (409, "stale_version")
    assert api.post(f"{at}/activate", {"version": 1}).code == "stale_version"
    assert api.send("delete", f"{at}?version=1").code == "stale_version"
    assert api.send("delete", f"{at}?version=2").status == 204
    assert api.get(at).status == 404


def test_what_cannot_be_is_told_with_its_field(season, api) -> None:
    given = {**BODY, "teamId": season.team.team_id}
    refused = api.post("", {**given, "season": "soon"})
    assert (refused.status, refused.body["error"]["field"]) == (422, "season")
    assert api.post("", {**given, "endDate": "2026-09-01"}).body["error"]["field"] == "endDate"
    assert api.post("", {**given, "status": "active"}).status == 422
    season.activated()
    other = season.draft(plan_name="Other")
    assert api.post(f"/{other.plan_id}/activate").code == "duplicate"


def test_lists_are_filtered_and_have_pages(season, api, costs) -> None:
    for number in range(51):
        season.draft(plan_name=f"Plan {number:02}", season=f"20{30 + number // 4}-Q{number % 4 + 1}")
    season.activated()
    with costs(wcu=0) as cost:
        page = api.get("").body
    assert sum(beyond_sign_in(cost).values()) == 2
    assert len(page["items"]) == 50
    assert len(api.get("", cursor=page["next"]).body["items"]) == 2
    assert [one["planName"] for one in api.get("", season="2026-q1").body["items"]] == ["Spring"]
    assert [one["planName"] for one in api.get("", status="active").body["items"]] == ["Spring"]
    assert len(api.get("", teamId=season.team.team_id).body["items"]) == 52
    assert api.get("", cursor="nonsense").code == "bad_cursor"
    adas = ApiClient(admin(season.stores.store), at="/api/plans")
    assert [one["planName"] for one in adas.get("").body["items"]] == ["Spring"]


def test_reminding_is_at_most_once_an_hour(season, api) -> None:
    plan = season.activated()
    told = api.post(f"/{plan.plan_id}/remind")
    assert (told.status, told.body) == (202, {"people": 3})
    assert api.post(f"/{plan.plan_id}/remind").code == "plan_refused"


def test_others_are_told_of_no_plan(season) -> None:
    plan = season.activated()
    for user in (manager(season.stores.store, name="Nils Other"), season.members[0]):
        api = ApiClient(user, at="/api/plans")
        assert api.get(f"/{plan.plan_id}").status == 404
        assert api.send("patch", f"/{plan.plan_id}", {"version": plan.edition, "planName": "X"}).status == 404
        for deed in ("activate", "complete", "archive", "remind"):
            assert api.post(f"/{plan.plan_id}/{deed}").status == 404
        assert api.post("", {**BODY, "teamId": season.team.team_id}).status == 404
    assert ApiClient(member(season.stores.store, Role.OPERATOR), at="/api/plans").get("").status == 404
    assert ApiClient(None, at="/api/plans").get("").status == 401
