import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.accounts.passwords import Passwords
from apps.errors import Unavailable
from tests.accounts.held_hasher import HeldArgon2


@pytest.fixture
def slow(settings: Any) -> Iterator[type[HeldArgon2]]:
    settings.PASSWORD_HASHERS = ["tests.accounts.held_hasher.HeldArgon2"]
    HeldArgon2.running = HeldArgon2.most = 0
    HeldArgon2.go.clear()
    yield HeldArgon2
    HeldArgon2.go.set()


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_at_most_four_passwords_are_hashed_at_once(slow: type[HeldArgon2]) -> None:
    passwords = Passwords()
    threads = [threading.Thread(target=passwords.hashed, args=("some password",)) for _ in range(7)]
    for thread in threads:
        thread.start()
    _wait_until(lambda: slow.running == 4)
    time.sleep(0.1)
    assert slow.running == 4
    slow.go.set()
    for thread in threads:
        thread.join()
    assert slow.most == 4


def test_who_gets_no_turn_in_time_is_told_so_plainly(slow: type[HeldArgon2]) -> None:
    passwords = Passwords(at_once=1, longest_wait_seconds=0.05)
    thread = threading.Thread(target=passwords.hashed, args=("some password",))
    thread.start()
    _wait_until(lambda: slow.running == 1)
    with pytest.raises(Unavailable) as refused:
        passwords.matches("a password", None)
    assert refused.value.retry_after_seconds
    slow.go.set()
    thread.join()
    assert passwords.matches("a password", None) is False
