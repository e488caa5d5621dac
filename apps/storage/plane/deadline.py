"""By when a call must have ended."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ends_at: ContextVar[float | None] = ContextVar("ends_at", default=None)  # by `time.monotonic`


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Whatever this thread, or task, asks the store in here must have ended after so many seconds."""
    token = _ends_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(token)


def left() -> float | None:
    """How many seconds there still are, not above zero where there are none; None where nothing has to end."""
    ends_at = _ends_at.get()
    return None if ends_at is None else ends_at - time.monotonic()


def is_over(*, after: float = 0.0) -> bool:
    """Whether the call must have ended now, or after so many seconds."""
    seconds = left()
    return seconds is not None and seconds <= after
