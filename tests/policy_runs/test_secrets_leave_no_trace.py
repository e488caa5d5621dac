"""After a run the host password is nowhere: not in the engine's files, not in a log, not in what a command printed."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from apps.storage.engine import EngineKind
from apps.terminal.demohost import PASSWORD
from tests.policy_runs.conftest import faulty_policy, good_policies

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def served(tmp_path, engine_endpoint):
    """The whole application on an engine that writes to disk; yields its environment and the file of its output."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    engine_endpoint(EngineKind.DYNOXIDE)  # fetched by now, so that it can be lent
    environment = {**os.environ, "RUNGS_DATA_DIR": str(tmp_path / "data"), "RUNGS_LOG_LEVEL": "DEBUG"}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "engine").symlink_to(ROOT / ".rungs" / "engine")
    output = tmp_path / "server.log"
    with output.open("wb") as log:
        command = [sys.executable, "manage.py", "serve", "--port", str(port)]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2).close()
            break
        except OSError:
            assert process.poll() is None, output.read_text()
            time.sleep(0.1)
    yield environment, output
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, output.read_text()


def test_the_password_is_in_no_file_no_log_and_no_output_after_a_run(served, tmp_path):
    environment, output = served
    numbers = [*good_policies(6), faulty_policy("ABN"), faulty_policy("DRP"), faulty_policy("UNK")]
    done = subprocess.run(
        [sys.executable, "manage.py", "run_policies", *numbers, "--follow", "--json"],
        cwd=ROOT,
        env=environment,
        input=f"DEMO01\n{PASSWORD}\n",
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"success":6' in done.stdout

    assert PASSWORD not in done.stdout + done.stderr
    # The server tells once at its start how to sign on to its demo host; that is all it may say.
    told = [line for line in output.read_text().splitlines() if PASSWORD in line]
    assert [line.split(":")[0] for line in told] == ["On host demo"]
    files = [path for path in (tmp_path / "data").iterdir() if path.is_file()]
    stored = [path for path in files if path.stat().st_size > 100_000]
    assert stored, f"the engine wrote no data to look at: {files}"
    for path in files:
        assert PASSWORD.encode() not in path.read_bytes(), path
        assert "DEMOPASS".encode("cp037") not in path.read_bytes(), path
