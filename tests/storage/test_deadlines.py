"""A call ends in time, however slowly the store answers."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, Literal, get_args

import pytest

from apps.storage import connection
from apps.storage.connection import DataPlaneName, Store
from apps.storage.errors import OutcomeUnknown, StoreUnavailable, Throttled
from apps.storage.plane import botocore_private as private
from tests.storage.teller import DONE, GOOD, HANGS, Teller, add, get, refusal, telling

PLANES = get_args(DataPlaneName)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
SECONDS = 0.1
LATE = SECONDS + 0.25  # the machine may be busy


@contextmanager
def dripping(said: bytes, *, head: bytes = b"") -> Iterator[str]:
    """The address of a server that says it one byte at a time, so that each arrives before any time-out."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                accepted, _ = listening.accept()
            except OSError:
                return
            with accepted:
                accepted.recv(65536)
                try:
                    accepted.sendall(head)
                    for byte in said:
                        accepted.sendall(bytes([byte]))
                        time.sleep(0.02)
                except OSError:
                    continue

    thread = Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


@pytest.fixture
def teller() -> Iterator[Teller]:
    with telling() as teller:
        yield teller


def store_at(address: str, data_plane: DataPlaneName, *, deadline_seconds: float = SECONDS, **more: Any) -> Store:
    options = {"attempts": 5, "read_timeout_seconds": 1.0, **more}
    store = Store(
        environment="dev",
        prefix="late",
        endpoint=address,
        region="eu-west-1",
        deadline_seconds=deadline_seconds,
        data_plane=data_plane,
        **options,
    )
    store.warm()
    return store


def failure(call: Callable[[], Any]) -> tuple[StoreUnavailable, float]:
    """How it failed, and after how many seconds."""
    started = time.monotonic()
    with pytest.raises(StoreUnavailable) as error:
        call()
    return error.value, time.monotonic() - started


@pytest.mark.parametrize("data_plane", PLANES)
def test_an_answer_that_drips_in_is_not_waited_for_longer_than_the_call_may_take(data_plane: DataPlaneName) -> None:
    with dripping(b" " * 99, head=HEAD) as address:
        store = store_at(address, data_plane)
        error, seconds = failure(lambda: get(store))
    assert (type(error), error.retryable) == (StoreUnavailable, True)
    assert SECONDS <= seconds < LATE


@pytest.mark.parametrize("data_plane", PLANES)
def test_what_must_not_be_done_twice_and_was_not_answered_in_time_is_unknown(data_plane: DataPlaneName) -> None:
    with dripping(GOOD) as address:
        store = store_at(address, data_plane)
        error, seconds = failure(lambda: add(store))
    assert isinstance(error, OutcomeUnknown)
    assert SECONDS <= seconds < LATE


@pytest.mark.parametrize("data_plane", PLANES)
def test_a_prompt_call_ends_sooner(data_plane: DataPlaneName, monkeypatch: pytest.MonkeyPatch) -> None:
    assert connection.PROMPT_DEADLINE_SECONDS < connection.DEADLINE_SECONDS
    monkeypatch.setattr(connection, "PROMPT_DEADLINE_SECONDS", SECONDS)
    with dripping(GOOD) as address:
        prompt = store_at(address, data_plane, deadline_seconds=60).prompt()
        prompt.warm()
        _, seconds = failure(lambda: get(prompt))
    assert SECONDS <= seconds < LATE


@pytest.mark.parametrize("data_plane", [*PLANES, "unknown"])
def test_no_try_begins_after_the_deadline(
    teller: Teller, data_plane: DataPlaneName | Literal["unknown"], monkeypatch: pytest.MonkeyPatch
) -> None:
    if data_plane == "unknown":  # a release of botocore that was not tested
        monkeypatch.setattr(private, "TESTED", ((1, 1), (1, 2)))
        data_plane = "fast"
    store = store_at(teller.address, data_plane, deadline_seconds=0.2, attempts=50, read_timeout_seconds=0.1)
    teller.replies = [HANGS]
    error, seconds = failure(lambda: get(store))
    assert error.retryable
    assert len(teller.asked) == 2
    assert seconds < 0.2 + LATE


def test_a_wait_that_would_outlast_the_deadline_is_not_begun(teller: Teller) -> None:
    store = store_at(teller.address, "fast", attempts=50)
    teller.replies = [refusal("ThrottlingException", 400)]
    error, seconds = failure(lambda: add(store))
    assert isinstance(error, Throttled)
    assert seconds < SECONDS


@pytest.mark.parametrize("data_plane", PLANES)
def test_a_call_without_any_time_left_sends_nothing_and_knows_it(teller: Teller, data_plane: DataPlaneName) -> None:
    teller.replies = [DONE]
    store = store_at(teller.address, data_plane)
    add(store)
    error, _ = failure(lambda: add(store_at(teller.address, data_plane, deadline_seconds=0)))
    assert (type(error), error.retryable) == (StoreUnavailable, True)
    assert len(teller.asked) == 1


@pytest.mark.parametrize("data_plane", PLANES)
def test_what_ended_late_leaves_no_short_patience_behind(teller: Teller, data_plane: DataPlaneName) -> None:
    teller.replies = [DONE]
    store = store_at(teller.address, data_plane, read_timeout_seconds=5)
    for _ in range(3):
        add(store)
    client: Any = store.client
    pools = client._endpoint.http_session._session._manager.pools
    (pool,) = (pools[name] for name in pools.keys())  # noqa: SIM118  (it is no dict)
    assert {found.sock.gettimeout() for found in pool.pool.queue if found and found.sock} == {5}
