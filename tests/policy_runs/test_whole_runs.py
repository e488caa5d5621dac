"""A whole run against the demo host."""

import pytest

from apps.policy_runs.entities import PolicyStatus, RunStatus
from apps.storage.registry import declared_tables
from tests.policy_runs.conftest import PASSWORD, faulty_policy, good_policies


async def test_every_policy_of_a_run_ends_with_its_data_and_screens(launched, worked, results, stores):
    numbers = good_policies(20)
    run = await worked(launched(numbers))

    assert run.status is RunStatus.SUCCESS, run
    assert (run.completed_items, run.success_count, run.progress) == (20, 20, 100)
    assert run.queue is None and run.lease_owner is None and run.completed_at is not None
    found = results(run)
    assert set(found) == set(numbers)
    for number, result in found.items():
        assert result.status is PolicyStatus.SUCCESS
        assert result.data["policy_number"] == number
        assert [screen.step for screen in result.screenshots] == ["log-on", "inquiry", "result"]
        assert all(len(screen.text) == 24 * 80 for screen in result.screenshots)
    assert stores.secrets.find(run.execution_id) is None


@pytest.mark.parametrize(
    ("prefix", "status", "attempts"),
    [
        ("UNK", PolicyStatus.FAILED, 2),
        ("LCK", PolicyStatus.SUCCESS, 3),
        ("DRP", PolicyStatus.FAILED, 3),
        ("HNG", PolicyStatus.FAILED, 3),
        ("ABN", PolicyStatus.FAILED, 2),
        ("ABNO", PolicyStatus.SUCCESS, 2),
        ("DRPO", PolicyStatus.SUCCESS, 2),
        ("MAL", PolicyStatus.FAILED, 1),
        ("OTH", PolicyStatus.FAILED, 2),
        ("TMO", PolicyStatus.FAILED, 3),
        ("TWO", PolicyStatus.SUCCESS, 1),
        ("ERL", PolicyStatus.SUCCESS, 1),
    ],
)
async def test_each_fault_of_the_host_ends_as_it_should(prefix, status, attempts, launched, worked, results):
    faulty = faulty_policy(prefix)
    good = good_policies(3)
    run = await worked(launched([*good, faulty]))

    found = results(run)
    assert run.status is RunStatus.SUCCESS
    assert found[faulty].status is status, found[faulty].error
    assert found[faulty].attempt == attempts
    assert bool(found[faulty].error) == (status is PolicyStatus.FAILED)
    assert found[faulty].screenshots, "the last screen is kept on every failure"
    assert all(found[number].status is PolicyStatus.SUCCESS for number in good)


async def test_a_policy_the_host_does_not_know_fails_with_the_hosts_own_words(launched, worked, results):
    run = await worked(launched(["ZZZ999999"]))

    assert (run.status, run.failed_count) == (RunStatus.FAILED, 1)
    assert "NOT FOUND" in results(run)["ZZZ999999"].error.upper()


async def test_a_wrong_password_stops_the_run_after_one_try(launched, worked, results, demo_host):
    run = await worked(launched(good_policies(30), password="WRONGPW"))

    assert run.status is RunStatus.FAILED
    assert "password" in run.result["reason"]
    assert demo_host.connections_accepted == 1
    assert {result.status for result in results(run).values()} == {PolicyStatus.PENDING}
    assert run.skipped_count == 30


async def test_the_password_is_in_no_stored_item_once_the_run_has_ended(launched, worked, store):
    await worked(launched([*good_policies(5), faulty_policy("ABN"), faulty_policy("DRP")]))

    for table in declared_tables():
        items = store.client.scan(TableName=store.physical(table))["Items"]
        assert PASSWORD not in str(items), table.name
