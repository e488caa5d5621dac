"""The real server as people start it, in a process of its own with data of its own, and gone afterwards."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from urllib.request import urlopen

from apps.storage.engine_package import EngineUnobtainable, dynoxide

ROOT = Path(__file__).resolve().parent.parent.parent
ENGINES = ROOT / ".rungs" / "engine"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
ADDRESS = re.compile(r"served at (http://\S+?)/")


@contextmanager
def served_site(data_dir: Path, **variables: str) -> Iterator[str]:
    """Serve on a free port with data in `data_dir`; yield the address. After it neither server nor engine answers.

    `variables` are more of the environment: `RUNGS_LOG_LEVEL="DEBUG"`.
    """
    _borrow_engine(data_dir / "engine")
    log = data_dir / "serve.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RUNGS_", "AWS_"))}
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", "0"],
            cwd=ROOT,
            env={**environment, "RUNGS_DATA_DIR": str(data_dir), **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        address = _announced(server, log)
        engine_port = int(json.loads((data_dir / "engine.json").read_text())["port"])
        yield address
        _stop(server, log)
        _expect_silence(engine_port)
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


def _borrow_engine(directory: Path) -> None:
    """The engine was fetched for the other tests already; without it the server serves with what stands in for it."""
    directory.mkdir(parents=True)
    with suppress(EngineUnobtainable):
        program = dynoxide(ENGINES, announce=print)
        (directory / program.name).symlink_to(program)


def _announced(server: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        found = ADDRESS.search(log.read_text())
        if found and _is_ready(found[1]):
            return found[1]
        if server.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"The server did not start:\n{log.read_text()}")


def _is_ready(address: str) -> bool:
    try:
        with urlopen(f"{address}/readyz", timeout=5) as answer:  # noqa: S310  (our own server)
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


def _stop(server: "subprocess.Popen[bytes]", log: Path) -> None:
    server.send_signal(signal.SIGINT)
    assert server.wait(STOP_SECONDS) == 0, log.read_text()


def _expect_silence(port: int) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return
        time.sleep(0.1)
    raise AssertionError("The engine goes on after the server has ended.")
