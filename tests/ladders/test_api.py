"""The API of the career ladder."""

import pytest

from apps.accounts.entities import Role
from apps.ladders.repository import LadderVersions
from tests.ladders.test_pages import LARGER
from tests.ladders.test_versions import SMALL, activated, uploaded
from tests.policy_runs.web import ApiClient, beyond_sign_in, member
from tests.seasons import admin, team_member


@pytest.fixture
def ada(store):
    return admin(store)


@pytest.fixture
def adas(ada):
    return ApiClient(ada, at="/api/ladders")


@pytest.fixture
def timos(store):
    return ApiClient(team_member(store), at="/api/ladders")


def test_a_version_is_uploaded_and_got(store, ada, adas, timos):
    made = adas.post("", {"content": SMALL, "ladderVersion": "1.0.0", "note": "First."})

    assert made.status == 201
    assert made.body["ladderVersion"] == "1.0.0"
    assert made.body["isActive"] is False
    assert made.body["createdBy"] == ada.user_id
    assert made.body["categories"][0]["competencies"][0]["levels"][0] == {
        "number": 1,
        "expectation": "Does small things.",
        "explanation": "Asks first.",
    }
    assert timos.get(f"/{made.body['configId']}").body == made.body


def test_a_malformed_ladder_is_refused_with_every_line(store, adas):
    answer = adas.post("", {"content": "# A\n## B\n1. x\n1. y\n### C\n", "ladderVersion": "1.0.0"})

    assert (answer.status, answer.code) == (422, "invalid_ladder")
    assert answer.body["error"]["field"] == "content"
    assert [found["line"] for found in answer.body["error"]["details"]] == [4, 5]
    assert not LadderVersions(store).listed().items


def test_a_number_that_is_taken_or_too_low_is_refused(store, ada, adas):
    uploaded(store, ada, "2.0.0")
    activated(store, ada, uploaded(store, ada, "1.0.0"))

    taken = adas.post("", {"content": SMALL, "ladderVersion": "2.0.0"})
    lower = adas.post("", {"content": SMALL, "ladderVersion": "0.9.0"})
    none = adas.post("", {"content": SMALL, "ladderVersion": "next"})

    assert (taken.status, taken.code) == (409, "duplicate")
    assert (lower.status, lower.body["error"]["field"]) == (422, "ladderVersion")
    assert none.status == 422


def test_versions_are_listed_without_what_they_say_in_one_request(store, ada, timos, costs):
    for number in range(26):
        uploaded(store, ada, f"1.{number}.0")

    with costs(requests=3) as cost:
        first = timos.get("")
    second = timos.get("", cursor=first.body["next"])

    assert beyond_sign_in(cost) == {("query", "ConfigVersions"): 1}
    assert len(first.body["items"]) == 25
    assert len(second.body["items"]) == 1
    assert "content" not in first.body["items"][0]
    assert timos.get("", cursor="x").status == 422


def test_the_active_one_is_got_or_not_there_yet(store, ada, timos):
    assert timos.get("/active").status == 404

    activated(store, ada, uploaded(store, ada, "1.0.0"))

    found = timos.get("/active")
    assert (found.body["ladderVersion"], found.body["isActive"]) == ("1.0.0", True)


def test_a_version_is_activated_where_what_it_replaces_is_still_active(store, ada, adas):
    first, second = uploaded(store, ada, "1.0.0"), uploaded(store, ada, "1.1.0")

    assert adas.post(f"/{first.config_id}/activate", {"replaces": ""}).body["isActive"] is True
    assert adas.post(f"/{first.config_id}/activate", {}).status == 200
    late = adas.post(f"/{second.config_id}/activate", {"replaces": ""})

    assert (late.status, late.code) == (409, "other_ladder_activated")
    assert adas.post(f"/{second.config_id}/activate", {}).body["ladderVersion"] == "1.1.0"
    assert adas.get("/active").body["configId"] == second.config_id


def test_versions_are_compared_with_the_active_one_or_with_any(store, ada, timos):
    first, second = uploaded(store, ada, "1.0.0"), uploaded(store, ada, "1.1.0", content=LARGER)

    assert timos.get(f"/{second.config_id}/comparison").status == 404
    named = timos.get(f"/{second.config_id}/comparison", before=first.config_id).body
    activated(store, ada, first)
    found = timos.get(f"/{second.config_id}/comparison").body
    same = timos.get(f"/{first.config_id}/comparison").body

    assert {**found, "before": None} == {**named, "before": None}
    assert (found["before"]["ladderVersion"], found["after"]["ladderVersion"]) == ("1.0.0", "1.1.0")
    assert found["added"] == [{"category": "Craft", "competency": "Testing"}]
    (change,) = found["changed"]
    assert change["levels"][0]["number"] == 2
    assert change["levels"][0]["after"]["expectation"] == "Does larger ones *well*."
    assert (found["isSame"], same["isSame"]) == (False, True)


@pytest.mark.parametrize("path", ["/nothing", "/nothing/comparison", f"/{'x' * 3000}"])
def test_what_is_not_there_is_not_found(timos, path):
    answer = timos.get(path)

    assert (answer.status, answer.code) == (404, "ladder_not_found")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_only_administrators_change_it(store, ada, role):
    version = uploaded(store, ada)
    client = ApiClient(member(store, role), at="/api/ladders")

    assert client.post("", {"content": SMALL, "ladderVersion": "2.0.0"}).status == 403
    assert client.post(f"/{version.config_id}/activate", {}).status == 403
    assert client.get(f"/{version.config_id}").status == 200
    assert LadderVersions(store).active() is None


def test_nobody_sees_it_without_signing_in(store, ada):
    version = uploaded(store, ada)

    assert ApiClient(None, at="/api/ladders").get(f"/{version.config_id}").status == 401
