"""A way to the engine on which things go wrong as planned: a small HTTP proxy that the tests own.

It forwards every request as it came, one thread a connection, and spoils what its plan says: before the engine has seen
the request, or after it was carried out. It counts what it did.
"""

import contextlib
import json
import random
import socket
import struct
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit


class Fault(StrEnum):
    """What can be done to a request or to its answer."""

    THROUGHPUT_EXCEEDED = "throughput exceeded"
    THROTTLED = "throttled"
    LIMIT_EXCEEDED = "limit exceeded"
    CONFLICT = "conflict with a transaction"
    SERVER_ERROR = "server error"
    BAD_GATEWAY = "bad gateway"
    OUT_OF_SERVICE = "out of service"
    RESET_BEFORE = "reset before"
    RESET_AFTER = "reset after"
    SERVER_ERROR_AFTER = "server error after"
    SLOW = "slow"
    HANGS = "hangs"
    HANGS_BEFORE = "hangs before"
    CUT = "cut"
    SHORTENED = "shortened"
    WRONG_CRC = "wrong crc"
    HTML = "html"
    EMPTY = "empty"
    NO_OBJECT = "no object"
    PARTIAL = "partial"


Plan = Callable[[str], Fault | None]
"""What happens to the next request of this operation (DynamoDB's own name, such as `GetItem`)."""

BATCHES = frozenset({"BatchWriteItem", "BatchGetItem"})
CHANGES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
TRANSACTIONS = frozenset({"TransactWriteItems", "TransactGetItems"})
MEETING_TRANSACTIONS = TRANSACTIONS | {"PutItem", "UpdateItem", "DeleteItem"}

_API = "com.amazonaws.dynamodb.v20120810#"
_REFUSALS: Mapping[Fault, tuple[int, str]] = {
    Fault.THROUGHPUT_EXCEEDED: (400, "ProvisionedThroughputExceededException"),
    Fault.THROTTLED: (400, "ThrottlingException"),
    Fault.LIMIT_EXCEEDED: (400, "RequestLimitExceeded"),
    Fault.CONFLICT: (400, "TransactionConflictException"),
    Fault.SERVER_ERROR: (500, "InternalServerError"),
    Fault.SERVER_ERROR_AFTER: (500, "InternalServerError"),
}
_PAGES: Mapping[Fault, tuple[int, bytes]] = {
    Fault.BAD_GATEWAY: (502, b"<html><body><h1>502 Bad Gateway</h1></body></html>"),
    Fault.OUT_OF_SERVICE: (503, b"<html><body><h1>503 Service Unavailable</h1></body></html>"),
    Fault.HTML: (200, b"<html><body><h1>Sign in to the network</h1></body></html>"),
    Fault.EMPTY: (200, b""),
    Fault.NO_OBJECT: (200, b'["nothing", "to", "see"]'),
}
# The engine carries these out before they go wrong; the others never reach it.
_AFTER = frozenset(
    {
        *(Fault.RESET_AFTER, Fault.SERVER_ERROR_AFTER, Fault.SLOW, Fault.HANGS, Fault.CUT, Fault.SHORTENED),
        *(Fault.WRONG_CRC, Fault.HTML, Fault.EMPTY, Fault.NO_OBJECT),
    }
)


def never(_: str) -> None:
    """Everything goes through."""


def always(fault: Fault, *operations: str) -> Plan:
    """Every request of these operations, or of all."""
    return lambda operation: fault if not operations or operation in operations else None


def in_turn(*faults: Fault | None) -> Plan:
    """One request after the other, whoever sends it; what comes later goes through."""
    left = iter(faults)
    return lambda _: next(left, None)


def by_chance(shares: Mapping[Fault, float], *, seed: int) -> Plan:
    """Each fault for its share (0 to 1) of all requests, where it fits the operation."""
    dice, lock = random.Random(seed), threading.Lock()  # noqa: S311  (a plan, not a secret)

    def choose(operation: str) -> Fault | None:
        with lock:
            left = dice.random()
        for fault, share in shares.items():
            left -= share
            if left < 0:
                return fault if fits(fault, operation) else None
        return None

    return choose


