"""Plans in the back office: through the same services as the pages."""

import re

import pytest

from apps.assessments.entities import PlanStatus
from tests.policy_runs.web import browser
from tests.seasons import admin

LIST = "/admin/assessments/plan/"


@pytest.fixture
def adas(season):
    return browser(admin(season.stores.store))


def form_of(page):
    html = page.content.decode()
    names = ("plan_name", "season", "start_date", "end_date")
    typed = {name: re.search(rf'name="{name}" value="([^"]*)"', html)[1] for name in names}
    return {**typed, "description": "", "read_version": re.search(r'name="read_version" value="(\d+)"', html)[1]}


def chosen(plan, action):
    return {"action": action, "row": plan.plan_id, "confirmed": "1", "version": str(plan.version)}


def test_active_plans_are_listed_and_others_by_state_team_and_season(season, adas):
    season.activated()
    season.draft(plan_name="Later", season="2026-Q2")
    for query, shown, hidden in (
        ("", "Spring", "Later"),
        ("?status=draft", "Later", "Spring"),
        ("?season=2026-Q2", "Later", "Spring"),
        (f"?team_id={season.team.team_id}&status=active", "Spring", "Later"),
    ):
        html = adas.get(LIST + query).content.decode()
        assert shown in html and hidden not in html, query


def test_a_plan_is_prepared_and_changed_through_the_services(season, adas):
    typed = {
        "team_id": season.team.team_id,
        "plan_name": "Autumn",
        "season": "2026-q4",
        "start_date": "2026-10-01",
        "end_date": "2026-09-01",
        "description": "",
    }
    refused = adas.post(f"{LIST}add/", typed)
    assert refused.status_code == 422 and "The end is before the start." in refused.content.decode()
    assert adas.post(f"{LIST}add/", {**typed, "end_date": "2026-12-31"}).status_code == 302
    (plan,) = season.stores.plans.of_team(season.team.team_id)
    assert (plan.season, plan.status, plan.config_version) == ("2026-Q4", "draft", "1.0.0")
    address = f"{LIST}{plan.plan_id}/change/"
    sent = {**form_of(adas.get(address)), "plan_name": "Fall"}
    assert adas.post(address, sent).status_code == 302
    assert season.stored(plan).plan_name == "Fall"
    actions = [entry.action for entry in season.stores.audit.of(f"AssessmentPlans#{plan.plan_id}").items]
    assert actions == ["plan.changed", "plan.created"]


def test_a_plan_goes_from_state_to_state_by_actions_and_only_drafts_are_deleted(season, adas):
    plan = season.draft()
    for action, status in (("activate", "active"), ("complete", "completed"), ("archive", "archived")):
        adas.post(f"{LIST}?status={season.stored(plan).status}", chosen(season.stored(plan), action))
        assert season.stored(plan).status is PlanStatus(status)
    found = season.stored(plan)
    assert adas.get(f"{LIST}{plan.plan_id}/delete/").status_code == 403
    assert adas.post(f"{LIST}{plan.plan_id}/delete/", {"read_version": str(found.version)}).status_code == 403
    assert season.stored(plan) == found
    draft = season.draft(plan_name="Gone")
    adas.post(f"{LIST}{draft.plan_id}/delete/", {"read_version": str(draft.version)})
    assert season.stores.plans.find(draft.plan_id, consistent=True) is None
