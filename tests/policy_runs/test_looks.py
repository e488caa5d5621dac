"""Who looked at a run's screens, and who took its results away."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.accounts.entities import Role
from apps.policy_runs.entities import PolicyStatus
from apps.policy_runs.looks import ONE_LOOK, note_export, note_screens_seen
from tests.policy_runs.web import ApiClient, browser, member

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.fixture
def looks(stores, run):
    """The looks that were recorded: who, from where, at which policy first."""

    def read():
        entries = stores.audit.of(f"AstExecutions#{run.execution_id}").items
        seen = [entry for entry in reversed(entries) if entry.action == "run.screens_seen"]
        return [(entry.actor_id, entry.address, entry.after["first_policy_number"]) for entry in seen]

    return read


def look(stores, run, person, number="ABC123DEF", *, address="192.0.2.1", now=NOW):
    note_screens_seen(stores, run=run, policy_number=number, actor=person.acting(address), now=now)


def test_who_leafs_through_a_run_makes_one_entry_in_ten_minutes(stores, run, owner, looks, costs):
    with costs(requests=2, rcu=0.5, wcu=8):
        look(stores, run, owner)
    for second in range(1, 600, 50):
        with costs(requests=1, rcu=0.5, wcu=0):
            look(stores, run, owner, "ABC123DEG", now=NOW + timedelta(seconds=second))
    assert looks() == [(owner.user_id, "192.0.2.1", "ABC123DEF")]
    look(stores, run, owner, "ABC123DEG", now=NOW + ONE_LOOK)
    assert looks()[1:] == [(owner.user_id, "192.0.2.1", "ABC123DEG")]


def test_another_person_and_another_address_are_another_look(store, stores, run, owner, looks):
    ada = member(store, Role.ADMIN)
    look(stores, run, owner)
    look(stores, run, ada)
    look(stores, run, owner, address="192.0.2.2")
    assert {(who, where) for who, where, _ in looks()} == {
        (owner.user_id, "192.0.2.1"),
        (ada.user_id, "192.0.2.1"),
        (owner.user_id, "192.0.2.2"),
    }


def test_of_many_looks_at_once_one_is_recorded(stores, run, owner, looks, in_threads):
    in_threads(6, lambda _: look(stores, run, owner))
    assert len(looks()) == 1


def test_page_and_api_are_one_look(run, owner, looks):
    for _ in range(2):
        assert browser(owner).get(f"/policy-runs/{run.execution_id}/ABC123DEF/").status_code == 200
        assert ApiClient(owner).get(f"/{run.execution_id}/results/ABC123DEG").status == 200
    assert looks() == [(owner.user_id, "127.0.0.1", "ABC123DEF")]


def test_an_export_is_recorded_each_time_with_what_was_taken(stores, run, owner):
    for status in (None, PolicyStatus.FAILED):
        note_export(stores, run=run, status=status, actor=owner.acting("192.0.2.1"), now=NOW)
    entries = stores.audit.of(f"AstExecutions#{run.execution_id}").items
    exports = {entry.after["results"]: entry for entry in entries if entry.action == "run.exported"}
    assert set(exports) == {"all", "failed"}
    assert exports["all"].after["policies"] == run.total_items
    assert (exports["all"].actor_id, exports["all"].address) == (owner.user_id, "192.0.2.1")


def test_no_csv_leaves_before_its_entry_is_written_and_a_refused_one_writes_none(store, stores, run, owner):
    address = f"/policy-runs/{run.execution_id}/results.csv"
    assert browser(member(store, Role.VIEWER)).get(address).status_code == 404
    assert browser(owner).get(address, {"status": "bogus"}).status_code == 404
    before = len(stores.audit.of(f"AstExecutions#{run.execution_id}").items)
    browser(owner).get(address)  # the answer is not read
    after = stores.audit.of(f"AstExecutions#{run.execution_id}").items
    assert (len(after) - before, after[0].action) == (1, "run.exported")
