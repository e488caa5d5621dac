"""A document of the provider's that is kept for a while."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Final, Generic, TypeVar

from apps.accounts.errors import ProviderUnavailable

T = TypeVar("T")

LIFETIME_SECONDS: Final = 3600.0
FRESH_SECONDS: Final = 60.0
FAILED_SECONDS: Final = 5.0


class Cached(Generic[T]):
    """What `fetch` returns, asked for again after an hour; one thread asks and the others wait for its answer.

    After a failure nobody asks for a few seconds, so that those who waited do not wait one after another.
    """

    def __init__(self, fetch: Callable[[], T], *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._fetch = fetch
        self._clock = clock
        self._lock = Lock()
        self._kept: tuple[float, T] | None = None
        self._failed: tuple[float, ProviderUnavailable] | None = None
        self._renewed_at: float | None = None

    def get(self) -> T:
        """The document. Raises `ProviderUnavailable`."""
        with self._lock:
            if self._kept is not None and self._clock() - self._kept[0] < LIFETIME_SECONDS:
                return self._kept[1]
            return self._asked()

    def renewed(self) -> T:
        """The document asked for again because what is kept seems old: once a minute at most, else what is kept."""
        with self._lock:
            now = self._clock()
            if self._kept is not None and self._renewed_at is not None and now - self._renewed_at < FRESH_SECONDS:
                return self._kept[1]
            self._renewed_at = now
            return self._asked()

    def _asked(self) -> T:
        if self._failed is not None and self._clock() - self._failed[0] < FAILED_SECONDS:
            raise self._failed[1].again()
        try:
            document = self._fetch()
        except ProviderUnavailable as error:
            self._failed = (self._clock(), error)
            raise
        self._kept, self._failed = (self._clock(), document), None
        return document
