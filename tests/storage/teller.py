"""A server that says what it is told to, byte by byte."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any
from zlib import crc32

from apps.storage.connection import Store
from apps.storage.plane.answers import TARGET_PREFIX
from apps.storage.plane.signature import CONTENT_TYPE

KEY = {"PK": {"S": "shelf"}, "SK": {"S": "001"}}


@dataclass
class Teller:
    """Plays its replies one after the other, the last one again and again; remembers the requests."""

    address: str = ""
    replies: list[bytes] = field(default_factory=list)
    asked: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def operations(self) -> list[str]:
        return [headers["x-amz-target"].removeprefix(TARGET_PREFIX) for headers, _ in self.asked]


def reply(body: bytes, status: int = 200, **headers: str) -> bytes:
    lines = {"Content-Type": CONTENT_TYPE, "Content-Length": str(len(body)), "x-amz-crc32": str(crc32(body))}
    told = "".join(f"{name}: {value}\r\n" for name, value in {**lines, **headers}.items())
    return f"HTTP/1.1 {status} Told\r\n{told}\r\n".encode() + body


def refusal(code: str, status: int = 400, **more: Any) -> bytes:
    return reply(
        json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no", **more}).encode(), status
    )


HANGS_UP = b""
HANGS = b"-"
GOOD = reply(b'{"Item":{"PK":{"S":"shelf"}}}')
DONE = reply(b"{}")


@contextmanager
def telling() -> Iterator[Teller]:
    teller = Teller()
    listening = socket.create_server(("127.0.0.1", 0))
    teller.address = f"http://127.0.0.1:{listening.getsockname()[1]}"

    def serve(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            while lines.readline():
                headers = {}
                while (line := lines.readline()) != b"\r\n":
                    name, _, value = line.decode().partition(":")
                    headers[name.lower()] = value.strip()
                teller.asked.append((headers, lines.read(int(headers["content-length"]))))
                said = teller.replies.pop(0) if len(teller.replies) > 1 else teller.replies[0]
                if said == HANGS:
                    time.sleep(0.5)
                    return
                if said == HANGS_UP:
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                connection.sendall(said)
                if said.endswith(b"..."):  # not all that was announced
                    return

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            Thread(target=serve, args=(connection,), daemon=True).start()

    thread = Thread(target=accept)
    thread.start()
    try:
        yield teller
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def get(store: Store) -> dict[str, Any]:
    return store.call("get_item", table="Books", TableName="books", Key=KEY)


def add(store: Store) -> dict[str, Any]:
    """Something that must not be done twice."""
    return store.call("update_item", table="Books", repeatable=False, TableName="books", Key=KEY)
