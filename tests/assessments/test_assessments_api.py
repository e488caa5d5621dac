"""The API of assessments, held against its OpenAPI document: whose they are, revisions, and what it answers."""

import json

import pytest

from apps.accounts.entities import Role
from tests.assessments.conftest import MANAGER, SELF
from tests.policy_runs.web import ApiClient, beyond_sign_in, member


def api(user):
    return ApiClient(user, at="/api/assessments")


def answer(competency="Design", category="Craft", **more):
    return {"category": category, "competency": competency, "level": 3, "revision": 0, **more}


def test_one_begins_saves_submits_and_gets_a_report(season, costs):
    client, path = api(season.timo), f"/{season.id(SELF)}"
    begun = client.post(f"{path}/start")
    assert (begun.status, begun.body["status"]) == (200, "in_progress")
    assert client.post(f"{path}/start").body == begun.body
    body = {
        "answers": [answer(evidence="It."), answer("Testing"), answer("Feedback", "People")],
        "conclusion": {"currentLevel": 3, "wayForward": "On.", "revision": 0},
        "resumeAt": "People",
    }
    with costs(requests=5, scans=0) as cost:
        saved = client.send("patch", path, body)
    assert sum(beyond_sign_in(cost).values()) == 3
    assert saved.status == 200
    assert [one["saved"] for one in saved.body["answers"]] == [True] * 3
    assert saved.body["conclusion"]["revision"] == 1
    whole = client.get(path).body
    assert whole["answers"][0] | {"evidence": "It.", "revision": 1, "level": 3} == whole["answers"][0]
    assert client.post(f"{path}/submit", {"version": whole["version"] - 1}).status == 409
    done = client.post(f"{path}/submit", {"version": whole["version"]})
    assert (done.status, done.body["assessment"]["status"], done.body["reportId"]) == (200, "submitted", None)
    assert client.post(f"{path}/submit").body == done.body
    season.fill(MANAGER)
    assert api(season.mona).post(f"/{season.id(MANAGER)}/submit").body["reportId"]


def test_another_revision_is_409_with_what_is_stored_and_the_rest_is_saved(season):
    client, path = api(season.timo), f"/{season.id(SELF)}"
    client.send("patch", path, {"answers": [answer(evidence="first")]})
    found = client.send(
        "patch",
        path,
        {"answers": [answer(evidence="second"), answer("Testing")], "conclusion": {"wayForward": "x"}},
    )
    assert (found.status, found.code) == (409, "answers_changed")
    conflict, other, conclusion = found.body["error"]["details"]
    assert conflict | {"saved": False, "evidence": "first", "revision": 1, "competency": "Design"} == conflict
    assert (other["saved"], other["revision"], conclusion["saved"]) == (True, 1, True)
    assert client.send("patch", path, {"answers": [answer(evidence="second", revision=1)]}).status == 200


def test_what_cannot_be_saved_or_submitted_is_named(season):
    client, path = api(season.timo), f"/{season.id(SELF)}"
    no_number = client.send("patch", path, {"conclusion": {"currentLevel": True}})
    assert (no_number.status, no_number.body["error"]["field"]) == (422, "conclusion.currentLevel")
    found = client.send("patch", path, {"answers": [answer(evidence="x" * 5001), answer("Cooking")]})
    assert (found.status, found.code) == (422, "invalid_answer")
    assert [one["competency"] for one in found.body["error"]["details"]] == ["Design", "Cooking"]
    missing = client.post(f"{path}/submit")
    assert (missing.status, missing.code, len(missing.body["error"]["details"])) == (422, "incomplete", 4)
    season.fill(SELF)
    client.post(f"{path}/submit")
    locked = client.send("patch", path, {"answers": [answer(revision=1, level=5)]})
    assert (locked.status, locked.code) == (409, "assessment_locked")


def test_the_list_has_ones_own_by_state_without_answers(season, store, costs):
    season.fill(SELF)
    client = api(season.timo)
    with costs(requests=4, scans=0):
        listed = client.get("")
    (own,) = listed.body["items"]
    assert (own["assessmentId"], own["answeredCount"], own["status"]) == (season.id(SELF), 3, "in_progress")
    assert "answers" not in own
    assert client.get("", status="submitted").body["items"] == []
    assert len(api(season.mona).get("").body["items"]) == 2
    assert api(season.mona).get("", status="none").status == 422
    season.stores.teams.save(season.team.evolve(manager_id=member(store, Role.MANAGER).user_id))
    assert api(season.mona).get("").body["items"] == []


def test_it_is_as_hidden_as_its_page(season, store):
    season.fill(SELF)
    for person in (season.tina, member(store, Role.MANAGER), member(store, Role.SUPPORT), member(store, Role.VIEWER)):
        for kind in (SELF, MANAGER):
            path = f"/{season.id(kind)}"
            assert api(person).get(path).status == 404
            assert api(person).send("patch", path, {"answers": [answer(revision=1)]}).status == 404
            for deed in ("start", "submit"):
                assert api(person).post(f"{path}/{deed}").status == 404
            assert api(person).post(f"{path}/reopen", {"reason": "x"}).status == 404
    theirs = f"/{season.id(MANAGER)}"
    assert api(season.timo).get(theirs).status == 404
    assert api(season.timo).send("patch", theirs, {"answers": [answer()]}).status == 404
    for person in (season.mona, season.ada):
        assert api(person).get(f"/{season.id(SELF)}").status == 200
        assert api(person).send("patch", f"/{season.id(SELF)}", {"answers": [answer()]}).status == 403
    assert api(None).get(theirs).status == 401
    assert api(season.timo).get("/none").status == 404


def test_an_administrator_reopens(season):
    season.fill(SELF)
    path = f"/{season.id(SELF)}"
    assert api(season.ada).post(f"{path}/reopen", {"reason": "x"}).code == "not_reopened"
    api(season.timo).post(f"{path}/submit")
    assert api(season.mona).post(f"{path}/reopen", {"reason": "x"}).status == 403
    assert api(season.ada).post(f"{path}/reopen", {"reason": ""}).status == 422
    assert api(season.ada).post(f"{path}/reopen", {"reason": "A slip."}).body["status"] == "in_progress"


@pytest.mark.parametrize("method", ["patch", "post"])
def test_a_change_by_cookie_needs_the_token(season, method):
    path = f"/{season.id(SELF)}" + ("/start" if method == "post" else "")
    assert api(season.timo).send(method, path, {"answers": []}, token=None).status == 403


@pytest.mark.parametrize("text", ["a\\u0000b", " \\r\\n\\ud83d\\ude00\\u2028 "])
def test_any_text_is_stored_as_it_was_sent(season, text):
    body = f'{{"answers": [{{"category": "Craft", "competency": "Design", "evidence": "{text}"}}]}}'.encode()
    found = api(season.timo).send("patch", f"/{season.id(SELF)}", body)
    assert found.status == 200
    assert season.stored(SELF).answer(("Craft", "Design")).evidence == json.loads(f'"{text}"')


def test_half_a_character_is_no_text_and_refused(season):
    half = rb'{"answers": [{"category": "Craft", "competency": "Design", "evidence": "\ud800"}]}'
    answer = api(season.timo).send("patch", f"/{season.id(SELF)}", half)
    assert (answer.status, answer.code) == (400, "bad_request")
