"""`manage.py run_policies`: the same run, from the command line."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.entities import Role
from apps.accounts.repository import Users
from apps.jobs.worker import Worker
from apps.policy_runs.credentials import revealed
from apps.policy_runs.entities import RunStatus
from apps.policy_runs.handler import PolicyRunHandler
from apps.terminal.demohost.host import DemoHost
from tests.policy_runs.conftest import PASSWORD, QUICK, faulty_policy, good_policies, host_row
from tests.policy_runs.web import member

ROOT = Path(__file__).resolve().parents[2]
COMMAND_LINE = "command-line"


@pytest.fixture
def host(stores):
    stores.hosts.add(host_row(9))


@pytest.fixture
def run_policies(monkeypatch, capsys):
    """Run the command with these lines on stdin; returns what it wrote on stdout."""

    def running(*arguments, stdin=f"DEMO01\n{PASSWORD}\n"):
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        out = io.StringIO()
        call_command("run_policies", *map(str, arguments), stdout=out)
        return out.getvalue() + capsys.readouterr().out

    return running


@pytest.fixture
def in_process(store):
    """Start the command as a person would, in a process of its own on this test's store."""
    store.fill()
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL_DYNAMODB": store.endpoint,
        "AWS_REGION": store.region,
        "RUNGS_TABLE_PREFIX": store.prefix,
        "RUNGS_DATA_DIR": str(ROOT / ".rungs"),
        "PYTHONUNBUFFERED": "1",
    }
    started = []

    def start(*arguments):
        command = [sys.executable, "manage.py", "run_policies", *arguments]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        with process:  # closes its pipes
            process.kill()


