import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from apps.storage.connection import Store
from apps.storage.engine import EngineKind, memory_engine
from apps.storage.engine_package import EngineForged, EngineUnobtainable, dynoxide
from apps.storage.engine_supervisor import is_healthy
from apps.storage.schema.apply import set_up_one
from apps.storage.schema.describe import describe_structure
from tests.storage.engines import ROOT, table

USER = """
import sys
from pathlib import Path
from apps.errors import DomainError
from apps.storage.engine import ensure_engine
try:
    print(ensure_engine(Path(sys.argv[1])), flush=True)
except DomainError as error:
    print(error.message, flush=True)
    raise SystemExit(1)
sys.stdin.read()
"""


class User:
    """Another process that uses the engine until it is told to go."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(folder)],
            cwd=ROOT,
            env=os.environ | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def said(self) -> str:
        """The engine's address, once it is there."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go(self) -> str:
        """End in peace; what it said on standard error."""
        return self.process.communicate(timeout=30)[1]

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=30)


@contextmanager
def user(folder: Path, **variables: str) -> Iterator[tuple[User, str]]:
    started = User(folder, **variables)
    try:
        yield started, started.said
    finally:
        started.kill()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with the engine's program in it, as after a first start."""
    (tmp_path / "engine").mkdir()
    program = dynoxide(ROOT / ".rungs" / "engine", announce=print)
    (tmp_path / "engine" / program.name).symlink_to(program)
    return tmp_path


def port(address: str) -> int:
    return int(address.rpartition(":")[2])


def store_at(address: str) -> Store:
    return Store(environment="dev", prefix="engine", endpoint=address, region="us-east-1")


def eventually(holds: Callable[[], bool], *, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def processes(folder: Path) -> list[int]:
    """Whatever runs with this folder in its command line, our own users left out."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if str(folder) in " ".join(line) and "-c" not in line[:2]:
            found.append(int(entry.name))
    return found


def engine_process(folder: Path) -> int:
    (found,) = (pid for pid in processes(folder) if b"\0serve\0" in Path(f"/proc/{pid}/cmdline").read_bytes())
    return found


def test_two_processes_share_one_engine_and_the_last_one_ends_it(folder: Path) -> None:
    with user(folder) as (first, address), user(folder) as (second, same):
        assert address == same
        first.go()
        assert is_healthy(port(address))
        assert len(processes(folder)) == 2  # the supervisor and the engine
        second.go()
        assert not is_healthy(port(address))
        assert eventually(lambda: processes(folder) == [])


def test_users_killed_with_9_leave_no_process_behind(folder: Path) -> None:
    with user(folder) as (first, address), user(folder) as (second, _):
        first.kill()
        assert is_healthy(port(address))
        second.kill()
        assert eventually(lambda: processes(folder) == [])
    assert not is_healthy(port(address))


def test_a_supervisor_killed_with_9_takes_the_engine_along_and_is_replaced(folder: Path) -> None:
    with user(folder) as (_, address):
        supervisor = json.loads((folder / "engine.json").read_text())["supervisor"]
        os.kill(supervisor, signal.SIGKILL)
        assert eventually(lambda: not is_healthy(port(address)))
        with user(folder) as (_, fresh):
            assert is_healthy(port(fresh))
    assert eventually(lambda: processes(folder) == [])


def test_an_engine_that_dies_is_restarted_at_the_same_address_with_its_data(folder: Path) -> None:
    with user(folder) as (_, address):
        set_up_one(store_at(address), table("Hosts"))
        before = engine_process(folder)
        os.kill(before, signal.SIGKILL)
        assert eventually(lambda: engine_process_or_none(folder) not in {None, before})
        assert eventually(lambda: is_healthy(port(address)))
        assert describe_structure(store_at(address), table("Hosts")) is not None


def engine_process_or_none(folder: Path) -> int | None:
    try:
        return engine_process(folder)
    except (ValueError, OSError):
        return None


def test_data_survives_a_restart(folder: Path) -> None:
    with user(folder) as (first, address):
        set_up_one(store_at(address), table("Hosts"))
        first.go()
    with user(folder) as (_, address):
        assert describe_structure(store_at(address), table("Hosts")) is not None


def test_many_that_arrive_at_once_get_one_engine(folder: Path) -> None:
    with ExitStack() as stack:
        users = [User(folder) for _ in range(6)]
        for one in users:
            stack.callback(one.kill)
        assert len({one.said for one in users}) == 1
        assert len(processes(folder)) == 2


def test_whoever_arrives_while_the_last_one_leaves_gets_a_living_engine(folder: Path) -> None:
    def visits(ending: str) -> list[bool]:
        seen = []
        for _ in range(5):
            with user(folder) as (visitor, address):
                seen.append(is_healthy(port(address)))
                if ending == "in peace":
                    visitor.go()
        return seen

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(visits, ["killed", "in peace"])) == [[True] * 5, [True] * 5]
    assert eventually(lambda: processes(folder) == [])


def test_a_stale_note_of_an_engine_that_is_gone_misleads_nobody(folder: Path) -> None:
    (folder / "engine.json").write_text(json.dumps({"kind": "dynoxide", "port": 9, "supervisor": 1}))
    with user(folder) as (_, address):
        assert is_healthy(port(address))


def npm_that(tmp_path: Path, script: str) -> str:
    """A PATH on which npm is this shell script and little else is found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    npm = folder / "npm"
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)
    return f"{folder}:/usr/bin:/bin" if script else str(folder)


