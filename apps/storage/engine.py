"""The embedded engine of a laptop: one for all processes that use a data folder, gone when the last of them goes.

A process that needs the engine becomes a *user*: it takes a shared lock on `engine.users` and keeps it until it ends.
The first user starts a supervisor (`engine_supervisor.py`), which starts the engine and waits for the exclusive lock on
the same file. Whoever arrives while a supervisor is leaving waits for it and starts the next one.
"""

import atexit
import fcntl
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from apps.storage import engine_supervisor
from apps.storage.engine_package import EngineUnobtainable, dynoxide
from apps.storage.engine_supervisor import is_healthy
from apps.storage.errors import StoreUnavailable

ARRIVAL_SECONDS = 30.0
START_SECONDS = 150.0
GOODBYE_SECONDS = 3.0


class EngineKind(StrEnum):
    """Which program serves as the engine."""

    DYNOXIDE = "dynoxide"
    MOTO = "moto"


@dataclass(frozen=True, slots=True)
class _Choice:
    """What to start: a command with `{port}` in it."""

    kind: EngineKind
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Membership:
    """This process's part in keeping an engine alive: the open, locked file."""

    folder: Path
    users: int
    port: int
    kind: EngineKind

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def leave(self) -> None:
        """Give the lock back; the last user waits until the engine has stopped."""
        is_last = _try_flock(self.users, fcntl.LOCK_EX) or not _try_flock(self.users, fcntl.LOCK_SH)
        os.close(self.users)
        deadline = time.monotonic() + GOODBYE_SECONDS
        while is_last and time.monotonic() < deadline:
            lock = _try_lock(self.folder / "engine.supervisor")
            if lock is not None:
                os.close(lock)
                return
            time.sleep(0.01)


_members: dict[Path, _Membership] = {}
_members_lock = threading.Lock()


def to_stderr(sentence: str) -> None:
    """Where warnings go unless told otherwise: standard output may be somebody's JSON."""
    sys.stderr.write(sentence + "\n")


def ensure_engine(data_dir: Path, *, warn: Callable[[str], None] = to_stderr) -> str:
    """The address of the engine that keeps its data in `data_dir`, started if nobody has.

    It lives until the last process that asked for it has ended. Where the engine cannot be had, moto's server stands in
    and `warn` is told that its data is in memory. Raises `StoreUnavailable`, with `remedies`, where nothing can run.
    """
    folder = data_dir.resolve()
    with _members_lock:
        member = _members.get(folder)
        if member is None:
            member = _members[folder] = _join(folder, lambda: _persistent(folder, warn))
            atexit.register(member.leave)
            if member.kind is EngineKind.MOTO:
                warn("Warning: data is kept in memory by moto's server and is gone when the last Rungs process ends.")
    return member.endpoint


@contextmanager
def memory_engine(data_dir: Path, *, kind: EngineKind = EngineKind.DYNOXIDE) -> Iterator[str]:
    """An engine of one's own that forgets everything; its address. For tests.

    The program is kept in `data_dir`. Nothing is left running, even if this process is killed. Raises
    `StoreUnavailable`.
    """
    with tempfile.TemporaryDirectory(prefix="rungs-engine-") as place:
        member = _join(Path(place), lambda: _in_memory(data_dir.resolve(), kind))
        try:
            yield member.endpoint
        finally:
            member.leave()


def _persistent(folder: Path, warn: Callable[[str], None]) -> _Choice:
    try:
        program = dynoxide(folder / "engine", announce=warn)
    except EngineUnobtainable as error:
        warn(f"{error.message} Using moto's server instead.")
        return _moto(error)
    return _dynoxide(program, "--db-path", str(folder / "rungs.sqlite3"))


def _in_memory(folder: Path, kind: EngineKind) -> _Choice:
    return _moto(None) if kind is EngineKind.MOTO else _dynoxide(dynoxide(folder / "engine", announce=to_stderr))


def _dynoxide(program: Path, *options: str) -> _Choice:
    return _Choice(EngineKind.DYNOXIDE, (str(program), "serve", "--host", "127.0.0.1", "--port", "{port}", *options))


def _moto(why: EngineUnobtainable | None) -> _Choice:
    if find_spec("moto") is None or find_spec("flask") is None:
        raise _explained(
            (why.message + " " if why else "") + "moto's server, which could stand in for it, is not installed either.",
            "Install it: pip install -r requirements.txt",
            "Or set AWS_ENDPOINT_URL_DYNAMODB, for example to DynamoDB Local from compose.yaml.",
        )
    return _Choice(EngineKind.MOTO, (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "{port}"))


def _join(folder: Path, choose: Callable[[], _Choice]) -> _Membership:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mutex = _open(folder / "engine.lock")
    except OSError as error:
        raise _explained(
            f"Rungs cannot write to its data folder {folder} ({error.strerror}).",
            "Make it writable, or name another one in RUNGS_DATA_DIR.",
        ) from None
    try:
        fcntl.flock(mutex, fcntl.LOCK_EX)
        users = _open(folder / "engine.users")
        try:
            fcntl.flock(users, fcntl.LOCK_SH)
            port, kind = _find_or_start(folder, choose)
        except BaseException:
            os.close(users)
            raise
    finally:
        os.close(mutex)
    return _Membership(folder, users, port, kind)


def _find_or_start(folder: Path, choose: Callable[[], _Choice]) -> tuple[int, EngineKind]:
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while time.monotonic() < deadline:
        lock = _try_lock(folder / "engine.supervisor")
        if lock is not None:
            try:
                return _start(folder, choose(), lock)
            finally:
                os.close(lock)  # the supervisor has inherited it
        found = _read_state(folder / "engine.json")
        if found is not None and is_healthy(found[0]):
            return found
        time.sleep(0.02)
    raise _explained(
        f"The embedded engine of {folder} is running but does not answer.",
        f"See what it says in {folder / 'engine.log'}.",
        "End the other Rungs processes that use this folder and try again.",
    )


def _start(folder: Path, choice: _Choice, lock: int) -> tuple[int, EngineKind]:
    paths = {"users": "engine.users", "state": "engine.json", "log": "engine.log"}
    order = {
        "command": choice.command,
        "kind": choice.kind,
        **{name: str(folder / path) for name, path in paths.items()},
    }
    started = subprocess.run(  # noqa: S603  (our own script)
        [sys.executable, "-I", "-S", engine_supervisor.__file__, json.dumps(order)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(lock,),
        timeout=START_SECONDS,
        check=False,
    )
    answer = json.loads(started.stdout or b'{"error": "its supervisor did not start"}')
    if "error" in answer:
        raise _explained(
            f"The embedded engine could not be started on a port of 127.0.0.1: {answer['error']}",
            f"See what it says in {folder / 'engine.log'}.",
            "Or set AWS_ENDPOINT_URL_DYNAMODB to an engine that runs already.",
        )
    return int(answer["port"]), choice.kind


def _read_state(path: Path) -> tuple[int, EngineKind] | None:
    try:
        state = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return int(state["port"]), EngineKind(state["kind"])


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _try_flock(file: int, operation: int) -> bool:
    try:
        fcntl.flock(file, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _try_lock(path: Path) -> int | None:
    file = _open(path)
    if _try_flock(file, fcntl.LOCK_EX):
        return file
    os.close(file)
    return None


def _explained(message: str, *remedies: str) -> StoreUnavailable:
    error = StoreUnavailable(message)
    error.remedies = remedies
    return error
