"""Requests to the provider: bounded in time, size and number, so that a provider in trouble is only its own trouble."""

import io
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any, Final

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError as NotConnected
from requests.exceptions import Timeout

CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 5.0
WHOLE_SECONDS: Final = 8.0
MOST_BYTES: Final = 256 * 1024
AT_ONCE: Final = 4
_PIECE: Final = 16 * 1024

_TURNS = BoundedSemaphore(AT_ONCE)


class BoundedAdapter(HTTPAdapter):
    """Sends a request and reads its answer to the end, or raises: too slow, too long, or compressed, which hides both.

    A few requests are under way at once in a process; who waits too long for a turn is told that the provider does not
    answer, so that the threads of all other pages stay free.
    """

    def send(  # noqa: PLR0917
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002, ARG002  (the base class's signature)
        timeout: Any = None,  # noqa: ARG002
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        """Raises `requests`' own errors."""
        request.headers["Accept-Encoding"] = "identity"
        with _turn():
            started = time.monotonic()
            response = super().send(
                request,
                stream=True,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                verify=verify,
                cert=cert,
                proxies=dict(proxies) if proxies else None,
            )
            raw = response.raw
            try:
                body = _whole_body(response, until=started + WHOLE_SECONDS)
            finally:
                raw.close()
            response.raw = io.BytesIO(body)
        return response


def _whole_body(response: Response, *, until: float) -> bytes:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise NotConnected("the answer is compressed, which was not asked for")
    body = bytearray()
    # read1 comes back with whatever is there: a byte now and then would hold any other read for ever.
    while piece := response.raw.read1(_PIECE):
        body += piece
        if len(body) > MOST_BYTES:
            raise NotConnected("the answer is too long")
        if time.monotonic() > until:
            raise Timeout("the answer takes too long")
    return bytes(body)


@contextmanager
def _turn() -> Iterator[None]:
    if not _TURNS.acquire(timeout=READ_SECONDS):
        raise Timeout("other requests wait for the provider")
    try:
        yield
    finally:
        _TURNS.release()
