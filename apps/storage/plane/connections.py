"""Connections whose every wait ends with the call that they serve.

A timeout of a socket counts anew with each byte that arrives, so that a server that sends one now and then holds a call
for as long as it likes. Here a wait is never longer than what the call has left.
"""

import http.client
import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError

from apps.storage.plane import deadline

SHORTEST_SECONDS = 0.001  # zero would mean not to wait at all


def _has_time(sock: socket.socket) -> bool:
    """Whether the socket's own timeout comes before the deadline."""
    seconds, given = deadline.left(), sock.gettimeout()
    return seconds is None or (given is not None and given < seconds)


@contextmanager
def _shortened(sock: socket.socket) -> Iterator[None]:
    """The socket waits until the deadline only. Raises `TimeoutError`."""
    seconds, given = deadline.left(), sock.gettimeout()
    if seconds is None or seconds <= 0:
        raise TimeoutError("the time for this call is over")
    sock.settimeout(max(seconds, SHORTEST_SECONDS))
    try:
        yield
    finally:
        sock.settimeout(given)


class _Incoming(io.RawIOBase):
    """What arrives at a socket, until the deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if _has_time(self._sock):
            return self._raw.readinto(buffer)
        with _shortened(self._sock):
            return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Incoming(self.fp.detach(), sock))


class _Bounded(HTTPConnection):
    response_class = _Answer

    def connect(self) -> None:
        seconds = deadline.left()
        if seconds is not None:
            shortest = max(seconds, SHORTEST_SECONDS)
            self.timeout = min(self.timeout or shortest, shortest)
        super().connect()

    def send(self, data: Any) -> None:
        if deadline.is_over():
            # Nothing that the server could act on was sent yet: one must not have to wonder whether it was.
            raise ConnectTimeoutError("the time for this call is over")
        if self.sock is None or _has_time(self.sock):
            super().send(data)
            return
        with _shortened(self.sock):
            super().send(data)


class _BoundedHTTP(_Bounded, AWSHTTPConnection):  # type: ignore[misc] # as botocore's own
    pass


class _BoundedHTTPS(_Bounded, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _PoolHTTP(AWSHTTPConnectionPool):
    ConnectionCls = _BoundedHTTP


class _PoolHTTPS(AWSHTTPSConnectionPool):
    ConnectionCls = _BoundedHTTPS


POOLS = {"http": _PoolHTTP, "https": _PoolHTTPS}
