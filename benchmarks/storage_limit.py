"""What no client can beat: ready bytes on a socket."""

import socket
from collections.abc import Iterable
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import orjson

from apps.storage.plane.transport import OPERATIONS, FastPlane, encoded
from benchmarks.storage_ways import Client, Rungs, Way


class Limit(Way):
    """No client: the bytes that Rungs sends, signed beforehand, on a socket, and the answer's bytes, unread."""

    name = "the limit"
    changes = 2  # once for the record

    def __init__(self, endpoint: str, table: str) -> None:
        super().__init__(endpoint, table)
        address = urlsplit(endpoint)
        self.host = address.netloc
        self.socket = socket.create_connection((str(address.hostname), address.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray(1 << 21)
        self.view = memoryview(self.buffer)

    @cached_property
    def wire(self) -> dict[str, bytes]:
        """Each operation as bytes, taken from the Rungs way's own requests."""
        rungs = Rungs(self.endpoint, self.table)
        rungs.name = self.name
        rungs.prepare([1])
        plane = rungs.store.warm()
        assert isinstance(plane, FastPlane)  # noqa: S101
        sent: list[tuple[str, dict[str, Any]]] = []

        class Recording:
            def send(self, operation: str, request: dict[str, Any], **more: Any) -> dict[str, Any]:
                sent.append((operation, dict(request)))
                return plane.send(operation, request, **more)

        rungs.store._plane = Recording()  # type: ignore[assignment]  # noqa: SLF001
        wire = {}
        for call in ("get", "put", "update", "query", "batch_get", "batch_write", "transact"):
            getattr(rungs, call)(1)
            operation, request = sent[-1]
            if call == "put":  # the bytes are always the same: without the condition it can be sent again
                request = {key: value for key, value in request.items() if key in {"TableName", "Item"}}
            request.pop("ClientRequestToken", None)
            body = encoded(request)
            retries = {"attempt": 1, "max": 5, "invocation-id": "0"}
            headers = plane._prepared(OPERATIONS[operation], body, retries).headers  # noqa: SLF001
            lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
            wire[call] = f"POST / HTTP/1.1\r\nHost: {self.host}\r\n{lines}\r\n".encode() + body
        return wire

    def repeat(self, operation: str, numbers: Iterable[int]) -> Any:
        data, answer = self.wire[operation], memoryview(b"")
        for _ in numbers:
            answer = self._exchange(data)
        return answer

    def _exchange(self, data: bytes) -> memoryview:
        self.socket.sendall(data)
        have, end = self.socket.recv_into(self.view), 0
        while end <= 0:
            end = self.buffer.find(b"\r\n\r\n", 0, have) + 4
            if end < 4:  # noqa: PLR2004  (the blank line is not there yet)
                have += self.socket.recv_into(self.view[have:])
                end = 0
        head = bytes(self.view[:end]).lower()
        start = head.index(b"content-length:") + 15
        whole = end + int(head[start : head.index(b"\r\n", start)])
        while have < whole:
            have += self.socket.recv_into(self.view[have:])
        if head[9:12] != b"200":
            raise AssertionError(bytes(self.view[:whole]))
        return self.view[end:whole]

    def seen(self, answer: Any) -> list[dict[str, Any]]:
        found = orjson.loads(bytes(answer))
        items = found.get("Items") or [found.get("Item") or found.get("Attributes")]
        if "Responses" in found:
            items = found["Responses"][self.table]
        return Client.seen(Client(self.endpoint, self.table), items)

    def close(self) -> None:
        self.socket.close()
