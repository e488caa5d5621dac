"""The process that keeps one embedded engine alive for as long as anybody uses it, and not a moment longer.

Every user of a data folder holds a shared lock on one file. This process waits for the exclusive lock on it: the kernel
grants it when the last user is gone, however that user went (`kill -9` too). Then the engine is stopped in peace.

It runs as a script of its own (`engine.py` starts it) and imports little, so that it is up in some 30 ms.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

PORTS_TRIED = 5
HEALTH_SECONDS = 20.0
STOP_SECONDS = 5.0
SHORT_LIFE_SECONDS = 5.0
SHORT_LIVES_IN_A_ROW = 3
PR_SET_PDEATHSIG = 1

_PROBE = (
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.0\r\n"
    b"X-Amz-Target: DynamoDB_20120810.ListTables\r\nX-Amz-Date: 20250101T000000Z\r\n"
    b"Authorization: AWS4-HMAC-SHA256 Credential=local/20250101/us-east-1/dynamodb/aws4_request, "
    b"SignedHeaders=host, Signature=0\r\nContent-Length: 11\r\n\r\n"
    b'{"Limit":1}'
)


def is_healthy(port: int, *, timeout_seconds: float = 2.0) -> bool:
    """Whether a DynamoDB engine on 127.0.0.1 answers ListTables at `port`."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout_seconds) as connection:
            connection.sendall(_PROBE)
            answer = b""
            while part := connection.recv(65536):
                answer += part
    except OSError:
        return False
    return b" 200 " in answer.partition(b"\r\n")[0] and b"TableNames" in answer


class EngineFailed(Exception):
    """The engine could not be brought up; the text is the engine's own last line."""


class Engine:
    """The engine's process on its port; restarted there when it dies."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        """`command` holds `{port}` where the port belongs."""
        self.command = command
        self.log = log
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        # Should this process itself be killed with -9, Linux tells the engine.
        self._prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def start(self) -> None:
        """Bring it up on a free port; on another one where that was taken meanwhile. Raises `EngineFailed`."""
        self.log.write_bytes(b"")
        for _ in range(PORTS_TRIED):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            if self._launch():
                return
        raise EngineFailed(self._last_words())

    def _launch(self) -> bool:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  (our own command)
                [part.replace("{port}", str(self.port)) for part in self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=self._die_with_parent,  # noqa: PLW1509  (one system call, no lock taken)
            )
        deadline = time.monotonic() + HEALTH_SECONDS
        while self._process.poll() is None:
            if is_healthy(self.port):
                return self._process.poll() is None  # else another program answered on that port
            if time.monotonic() > deadline:
                self._end_process()
                raise EngineFailed(f"it did not answer within {HEALTH_SECONDS:.0f} s")
            time.sleep(0.01)
        return False

    def _die_with_parent(self) -> None:
        if self._prctl is not None:
            self._prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it ended without a word"

    def watch(self) -> None:
        """Restart the engine on its port whenever it dies; ask this process to end where that is hopeless."""
        short_lives = 0
        while self._process is not None and not self._stopping.is_set():
            born = time.monotonic()
            self._process.wait()
            if self._stopping.is_set():
                return
            short_lives = short_lives + 1 if time.monotonic() - born < SHORT_LIFE_SECONDS else 0
            if short_lives >= SHORT_LIVES_IN_A_ROW or not self._relaunch():
                os.kill(os.getpid(), signal.SIGTERM)
                return

    def _relaunch(self) -> bool:
        try:
            return self._launch()
        except EngineFailed:
            return False

    def stop(self) -> None:
        """End it gracefully, so that its database file is whole; with force after some seconds."""
        self._stopping.set()
        self._end_process()

    def _end_process(self) -> None:
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _write_state(path: Path, state: dict[str, Any]) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(json.dumps(state))
    fresh.replace(path)


def _report(answer: dict[str, Any]) -> None:
    # Whoever started us reads until we close this: only then is the engine usable.
    with contextlib.suppress(BrokenPipeError):
        os.write(1, json.dumps(answer).encode())
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def supervise(order: dict[str, Any]) -> None:
    """Start the engine, publish where it is, wait for the last user to go, stop it.

    `order`: `command` (list with `{port}`), `kind`, and the paths `users`, `state`, `log`. The lock that makes this the
    only supervisor of its folder is inherited and ends with this process.
    """
    state = Path(order["state"])
    engine = Engine(order["command"], Path(order["log"]))
    users = os.open(order["users"], os.O_RDWR | os.O_CREAT, 0o600)
    signal.signal(signal.SIGTERM, _leave)
    try:
        engine.start()
        answer = {"kind": order["kind"], "port": engine.port, "supervisor": os.getpid()}
        _write_state(state, answer)
        _report(answer)
        threading.Thread(target=engine.watch, daemon=True).start()
        fcntl.flock(users, fcntl.LOCK_EX)
    except EngineFailed as error:
        _report({"error": str(error)})
    finally:
        # `users` is still locked: whoever comes now waits until we are gone and then starts anew.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        state.unlink(missing_ok=True)
        engine.stop()


def main() -> None:
    """Detach from whoever started us, then supervise."""
    if os.fork():
        os._exit(0)
    os.setsid()  # Ctrl-C in the terminal is for the users, not for their engine
    supervise(json.loads(sys.argv[1]))


if __name__ == "__main__":
    main()