@contextmanager
def worker_and_demo_host(stores, at_once=1):
    """A demo host and a worker on a loop of their own, in a thread; yields the host's port."""
    loop, ready, ports = asyncio.new_event_loop(), threading.Event(), []
    stop = asyncio.Event()

    async def work():
        async with asyncio.timeout(60):
            demo = DemoHost(latency_seconds=0.01)
            await demo.start()
            ports.append(demo.port)
            ready.set()
            await Worker([PolicyRunHandler(lambda: stores, patience=QUICK)], at_once=at_once).run(stop)
            await demo.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(work(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def test_the_audit_log_names_the_command_beside_whom_it_stood_for(host, run_policies, stores, owner):
    run_policies("ABC123DEF", "--as", owner.email)
    run = stores.executions.listed().items[0]
    run_policies("--cancel", run.execution_id, "--as", owner.email)
    entries = stores.audit.of(f"AstExecutions#{run.execution_id}").items
    told = {(entry.action, entry.actor_id, entry.via) for entry in entries}
    assert told == {(action, owner.user_id, "manage.py run_policies") for action in ("run.launched", "run.cancel")}


def test_numbers_are_launched_with_the_credentials_from_stdin(host, run_policies, stores):
    said = run_policies("abc123def", "ABC123DEG", "ABC123DEF")

    run = stores.executions.listed().items[0]
    assert f"Run {run.execution_id}: 2 policies on demo." in said
    assert "A worker takes it from here." in said
    assert run.user_id == COMMAND_LINE
    credentials = revealed(stores.secrets.get(run.execution_id))
    assert (credentials.user_id, credentials.password) == ("DEMO01", PASSWORD)
    assert PASSWORD not in said


def test_a_file_is_read_as_on_the_page(host, run_policies, stores, tmp_path):
    sheet = tmp_path / "policies.csv"
    sheet.write_bytes("Name;Policy number\r\nMüller;ABC123DEF\r\n".encode("utf-16"))
    run_policies("--file", sheet)

    assert stores.executions.listed().items[0].total_items == 1


def test_json_is_the_run_as_the_api_tells_it_and_alone_on_stdout(host, run_policies, stores):
    told = json.loads(run_policies("ABC123DEF", "--json"))

    assert told["executionId"] == stores.executions.listed().items[0].execution_id
    assert (told["status"], told["total"], told["hostName"], told["astName"]) == ("pending", 1, "demo", "login")
    assert set(told["counts"]) == {"pending", "success", "failed", "skipped", "unknown"}


def test_a_run_can_be_launched_for_a_user_who_may(host, run_policies, stores, store):
    olga, vera = member(store, Role.OPERATOR), member(store, Role.VIEWER)
    run_policies("ABC123DEF", "--as", olga.email)
    assert stores.executions.listed().items[0].user_id == olga.user_id
    with pytest.raises(CommandError, match="may not launch runs"):
        run_policies("ABC123DEF", "--as", vera.email)
    users = Users(store)
    users.save(olga.evolve(is_active=False))
    for email in (olga.email, "nobody@example.org"):
        with pytest.raises(CommandError, match="No active user has the e-mail"):
            run_policies("ABC123DEF", "--as", email)


def test_the_host_is_named_unless_there_is_only_one(host, run_policies, stores):
    stores.hosts.add(host_row(9, host_name="closed", enabled=False))
    run_policies("ABC123DEF")
    stores.hosts.add(host_row(9, host_name="other"))
    with pytest.raises(CommandError, match="Name the host with --host: demo, other"):
        run_policies("ABC123DEF")
    run_policies("ABC123DEF", "--host", "other")
    assert stores.executions.listed().items[0].host_name == "other"
    for refused in ("closed", "127.0.0.1"):
        with pytest.raises(CommandError, match="not one of the hosts that runs may go to"):
            run_policies("ABC123DEF", "--host", refused)


def test_what_cannot_be_launched_is_said_in_a_sentence(host, run_policies, stores, tmp_path):
    broken = tmp_path / "broken.csv"
    broken.write_bytes(b"PK\x03\x04\0\0")
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("policy\nABC123DEF\nSHORT\nABC-123-D\n")
    cases = [
        ((), {}, "Give at least one policy number."),
        (("ABC123DEF", "--file", wrong), {}, "not both"),
        (("--file", broken), {}, "This is not a text file."),
        (("--file", tmp_path / "missing.csv"), {}, "cannot be read: No such file or directory."),
        (("--file", wrong), {}, r"2 entries are not a policy number.*\n  line 3: .*this has 5\n  line 4: .*not -"),
        (("ABC123DEF", "SHORT"), {}, r"1 entry is not a policy number.*\n  line 2: "),
        (("ABC123DEF", "--ast", "erase"), {}, "There is no AST erase"),
        (("ABC123DEF",), {"stdin": "DEMO01\n"}, "as two lines on stdin"),
        (("ABC123DEF",), {"stdin": "DEMO01\n\n"}, "Give the host user id and its password."),
    ]
    for arguments, options, sentence in cases:
        with pytest.raises(CommandError, match=sentence):
            run_policies(*arguments, **options)
    assert stores.executions.listed().items == []


def test_following_shows_the_way_and_ends_with_a_table_and_its_exit_code(run_policies, stores):
    with worker_and_demo_host(stores) as port:
        stores.hosts.add(host_row(port))
        said = run_policies(*good_policies(8), faulty_policy("UNK"), "--follow")
        with pytest.raises(SystemExit) as left:
            run_policies("ZZZ999999", "--follow")
        with pytest.raises(SystemExit):
            run_policies(*good_policies(3), "--follow", stdin="DEMO01\nWRONGPW\n")

    assert "9/9" in said
    assert ": success" in said
    table = dict(line.strip("│┃ ").split("│") for line in said.splitlines() if line.count("│") == 3)
    assert {name.strip(): int(number) for name, number in table.items()} == {
        "success": 8,
        "failed": 1,
        "skipped": 0,
        "unknown": 0,
    }
    assert faulty_policy("UNK") in said.rpartition("unknown")[2], "what failed is named"
    assert left.value.code == 1
    assert PASSWORD not in said


def test_as_a_process_it_keeps_stdout_for_json_and_exits_with_one_for_bad_numbers(host, in_process, stores):
    good, bad = in_process("ABC123DEF", "--json"), in_process("ABC123DEF", "SHORT", "--json")
    arguments = Path(f"/proc/{good.pid}/cmdline").read_bytes()
    out, _ = good.communicate(f"DEMO01\n{PASSWORD}\n", timeout=20)
    nothing, errors = bad.communicate(f"DEMO01\n{PASSWORD}\n", timeout=20)

    assert (good.returncode, json.loads(out)["total"]) == (0, 1)
    assert PASSWORD.encode() not in arguments
    assert (bad.returncode, nothing) == (1, "")
    assert "line 2: SHORT: a policy number has 9 characters, this has 5" in errors
    assert "Traceback" not in errors


def test_ctrl_c_leaves_the_run_going_and_says_where_to_watch_it(host, in_process, stores):
    process = in_process("ABC123DEF", "--follow")
    process.stdin.write(f"DEMO01\n{PASSWORD}\n")
    process.stdin.close()
    launched = process.stdout.readline()
    assert launched.startswith("Run ")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.wait(10)
    said = process.stdout.read()

    run = stores.executions.listed().items[0]
    assert process.returncode == 130
    assert f"--watch {run.execution_id}" in said
    assert f"--cancel {run.execution_id}" in said
    found = stores.executions.get(run.execution_id, consistent=True)
    assert (found.status, found.queue) == (RunStatus.PENDING, "open")


def test_a_run_can_be_cancelled_and_looked_at_from_the_command_line(host, run_policies, stores):
    run_policies("ABC123DEF")
    key = stores.executions.listed().items[0].execution_id

    run_policies("--cancel", key)
    assert stores.executions.get(key).status is RunStatus.CANCELLED
    with pytest.raises(SystemExit) as ended:
        run_policies("--watch", key)
    assert ended.value.code == 1
    with pytest.raises(CommandError, match="no such run"):
        run_policies("--watch", "01M7WM00000000000000000000")
