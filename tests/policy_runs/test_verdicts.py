"""What a fault means for a policy and for the run."""

import pytest

from apps.policy_runs.entities import PolicyStatus
from apps.policy_runs.verdicts import CONNECT_FAILURES, Again, Hold, Patience, Settle, Stop, on_fault, on_timeout
from apps.terminal.errors import FaultKind, HostFault

PATIENCE = Patience()


def verdict(kind: FaultKind, *, attempt=1, connect_failures=0, changes_host=False):
    fault = HostFault("It went wrong.", kind=kind, step="result")
    return on_fault(
        fault, attempt=attempt, connect_failures=connect_failures, changes_host=changes_host, patience=PATIENCE
    )


@pytest.mark.parametrize("kind", [FaultKind.DROPPED, FaultKind.TIMEOUT, FaultKind.SCREEN_TIMED_OUT, FaultKind.LOCKED])
def test_a_policy_has_three_tries_after_faults_that_pass(kind):
    assert [type(verdict(kind, attempt=attempt)) for attempt in (1, 2, 3)] == [Again, Again, Settle]


@pytest.mark.parametrize("kind", [FaultKind.ABEND, FaultKind.UNKNOWN_SCREEN, FaultKind.PROTOCOL])
def test_a_policy_has_one_more_try_after_what_rarely_passes(kind):
    assert [type(verdict(kind, attempt=attempt)) for attempt in (1, 2)] == [Again, Settle]


@pytest.mark.parametrize(
    "kind", [FaultKind.WRONG_PASSWORD, FaultKind.PASSWORD_EXPIRED, FaultKind.USER_REVOKED, FaultKind.TLS]
)
def test_what_would_lock_an_account_or_fail_for_all_stops_the_run(kind):
    assert verdict(kind) == Stop("It went wrong.")


def test_a_user_id_in_use_holds_the_run_for_half_a_minute_to_a_minute():
    held = verdict(FaultKind.USER_IN_USE)
    assert isinstance(held, Hold)
    assert 30 <= held.seconds <= 60


def test_waits_grow_with_the_tries_and_differ():
    waits = [[verdict(FaultKind.DROPPED, attempt=attempt).after_seconds for _ in range(20)] for attempt in (1, 2)]
    assert all(1 <= wait <= 2 for wait in waits[0])
    assert all(2 <= wait <= 4 for wait in waits[1])
    assert len(set(waits[0])) > 1


def test_a_host_that_refuses_connections_holds_the_run_longer_each_time_and_stops_it_in_the_end():
    held = [verdict(FaultKind.CONNECT_FAILED, connect_failures=number) for number in (1, 3, CONNECT_FAILURES - 1)]
    assert all(isinstance(one, Hold) for one in held)
    assert held[0].seconds < held[1].seconds <= 15
    assert isinstance(verdict(FaultKind.CONNECT_FAILED, connect_failures=CONNECT_FAILURES), Stop)


@pytest.mark.parametrize("kind", [FaultKind.DROPPED, FaultKind.ABEND, FaultKind.TIMEOUT])
def test_a_transaction_that_may_have_changed_the_host_is_never_repeated(kind):
    settled = verdict(kind, changes_host=True)
    assert isinstance(settled, Settle)
    assert settled.outcome.status is PolicyStatus.UNKNOWN
    assert "Check on the host" in settled.outcome.error
    assert on_timeout(attempt=1, changes_host=True, patience=PATIENCE).outcome.status is PolicyStatus.UNKNOWN


def test_a_policy_that_takes_too_long_is_tried_three_times():
    tries = [on_timeout(attempt=attempt, changes_host=False, patience=PATIENCE) for attempt in (1, 2, 3)]
    assert [type(one) for one in tries] == [Again, Again, Settle]
    assert "90 s" in tries[-1].outcome.error
