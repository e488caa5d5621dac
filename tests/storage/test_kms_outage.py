"""What many threads get while KMS fails, or answers slowly: all at once, and each question asked once."""

import time
from collections import Counter
from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from apps.storage import kms
from apps.storage.errors import StoreUnavailable
from apps.storage.kms import KmsKeys

SECONDS = 0.08
TOO_LONG = 0.3  # less than one after the other, even on a busy machine
THREADS = 6


class Slow:
    """KMS as its client shows it: it answers after a while, or fails."""

    def __init__(self, *, fails: bool = False, bug: bool = False) -> None:
        self.fails = fails
        self.bug = bug
        self.asked: Counter[str] = Counter()

    def generate_data_key(self, **request: Any) -> dict[str, bytes]:
        table = request["EncryptionContext"]["table"]
        return self._answer(f"seal {table}", f"{table}-{self.asked.total()}".encode())

    def decrypt(self, **request: Any) -> dict[str, bytes]:
        encrypted: bytes = request["CiphertextBlob"]
        return self._answer(f"open {request['EncryptionContext']['table']}", encrypted)

    def _answer(self, what: str, encrypted: bytes) -> dict[str, bytes]:
        self.asked[what] += 1
        time.sleep(SECONDS)
        if self.bug:
            self.bug = False
            raise ZeroDivisionError
        if self.fails:
            raise ConnectTimeoutError(endpoint_url="kms")
        return {"Plaintext": b"k" * 32, "CiphertextBlob": encrypted}


def place(table: int) -> tuple[str, str, str]:
    return f"T{table}", "1", "token"


def together(call: Callable[[int], Any]) -> tuple[list[Any], float]:
    """What each of the threads got or raised, and the seconds that all of them took."""
    found: list[Any] = [None] * THREADS
    ready = Barrier(THREADS + 1)

    def one(number: int) -> None:
        ready.wait()
        try:
            found[number] = call(number)
        except (StoreUnavailable, ZeroDivisionError) as error:
            found[number] = error

    threads = [Thread(target=one, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    ready.wait()
    started = time.monotonic()
    for thread in threads:
        thread.join()
    return found, time.monotonic() - started


def test_an_outage_is_told_to_all_tables_at_once() -> None:
    slow = Slow(fails=True)
    keys = KmsKeys("alias/a", client=lambda: slow)
    found, seconds = together(lambda number: keys.seal("secret", place(number)))
    assert {type(error) for error in found} == {StoreUnavailable}
    assert slow.asked.total() == THREADS
    assert seconds < TOO_LONG


@pytest.mark.parametrize("does", ["seal", "open"])
def test_those_who_waited_for_a_failure_share_it(does: str) -> None:
    slow = Slow()
    sealed = KmsKeys("alias/a", client=lambda: slow).seal("secret", place(1))
    slow.fails = True
    slow.asked.clear()
    keys = KmsKeys("alias/a", client=lambda: slow)
    calls = {"seal": lambda _: keys.seal("secret", place(1)), "open": lambda _: keys.open(sealed, place(1))}
    found, seconds = together(calls[does])
    assert {(type(error), error.retryable, error.table, error.message) for error in found} == {
        (StoreUnavailable, True, "T1", found[0].message)
    }
    assert len({id(error) for error in found}) == THREADS
    assert slow.asked == {f"{does} T1": 1}
    assert seconds < TOO_LONG

    slow.fails = False
    assert keys.open(sealed, place(1)) == "secret"  # a failure is not kept
    assert slow.asked[f"{does} T1"] == (2 if does == "open" else 1)


def test_another_table_does_not_wait_for_a_slow_answer() -> None:
    slow = Slow()
    keys = KmsKeys("alias/a", client=lambda: slow)
    found, seconds = together(lambda number: keys.open(keys.seal("secret", place(number % 3)), place(number % 3)))
    assert set(found) == {"secret"}
    assert slow.asked == {"seal T0": 1, "seal T1": 1, "seal T2": 1}
    assert seconds < 3 * SECONDS


def test_a_bug_is_raised_where_it_happened_only() -> None:
    slow = Slow(bug=True)
    keys = KmsKeys("alias/a", client=lambda: slow)
    found, _ = together(lambda _: type(keys.seal("secret", place(1))))
    assert Counter(what if isinstance(what, type) else type(what) for what in found) == {
        ZeroDivisionError: 1,
        bytes: THREADS - 1,
    }
    assert slow.asked == {"seal T1": 2}


def test_the_data_keys_kept_are_those_used_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kms, "DATA_KEYS_KEPT", 2)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    slow = Slow()
    keys = KmsKeys("alias/a", client=lambda: slow)
    first, second = (keys.seal("secret", place(number)) for number in (1, 2))
    keys.open(first, place(1))  # now the second was not used for longest
    keys.seal("secret", place(3))
    slow.asked.clear()
    keys.open(first, place(1))
    assert not slow.asked
    keys.open(second, place(2))
    assert slow.asked == {"open T2": 1}