def fits(fault: Fault, operation: str) -> bool:
    """Whether this can happen to the operation at all."""
    if fault is Fault.PARTIAL:
        return operation in BATCHES
    return fault is not Fault.CONFLICT or operation in MEETING_TRANSACTIONS


@dataclass(frozen=True)
class Message:
    """A request or an answer: the first line, the other header lines, the body."""

    first: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: bytes) -> bytes:
        return next((value for known, value in self.headers if known.lower() == name), b"")

    def with_body(self, body: bytes) -> "Message":
        return Message(self.first, self.headers, body).but(b"Content-Length", b"%d" % len(body))

    def but(self, name: bytes, value: bytes) -> "Message":
        others = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return Message(self.first, (*others, (name, value)), self.body)

    def without(self, name: bytes) -> "Message":
        return Message(self.first, tuple(pair for pair in self.headers if pair[0].lower() != name), self.body)

    def wire(self) -> bytes:
        lines = b"".join(b"%s: %s\r\n" % pair for pair in self.headers)
        return b"%s\r\n%s\r\n%s" % (self.first, lines, self.body)


def receive(connection: socket.socket) -> Message | None:
    """The next message with a body of known length, or None where the other side has closed."""
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    first, *lines = data[:end].split(b"\r\n")
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(b":") for line in lines))
    length = int(next((value for name, value in headers if name.lower() == b"content-length"), 0))
    parts, missing = [data[end + 4 :]], length - len(data) + end + 4
    while missing > 0:
        parts.append(connection.recv(min(missing, 1 << 20)))
        if not parts[-1]:
            return None
        missing -= len(parts[-1])
    return Message(first, headers, b"".join(parts))


