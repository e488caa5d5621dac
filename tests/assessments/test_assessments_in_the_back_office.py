"""Assessments in the back office: read by administrators only, reopened with a reason."""

from apps.assessments.services.submitting import submit
from tests.assessments.conftest import SELF
from tests.console.test_actions import asked
from tests.policy_runs.web import browser
from tests.seasons import NOW

LIST = "/admin/assessments/assessment/"


def test_an_administrator_finds_assessments_by_plan_reads_them_and_reopens_one(season):
    season.fill(SELF)
    submit(season.stores, assessment_id=season.id(SELF), by=season.timo, actor=season.timo.acting(), now=NOW)
    client = browser(season.ada)
    listed = client.get(LIST, {"plan_id": season.plan.plan_id}).content.decode()
    assert listed.count(season.id(SELF)) >= 1
    assert "Timo Member" in listed
    whole = client.get(f"{LIST}{season.id(SELF)}/change/").content.decode()
    assert "On and up." in whole
    question = client.post(LIST, {"action": "reopen", "row": season.id(SELF)})
    assert "has to submit it again" in question.content.decode()
    refused = client.post(LIST, asked(question) | {"reason": ""})
    assert season.stored(SELF).is_submitted
    client.post(LIST, asked(refused) | {"reason": "The wrong plan."})
    assert not season.stored(SELF).is_submitted
    entry = season.stores.audit.of(f"Assessments#{season.id(SELF)}").items[0]
    assert (entry.action, entry.after["reason"]) == ("assessment.reopened", "The wrong plan.")


def test_nobody_else_finds_any(season):
    for person in (season.mona, season.timo):
        assert browser(person).get(LIST).status_code == 404
