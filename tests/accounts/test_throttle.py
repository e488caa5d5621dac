import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from apps.accounts.errors import TooManyAttempts
from apps.accounts.throttle import (
    FAILURES_AN_ADDRESS,
    RESETS_AN_ADDRESS,
    Buckets,
    Throttle,
    wait_everywhere,
    wait_here,
)
from apps.storage.connection import Store
from apps.storage.metering import metering
from apps.storage.transaction import Transaction, read_together

HOME, CAFE = "198.51.100.4", "203.0.113.7"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(store: Store, clock: Clock) -> Throttle:
    return Throttle(Buckets(store, clock=clock))


@pytest.fixture
def fail(throttle: Throttle, clock: Clock) -> Callable[..., int]:
    def try_once(email: str = "ada@example.org", address: str = HOME) -> int:
        try:
            throttle.admit(email=email, address=address, now=clock.now)
        except TooManyAttempts as error:
            return error.wait_seconds
        return 0

    return try_once


@pytest.fixture
def succeed(throttle: Throttle, clock: Clock) -> Callable[..., None]:
    def try_once(email: str = "ada@example.org", address: str = HOME) -> None:
        throttle.succeeded(throttle.admit(email=email, address=address, now=clock.now), now=clock.now)

    return try_once


@pytest.fixture
def guess_from_everywhere(fail: Callable[..., int], clock: Clock) -> Callable[..., None]:
    addresses = (f"2001:db8:{number:x}::/64" for number in itertools.count())

    def guess(times: int, email: str = "ada@example.org") -> None:
        """Fail from a new address each time, and wait as long as told before it."""
        for address in itertools.islice(addresses, times):
            if wait := fail(email, address):
                clock.pass_by(seconds=wait)
                fail(email, address)

    return guess


def test_after_five_failures_each_further_one_doubles_the_wait(fail: Callable[..., int], clock: Clock) -> None:
    assert [fail() for _ in range(5)] == [0] * 5
    waits = []
    for _ in range(8):
        wait = fail()
        waits.append(wait)
        clock.pass_by(seconds=wait)
        assert fail() == 0
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]


def test_a_refused_attempt_neither_counts_nor_prolongs_the_wait(fail: Callable[..., int], clock: Clock) -> None:
    for _ in range(5):
        fail()
    for _ in range(20):
        assert fail() == 30
    clock.pass_by(seconds=29, milliseconds=500)
    assert fail() == 1
    clock.pass_by(seconds=1)
    assert fail() == 0


def test_success_forgets_the_failures(fail: Callable[..., int], succeed: Callable[..., None]) -> None:
    for _ in range(4):
        fail()
    succeed()
    assert [fail() for _ in range(5)] == [0] * 5


def test_failures_are_forgotten_after_six_hours_although_the_store_still_has_them(
    fail: Callable[..., int], clock: Clock, throttle: Throttle
) -> None:
    for _ in range(5):
        fail()
    clock.pass_by(hours=6, seconds=1)
    assert [fail() for _ in range(5)] == [0] * 5
    assert fail() == 30


def test_another_account_and_another_address_are_not_slowed_by_mine(fail: Callable[..., int]) -> None:
    for _ in range(6):
        fail()
    assert fail("olga@example.org", HOME) == 0
    assert fail("ada@example.org", CAFE) == 0


def test_the_case_of_an_address_gives_no_fresh_attempts(fail: Callable[..., int]) -> None:
    for email in ("ada@example.org", "ADA@example.org", "Ada@Example.Org", " ada@example.org", "aDa@example.org"):
        assert fail(email) == 0
    assert fail("AdA@example.org") == 30


def test_an_address_fails_at_most_a_hundred_times_in_fifteen_minutes(fail: Callable[..., int], clock: Clock) -> None:
    assert [fail(f"user{number}@example.org", CAFE) for number in range(100)] == [0] * 100
    assert fail("user100@example.org", CAFE) == 15 * 60
    assert fail("user100@example.org", HOME) == 0
    clock.pass_by(minutes=10)
    assert fail("user101@example.org", CAFE) == 5 * 60
    clock.pass_by(minutes=5)
    assert fail("user102@example.org", CAFE) == 0


def test_people_who_sign_in_do_not_use_up_the_address_of_their_office(
    succeed: Callable[..., None], fail: Callable[..., int]
) -> None:
    for number in range(105):
        succeed(f"user{number}@example.org", CAFE)
    assert fail("user0@example.org", CAFE) == 0


def test_many_guesses_at_once_get_no_more_than_one_after_the_other(store: Store, clock: Clock) -> None:
    throttle = Throttle(Buckets(store, clock=clock))

    def guess(_: int) -> int:
        try:
            throttle.admit(email="ada@example.org", address=CAFE, now=clock.now)
        except TooManyAttempts:
            return 0
        return 1

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(guess, range(40))) == 5


def test_an_account_that_many_guess_at_makes_a_new_address_wait_before_each_try(
    fail: Callable[..., int], clock: Clock, guess_from_everywhere: Callable[..., None]
) -> None:
    guess_from_everywhere(20)
    assert fail(address=CAFE) == 30
    assert fail(address=CAFE) == 30
    clock.pass_by(seconds=30)
    assert fail(address=CAFE) == 0
    assert fail(address=CAFE) == 30