class FaultProxy:
    """Listens at `address`; `plan` may be changed at any time, `done` counts by operation and fault (or None)."""

    def __init__(self, target: str, *, slow_seconds: float = 0.02, hang_seconds: float = 1.0) -> None:
        """`target` is the engine's address; a hanging answer comes `hang_seconds` late."""
        where = urlsplit(target)
        self._target = (str(where.hostname), int(where.port or 80))
        self.slow_seconds = slow_seconds
        self.hang_seconds = hang_seconds
        self.plan: Plan = never
        self.done: Counter[tuple[str, Fault | None]] = Counter()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def count(self, *faults: Fault | None) -> int:
        """How often these happened, over all operations."""
        return sum(number for (_, fault), number in self.done.items() if fault in faults)

    @property
    def operations(self) -> list[str]:
        """The operations that were asked for, each once."""
        return sorted({operation for operation, _ in self.done})

    @contextmanager
    def planned(self, plan: Plan) -> Iterator[None]:
        """This plan for the code inside, with counts of its own."""
        self.plan, self.done = plan, Counter()
        try:
            yield
        finally:
            self.plan = never

    def close(self) -> None:
        """Stop listening, break what is open, and wait for the threads."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self._threads = [known for known in self._threads if known.is_alive()]
                self._threads.append(thread)
                self._open.add(connection)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with socket.create_connection(self._target) as engine:
                engine.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with contextlib.suppress(OSError):  # the client gave up, as clients do
                    while not self._closing.is_set() and (request := receive(client)) is not None:
                        if not self._exchange(client, engine, request):
                            break
        finally:
            with self._lock:
                self._open.discard(client)
            client.close()

    def _exchange(self, client: socket.socket, engine: socket.socket, request: Message) -> bool:
        """Answer one request; whether the connection may go on."""
        operation = request.header(b"x-amz-target").rpartition(b".")[2].decode()
        fault = self.plan(operation)
        if fault is not None and not fits(fault, operation):
            fault = None
        with self._lock:
            self.done[operation, fault] += 1
        if fault is Fault.PARTIAL:
            client.sendall(self._partly(engine, request, operation).wire())
            return True
        if fault is Fault.HANGS_BEFORE:
            self._closing.wait(self.hang_seconds)
        if _is_gone(client):  # what was given up must not be written behind the back of a later try
            return False
        if fault is Fault.CONFLICT and operation in TRANSACTIONS:
            client.sendall(_cancelled(request).wire())
            return True
        through = fault is None or fault in _AFTER or fault is Fault.HANGS_BEFORE
        return self._answer(client, self._forward(engine, request) if through else None, fault)

    def _answer(self, client: socket.socket, answer: Message | None, fault: Fault | None) -> bool:
        if fault in {Fault.RESET_BEFORE, Fault.RESET_AFTER}:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if fault is not None and fault in _REFUSALS:
            status, code = _REFUSALS[fault]
            body = json.dumps({"__type": _API + code, "message": "as planned"}).encode()
            client.sendall(_made(status, body, b"application/x-amz-json-1.0").wire())
            return True
        if fault is not None and fault in _PAGES:
            client.sendall(_made(*_PAGES[fault], b"text/html").wire())
            return True
        assert answer is not None
        half = answer.body[: len(answer.body) // 2]
        if fault is Fault.CUT:
            client.sendall(Message(answer.first, answer.headers, half).wire())
            return False
        if fault is Fault.SHORTENED:
            client.sendall(answer.with_body(half).without(b"x-amz-crc32").wire())
            return True
        if fault is Fault.WRONG_CRC:
            answer = answer.but(b"x-amz-crc32", b"%d" % (zlib.crc32(answer.body) ^ 1))
        if fault in {Fault.SLOW, Fault.HANGS}:
            self._closing.wait(self.slow_seconds if fault is Fault.SLOW else self.hang_seconds)
        client.sendall(answer.wire())
        return True

    def _forward(self, engine: socket.socket, request: Message) -> Message:
        engine.sendall(request.wire())
        answer = receive(engine)
        if answer is None:
            raise ConnectionError("the engine has hung up")
        if not answer.header(b"x-amz-crc32"):  # AWS always sends it
            answer = answer.but(b"x-amz-crc32", b"%d" % zlib.crc32(answer.body))
        return answer

    def _partly(self, engine: socket.socket, request: Message, operation: str) -> Message:
        """The answer to the first half of a batch, with the other half left undone."""
        asked: dict[str, Any] = json.loads(request.body)
        keys = operation == "BatchGetItem"
        todo: dict[str, Any] = {}
        left: dict[str, Any] = {}
        for name, entry in asked["RequestItems"].items():
            entries = entry["Keys"] if keys else entry
            middle = len(entries) // 2
            for part, into in ((entries[:middle], todo), (entries[middle:], left)):
                if part:
                    into[name] = {**entry, "Keys": part} if keys else part
        said: dict[str, Any] = {"Responses": {}} if keys else {}
        if todo:
            body = json.dumps({**asked, "RequestItems": todo}).encode()
            said = json.loads(self._forward(engine, request.with_body(body)).body)
        undone = "UnprocessedKeys" if keys else "UnprocessedItems"
        return _made(200, json.dumps({**said, undone: left}).encode(), b"application/x-amz-json-1.0")


def _is_gone(client: socket.socket) -> bool:
    try:
        return not client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False


def _cancelled(request: Message) -> Message:
    """What a transaction is told of which one item is being written by another."""
    reasons = [{"Code": "None"} for _ in json.loads(request.body)["TransactItems"]]
    reasons[-1] = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
    said = {"__type": _API + "TransactionCanceledException", "Message": "cancelled", "CancellationReasons": reasons}
    return _made(400, json.dumps(said).encode(), b"application/x-amz-json-1.0")


def _made(status: int, body: bytes, kind: bytes) -> Message:
    length = (b"Content-Length", b"%d" % len(body))
    return Message(b"HTTP/1.1 %d Planned" % status, ((b"Content-Type", kind), length), body)


@contextmanager
def fault_proxy(target: str, *, slow_seconds: float = 0.02, hang_seconds: float = 1.0) -> Iterator[FaultProxy]:
    """A proxy before the engine at `target` that ends with the block."""
    proxy = FaultProxy(target, slow_seconds=slow_seconds, hang_seconds=hang_seconds)
    try:
        yield proxy
    finally:
        proxy.close()
