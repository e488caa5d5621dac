"""How fast runs go: policies a second and requests a policy, against the demo host in a process of its own.

    .venv/bin/python -m benchmarks.policy_runs [POLICIES]

Every combination runs on the same in-memory engine, one after the other; the last column compares with the first row.
"""

import asyncio
import os
import secrets
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
os.environ.setdefault("RUNGS_LOG_LEVEL", "ERROR")

import django

django.setup()

from rich.console import Console
from rich.table import Table

from apps.accounts.entities import Role, User
from apps.policy_runs.asts import ASTS
from apps.policy_runs.asts.base import Credentials
from apps.policy_runs.handler import PolicyRunHandler
from apps.policy_runs.registry import synchronise_registry
from apps.policy_runs.services import LaunchRequest, launch
from apps.policy_runs.stores import Stores, stores_on
from apps.storage.connection import Store
from apps.storage.engine import memory_engine
from apps.storage.metering import metering
from apps.storage.registry import declared_tables
from apps.storage.schema.apply import set_up
from apps.terminal.demohost import FAULT_PREFIXES, PASSWORD, demo_policies
from apps.terminal.entities import Host

ROOT = Path(__file__).resolve().parent.parent
COMBINATIONS = ((0.0, 8), (0.0, 32), (0.2, 8), (0.2, 32))
WRITES = ("put_item", "update_item", "delete_item", "batch_write_item", "transact_write_items")


def main() -> None:
    """Run every combination and print the table."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    table = Table(title=f"{number:,} policies a run")
    headings = ("latency a screen", "sessions", "seconds", "policies/s", "write requests/policy", "WCU/policy", "ratio")
    for heading in headings:
        table.add_column(heading, justify="right")
    first = None
    with memory_engine(ROOT / ".rungs") as endpoint:
        store = Store(environment="dev", prefix="bench", endpoint=endpoint, region="us-east-1")
        set_up(store, declared_tables())
        stores = stores_on(store)
        synchronise_registry(stores, asts=ASTS, now=datetime.now(UTC))
        for latency, sessions in COMBINATIONS:
            seconds, writes, units = measure(stores, number=number, latency=latency, sessions=sessions)
            first = first or number / seconds
            table.add_row(
                f"{latency * 1000:.0f} ms",
                str(sessions),
                f"{seconds:.1f}",
                f"{number / seconds:.0f}",
                f"{writes / number:.3f}",
                f"{units / number:.1f}",
                f"{number / seconds / first:.2f}",
            )
    Console().print(table)


def measure(stores: Stores, *, number: int, latency: float, sessions: int) -> tuple[float, int, float]:
    """Seconds from claim to end, write requests (launch included), and write units of one run."""
    command = [sys.executable, "manage.py", "demo_host", "--port", "0", "--latency", str(latency)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None  # noqa: S101
        port = int(process.stdout.readline().rsplit(":", 1)[1].split()[0].strip("."))
        stores.hosts.put_many(
            [Host(host_name="bench", address="127.0.0.1", port=port, use_tls=False, sessions_at_once=sessions)]
        )
        with metering() as cost:
            run = launch(
                stores,
                actor=User(user_id="bench", email="bench@example.org", name="Bench", roles=frozenset({Role.ADMIN})),
                request=LaunchRequest(
                    ast_name="login", host_name="bench", numbers=numbers(number), key=secrets.token_hex(8)
                ),
                credentials=Credentials("DEMO01", PASSWORD),
                asts=ASTS,
                now=datetime.now(UTC),
            ).run
            began = time.monotonic()
            asyncio.run(PolicyRunHandler(lambda: stores).work(run.execution_id, owner="bench", stop=asyncio.Event()))
            seconds = time.monotonic() - began
        process.terminate()
    ended = stores.executions.get(run.execution_id, consistent=True)
    if ended.completed_items != number:
        raise SystemExit(f"the run ended as {ended.status.value} after {ended.completed_items} policies")
    return seconds, cost.count(*WRITES), cost.write_units


def numbers(count: int) -> tuple[str, ...]:
    """Policies of the demo book that answer without a fault, then ones that the host does not know."""
    known = [policy.policy_number for policy in demo_policies() if policy.policy_number[:3] not in FAULT_PREFIXES]
    return tuple((known + [f"NOT{position:06}" for position in range(count)])[:count])


if __name__ == "__main__":
    main()