def test_strangers_cannot_prolong_the_wait_of_the_owner_at_a_new_address(
    fail: Callable[..., int], succeed: Callable[..., None], guess_from_everywhere: Callable[..., None]
) -> None:
    guess_from_everywhere(20)
    assert fail(address=CAFE) == 30
    guess_from_everywhere(1)  # takes 30 seconds and fails at their very end
    succeed(address=CAFE)


def test_an_address_that_signed_in_before_is_not_slowed_by_strangers(
    succeed: Callable[..., None], fail: Callable[..., int], clock: Clock, guess_from_everywhere: Callable[..., None]
) -> None:
    succeed(address=HOME)
    clock.pass_by(days=30)
    guess_from_everywhere(20)
    assert fail(address=HOME) == 0
    succeed(address=HOME)


def test_the_delay_of_an_account_grows_from_one_second_to_thirty_and_no_further(
    fail: Callable[..., int], guess_from_everywhere: Callable[..., None]
) -> None:
    assert [wait_everywhere(failures) for failures in (9, 10, 11, 12, 13, 14, 15, 1000)] == [0, 1, 2, 4, 8, 16, 30, 30]
    assert [wait_here(failures) for failures in (4, 5, 6, 10, 1000)] == [0, 30, 60, 900, 900]
    guess_from_everywhere(9)
    assert fail(address="192.0.2.1") == 0
    assert fail(address=CAFE) == 1


def test_an_account_recovers_when_nobody_guesses_for_an_hour(
    fail: Callable[..., int], clock: Clock, guess_from_everywhere: Callable[..., None]
) -> None:
    guess_from_everywhere(20)
    clock.pass_by(hours=2)
    assert fail(address=CAFE) == 0


def test_accounts_that_do_not_exist_are_slowed_like_others(
    fail: Callable[..., int], guess_from_everywhere: Callable[..., None]
) -> None:
    guess_from_everywhere(20, "nobody@example.org")
    assert fail("nobody@example.org", CAFE) == 30


@pytest.fixture
def unlock(throttle: Throttle, clock: Clock, store: Store) -> Callable[[], None]:
    return lambda: Transaction(store, *throttle.unlocking(email="Ada@example.org", now=clock.now)).commit()


def test_unlocking_an_account_holds_for_every_address_it_is_tried_from(
    fail: Callable[..., int], unlock: Callable[[], None]
) -> None:
    for address in (HOME, CAFE):
        assert [fail(address=address) for _ in range(6)][-1] == 30
    unlock()
    for address in (HOME, CAFE):
        assert [fail(address=address) for _ in range(6)] == [0, 0, 0, 0, 0, 30], "and it is counted afresh"


def test_unlocking_one_account_leaves_others_as_they_are(fail: Callable[..., int], unlock: Callable[[], None]) -> None:
    for _ in range(6):
        fail("bo@example.org")
    unlock()
    assert fail("bo@example.org") == 30


def test_an_account_that_is_guessed_at_from_everywhere_is_not_slow_once_it_is_unlocked(
    fail: Callable[..., int],
    guess_from_everywhere: Callable[..., None],
    throttle: Throttle,
    unlock: Callable[[], None],
    store: Store,
) -> None:
    guess_from_everywhere(20)
    (counted,) = read_together(store, throttle.counting(email="ada@example.org"))
    assert counted is not None
    assert counted.failures == 20
    unlock()
    assert read_together(store, throttle.counting(email="ada@example.org")) == (None,)
    assert fail(address=CAFE) == 0


def test_unlocking_forgets_no_address_that_guesses_at_many_accounts(
    fail: Callable[..., int], clock: Clock, unlock: Callable[[], None]
) -> None:
    for number in range(FAILURES_AN_ADDRESS):
        fail(f"guessed-{number}@example.org", CAFE)
    unlock()
    assert fail(address=CAFE) > 30


def test_a_look_at_an_unlocked_account_is_one_request_as_ever(
    fail: Callable[..., int], unlock: Callable[[], None]
) -> None:
    unlock()
    for _ in range(5):
        fail()
    with metering() as cost:
        assert fail() == 30
    assert cost.total_requests == 1


def test_links_are_limited_by_address_and_without_a_word_by_account(throttle: Throttle, clock: Clock) -> None:
    addresses = (f"198.51.100.{number}" for number in range(9))
    sent = [throttle.admit_reset(email="ada@example.org", address=next(addresses), now=clock.now) for _ in range(4)]
    assert sent == [True, True, True, False]
    for number in range(RESETS_AN_ADDRESS):
        assert throttle.admit_reset(email=f"{number}@example.org", address=HOME, now=clock.now)
    with pytest.raises(TooManyAttempts):
        throttle.admit_reset(email="x@example.org", address=HOME, now=clock.now)
    clock.pass_by(hours=1, seconds=1)
    assert throttle.admit_reset(email="ada@example.org", address=HOME, now=clock.now)


def test_a_refused_attempt_costs_one_request(fail: Callable[..., int]) -> None:
    for _ in range(5):
        fail()
    with metering() as cost:
        assert fail() == 30
    assert cost.total_requests == 1


def test_counters_tell_neither_account_nor_address(fail: Callable[..., int], store: Store) -> None:
    fail()
    raw = str(store.client.scan(TableName=store.physical(Buckets.table))["Items"])
    assert raw.count("sign-in.") == 3
    assert "ada" not in raw
    assert HOME not in raw
