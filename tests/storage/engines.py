"""Engines, commands and faults for the tests of tables."""

import atexit
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar
from urllib.request import Request, urlopen

import pytest
from django.core.management import load_command_class

from apps.storage.connection import Store
from apps.storage.engine import EngineKind, memory_engine
from apps.storage.registry import declared_tables
from apps.storage.schema.apply import creation
from apps.storage.table import Table

ROOT = Path(__file__).resolve().parents[2]
BOTH = (EngineKind.DYNOXIDE, EngineKind.MOTO)

_engines = ExitStack()
atexit.register(_engines.close)


@lru_cache
def endpoint(kind: EngineKind = EngineKind.DYNOXIDE) -> str:
    """One engine of each kind for the whole session."""
    return _engines.enter_context(memory_engine(ROOT / ".rungs", kind=kind))


def fresh_store(kind: EngineKind = EngineKind.DYNOXIDE, *, environment: str = "dev") -> Store:
    """A store without tables."""
    return Store(
        environment=environment, prefix=f"t{uuid.uuid4().hex[:8]}", endpoint=endpoint(kind), region="us-east-1"
    )


def table(name: str) -> Table:
    return next(table for table in declared_tables() if table.name == name)


def create(store: Store, name: str, **changes: Any) -> None:
    """Create a declared table with parts of the request replaced, as somebody else's tool might have."""
    request = creation(table(name), store.physical(table(name)), environment=store.environment) | changes
    store.client.create_table(**{key: value for key, value in request.items() if value is not None})


def real(store: Store, name: str) -> dict[str, Any]:
    return dict(store.client.describe_table(TableName=store.physical(table(name)))["Table"])


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(command: str, *arguments: str) -> Ran:
    """A command as from the shell, in this process."""
    out, err, code = StringIO(), StringIO(), 0
    runner = load_command_class("apps.storage", command)
    runner.stdout._out, runner.stderr._out = out, err
    try:
        runner.run_from_argv(["manage.py", command, *arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    return Ran(code, out.getvalue(), err.getvalue())


@contextmanager
def using(store: Store, settings: Any, **more: Any) -> Iterator[None]:
    """The commands inside work on `store`."""
    before = settings.STORAGE
    settings.STORAGE = before | {
        "ENVIRONMENT": store.environment,
        "TABLE_PREFIX": store.prefix,
        "TABLE_NAMES": {},
        "ENDPOINT": store._given_endpoint,
        "REGION": "us-east-1",
        "EMBEDDED": False,
        "AFTER_SETUP": (),
        **more,
    }
    yield
    settings.STORAGE = before


@contextmanager
def faulty(target: str, faults: Mapping[tuple[str, str], tuple[str, str]]) -> Iterator[str]:
    """A way to an engine on which some requests fail: `{(operation, part of the table's name): (code, message)}`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            name = json.loads(body).get("TableName", "")
            for (failing, part), (code, message) in faults.items():
                if operation == failing and part in name:
                    answer = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}
                    return self.send(400, json.dumps(answer).encode())
            headers = {key: value for key, value in self.headers.items() if key.lower() != "host"}
            try:
                with urlopen(Request(target, data=body, headers=headers)) as answer:  # noqa: S310  (our own engine)
                    return self.send(answer.status, answer.read())
            except OSError as error:
                with error:  # type: ignore[attr-defined]
                    return self.send(error.code, error.read())  # type: ignore[attr-defined]

        def send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with _serving(Handler) as address:
        yield address


@contextmanager
def sts(*, refuses: bool = False) -> Iterator[str]:
    """A security token service that knows everybody, or nobody."""
    xml = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'

    class Handler(BaseHTTPRequestHandler):
        asked: ClassVar[list[bytes]] = []

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = (
                f"<ErrorResponse {xml}><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code>"
                "<Message>The security token included in the request is invalid.</Message></Error></ErrorResponse>"
                if refuses
                else f"<GetCallerIdentityResponse {xml}><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/ada</Arn>"
                "<UserId>A</UserId><Account>000000000001</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
            ).encode()
            self.send_response(403 if refuses else 200)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with _serving(Handler) as address:
        yield address


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's own AWS set-up is left."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
