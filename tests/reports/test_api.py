"""The API of reports."""

import pytest

from tests.policy_runs.web import ApiClient, browser
from tests.seasons import plan_of, team_member


def api(user):
    return ApiClient(user, at="/api/reports")


def test_a_report_is_read_with_all_that_its_page_says(harbour):
    body = api(harbour.timo).get(f"/{harbour.report.report_id}").body
    assert (body["memberName"], body["finalLevel"], body["ladderVersion"]) == ("Timo Member", 3, "1.0.0")
    assert [one["competency"] for one in body["competencies"]] == ["Design", "Testing", "Feedback"]
    assert body["competencies"][0]["standsOut"] and body["competencies"][0]["managerEvidence"] == "Shows **3**."


def test_reports_are_listed_by_plan_and_by_person(harbour):
    page = api(harbour.mona).get(f"/by-plan/{harbour.plan.plan_id}").body
    assert {one["memberId"] for one in page["items"]} == {harbour.timo.user_id, harbour.tim.user_id}
    (mine,) = api(harbour.timo).get(f"/by-member/{harbour.timo.user_id}").body["items"]
    assert mine["reportId"] == harbour.report.report_id
    assert api(harbour.timo).get(f"/by-plan/{harbour.plan.plan_id}").status == 404
    assert api(harbour.tim).get(f"/by-member/{harbour.timo.user_id}").status == 404


def test_asking_for_a_report_twice_gives_the_one_that_is_there(harbour):
    body = {"planId": harbour.plan.plan_id, "memberId": harbour.timo.user_id}
    assert api(harbour.mona).post("/generate", body).body["reportId"] == harbour.report.report_id
    assert api(harbour.tim).post("/generate", body).status == 404


def test_there_is_no_report_before_both_have_submitted(harbour, store):
    newcomer = team_member(store, name="Nora New")
    team = harbour.stores.teams.save(harbour.team.evolve(member_ids=harbour.team.member_ids | {newcomer.user_id}))
    plan = plan_of(store, team, harbour.ladder, season="2026-Q2")
    answer = api(harbour.mona).post("/generate", {"planId": plan.plan_id, "memberId": newcomer.user_id})
    assert (answer.status, answer.code) == (409, "report_not_ready")


def test_notes_are_written_over_the_version_that_was_read(harbour):
    client, path = api(harbour.mona), f"/{harbour.report.report_id}/notes"
    body = {"discussedOn": "2026-03-10", "discussionNotes": "Met.", "nextSteps": "Go on.", "revision": 0}
    assert client.send("put", path, body).body == {**body, "revision": 1}
    stale = client.send("put", path, {**body, "nextSteps": "Other."})
    assert (stale.status, stale.code) == (409, "notes_changed")
    assert client.send("put", path, {**body, "revision": 0}).status == 200, "the same again is no conflict"
    assert api(harbour.timo).send("put", path, body).status == 403
    assert client.send("put", path, {**body, "revision": 1, "discussedOn": "2999-01-01"}).status == 422


def test_the_organisation_is_for_administrators(harbour):
    body = api(harbour.ada).get("/organisation").body
    assert body["season"] == "2026-Q1" and body["plans"][0]["percentSubmitted"] == 100
    assert {"category": "Craft", "level": 3, "number": 2} in body["levels"]
    assert api(harbour.mona).get("/organisation").status == 404
    assert api(harbour.ada).get("/organisation", season="1999-Q1").status == 404


KINDS = {"pdf": "application/pdf", "csv": "text/csv", "json": "application/json"}


@pytest.mark.parametrize("form", [pytest.param("pdf", marks=pytest.mark.needs_pango), "csv", "json"])
def test_a_report_is_exported(harbour, form):
    path = f"/api/reports/{harbour.report.report_id}/export?form={form}"
    answer = browser(harbour.mona).get(path)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith(KINDS[form])
    assert browser(harbour.timo).get(path).status_code == 403
    assert browser(harbour.mona).get(path.replace(form, "docx")).status_code == 422


def test_what_is_no_id_is_not_found(harbour):
    for path in ("/no-such-report", "/by-plan/none", "/by-member/none"):
        assert api(harbour.ada).get(path).status == 404