def test_what_has_not_the_pinned_checksum_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver = 'for word in "$@"; do case "$word" in --pack-destination=*) echo forged > "${word#*=}/e.tgz";; esac; done'
    monkeypatch.setenv("PATH", npm_that(tmp_path, deliver))
    with pytest.raises(EngineForged, match="has not the pinned checksum"):
        dynoxide(tmp_path / "engine", announce=lambda _: None)
    assert list((tmp_path / "engine").iterdir()) == []
    with user(tmp_path) as (refused, said):
        assert said.startswith("What npm delivered")
        assert refused.process.wait(10) == 1


def test_without_a_network_one_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", npm_that(tmp_path, "echo npm error code ENOTFOUND >&2; exit 1"))
    with pytest.raises(EngineUnobtainable, match=r"npm could not fetch the embedded engine .* check the network"):
        dynoxide(tmp_path / "engine", announce=lambda _: None)


def test_on_a_platform_without_a_package_one_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(EngineUnobtainable, match="There is no embedded engine for linux on riscv64"):
        dynoxide(tmp_path / "engine", announce=lambda _: None)


def test_without_npm_moto_stands_in_and_every_user_is_warned(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nothing-here")
    with user(tmp_path, PATH=nowhere) as (first, address), user(tmp_path, PATH=nowhere) as (second, same):
        assert address == same
        set_up_one(store_at(address), table("Hosts"))
        assert describe_structure(store_at(same), table("Hosts")) is not None
        warnings = first.go(), second.go()
    assert "npm, which fetches the embedded engine, was not found" in warnings[0]
    for warning in warnings:
        assert "data is kept in memory by moto's server and is gone" in warning
    assert not is_healthy(port(address))


def test_a_data_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with user(tmp_path / "file" / "data") as (refused, said):
        assert said.startswith("Rungs cannot write to its data folder")
        assert refused.process.wait(10) == 1


def test_an_engine_that_does_not_start_is_one_sentence_with_its_last_words(folder: Path) -> None:
    program = next((folder / "engine").iterdir())
    program.unlink()
    program.write_text("#!/bin/sh\necho the port is taken\nexit 1\n")
    program.chmod(0o755)
    with user(folder) as (_, said):
        assert said == "The embedded engine could not be started on a port of 127.0.0.1: the port is taken"
    assert eventually(lambda: processes(folder) == [])


@pytest.mark.parametrize("kind", EngineKind)
def test_an_engine_in_memory_is_ones_own_and_goes_at_the_end(kind: EngineKind) -> None:
    with memory_engine(ROOT / ".rungs", kind=kind) as one, memory_engine(ROOT / ".rungs", kind=kind) as other:
        set_up_one(store_at(one), table("Hosts"))
        assert describe_structure(store_at(other), table("Hosts")) is None
    assert not is_healthy(port(one))
    assert not is_healthy(port(other))
