"""`kill -9` of `manage.py work`: nothing is lost, nothing is recorded twice."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from apps.jobs.entities import LEASE
from apps.policy_runs.asts import ASTS
from apps.policy_runs.asts.base import Credentials
from apps.policy_runs.entities import AstExecution, PolicyStatus, RunStatus
from apps.policy_runs.services import LaunchRequest, launch
from apps.storage.conditions import Query
from tests.policy_runs.conftest import PASSWORD, good_policies, host_row

ROOT = Path(__file__).resolve().parents[2]
KILLS = 10


@pytest.fixture
def worker(store, tmp_path) -> Callable[[], subprocess.Popen[bytes]]:
    """Start `manage.py work` on this test's store; every one is dead at the end."""
    store.fill()
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL_DYNAMODB": store.endpoint or "",
        "AWS_REGION": store.region,
        "RUNGS_TABLE_PREFIX": store.prefix,
        "RUNGS_DATA_DIR": str(ROOT / ".rungs"),
    }
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "work"]
        with (tmp_path / f"worker-{len(started)}.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


@contextmanager
def demo_host_process(tmp_path, latency: float) -> Iterator[int]:
    """The demo host in a process of its own; yields its port."""
    command = [sys.executable, "manage.py", "demo_host", "--port", "0", "--latency", str(latency)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        yield int("".join(mark if mark.isdigit() else " " for mark in line.rsplit(":", 1)[1]).split()[0])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        process.stdout.close()


def wait_for(condition: Callable[[], bool], *, seconds: float) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it did not happen in time"
        time.sleep(0.1)
    return time.monotonic() - began


def test_killed_at_ten_random_moments_runs_lose_nothing_and_record_nothing_twice(stores, operator, worker, tmp_path):
    chance = random.Random(20260301)  # noqa: S311  (moments to kill at)
    numbers = good_policies(40)
    with demo_host_process(tmp_path, latency=0.1) as port:
        stores.hosts.add(host_row(port, sessions_at_once=4))
        runs = [launch_one(stores, operator, numbers, key=f"run-number-{position}") for position in range(20)]

        def now(run: AstExecution) -> AstExecution:
            return stores.executions.get(run.execution_id, consistent=True)

        def recorded() -> int:
            return sum(now(run).completed_items for run in runs)

        for _ in range(KILLS):
            process = worker()
            fences = sum(now(run).fence for run in runs)
            wait_for(lambda fences=fences: sum(now(run).fence for run in runs) > fences, seconds=LEASE.seconds + 10)
            time.sleep(chance.uniform(0.0, 1.5))
            process.kill()
            process.wait()
        worker()
        wait_for(lambda: all(now(run).status.is_final for run in runs), seconds=90)

    for run in map(now, runs):
        results = list(stores.results.stream(Query(partition=run.execution_id), consistent=True))
        assert (run.status, run.success_count) == (RunStatus.SUCCESS, len(numbers))
        assert {result.policy_number for result in results} == set(numbers)
        assert {result.status for result in results} == {PolicyStatus.SUCCESS}
        # Version 1 is the pending row, version 2 the one result that was ever written over it.
        assert {result.version for result in results} == {2}
    assert sum(run.fence for run in map(now, runs)) > len(runs), "no kill hit a run that was being worked on"


def test_the_run_of_a_killed_worker_is_claimed_again_within_its_lease_and_five_seconds(
    stores, operator, worker, tmp_path
):
    with demo_host_process(tmp_path, latency=0.1) as port:
        stores.hosts.add(host_row(port, sessions_at_once=2))
        run = launch_one(stores, operator, good_policies(100), key="the-only-run")

        def fence() -> int:
            return stores.executions.get(run.execution_id, consistent=True).fence

        first = worker()
        wait_for(lambda: fence() == 1, seconds=20)
        worker()
        time.sleep(3)
        first.kill()
        first.wait()
        assert fence() == 1, "the second worker waited for its turn"
        took = wait_for(lambda: fence() == 2, seconds=LEASE.seconds + 5)

    assert took <= LEASE.seconds + 5


def launch_one(stores, operator, numbers, *, key: str) -> AstExecution:
    return launch(
        stores,
        actor=operator,
        request=LaunchRequest(ast_name="login", host_name="demo", numbers=tuple(numbers), key=key),
        credentials=Credentials("DEMO01", PASSWORD),
        asts=ASTS,
        now=datetime.now(UTC),
    ).run
