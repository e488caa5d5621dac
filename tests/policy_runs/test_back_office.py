"""Runs and their results in the back office."""

import re
from datetime import UTC, datetime

import pytest

from apps.accounts.entities import Role
from apps.jobs.entities import Control
from apps.policy_runs.admin import ResultsOfRun
from apps.policy_runs.entities import PolicyStatus, RunStatus
from apps.policy_runs.services import control
from tests.policy_runs.web import browser, member


@pytest.fixture
def sams(store):
    """Somebody of support, who sees runs and no screens."""
    return browser(member(store, Role.SUPPORT))


def results_on(html):
    """Of a run's page: number and state of each result."""
    part = html.split('<section class="section children"')[1]
    return re.findall(r">(\w{9})</a></th><td>(\w+)</td>", part)


def test_a_runs_page_shows_its_results_and_leads_to_them_and_to_the_site(stores, run, sams, costs, monkeypatch):
    done = stores.results.get((run.execution_id, "ABC123DEF")).evolve(status=PolicyStatus.FAILED, error="Not known.")
    stores.results.put_many([done])
    with costs(requests=4, queries=1, wcu=0):
        html = sams.get(f"/admin/policy_runs/astexecution/{run.execution_id}/change/").content.decode()
    assert results_on(html) == [("ABC123DEF", "Failed"), ("ABC123DEG", "Pending")]
    assert "Not known." in html
    assert f'href="/policy-runs/{run.execution_id}/">View on site' in html
    assert "All of them" not in html
    monkeypatch.setattr(ResultsOfRun, "limit", 1)
    html = sams.get(f"/admin/policy_runs/astexecution/{run.execution_id}/change/").content.decode()
    assert f'href="/admin/policy_runs/policyresult/?execution_id={run.execution_id}">All of them' in html


def test_what_has_no_result_when_a_run_has_ended_was_skipped(stores, run, owner, sams, costs):
    results = f"/admin/policy_runs/policyresult/{run.execution_id}~ABC123DEF/change/"
    assert "Pending" in sams.get(results).content.decode()
    control(stores, actor=owner, key=run.execution_id, wish=Control.CANCEL, now=datetime.now(UTC))
    page = sams.get(f"/admin/policy_runs/astexecution/{run.execution_id}/change/").content.decode()
    assert results_on(page) == [("ABC123DEF", "Skipped"), ("ABC123DEG", "Skipped")]
    with costs(requests=4, wcu=0):
        html = sams.get("/admin/policy_runs/policyresult/", {"execution_id": run.execution_id}).content.decode()
    assert re.findall(r'data-label="Status">(\w+)', html) == ["Skipped", "Skipped"]
    assert "Skipped" in sams.get(results).content.decode()


async def test_who_switches_a_host_off_or_deletes_it_is_told_what_becomes_of_runs(store, stores, run, worked):
    adas = browser(member(store, Role.ADMIN))
    asked = adas.post("/admin/terminal/host/", {"action": "switch_off", "row": "demo"}).content.decode()
    assert "Runs that wait for a worker, or are resumed meanwhile, fail" in asked
    assert "they fail as soon as one takes them" in adas.get("/admin/terminal/host/demo/delete/").content.decode()
    demo = stores.hosts.get("demo")
    stores.hosts.save(demo.evolve(enabled=False))
    assert (await worked(run)).status is RunStatus.FAILED
