"""How much memory a page of 1000 orders takes while it is read: boto3's resource, its client, and Rungs."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
PAGE = 1000
RUNS = 3
CHILD = "benchmarks.storage_memory"


def measure(endpoint: str, table: str) -> dict[str, dict[str, float]]:
    """Megabytes by way: what the process grew by at the peak, and what Python itself asked for; the least of three."""
    return {
        way: {
            "resident_mb": min(_child(endpoint, table, way, "resident") for _ in range(RUNS)),
            "python_mb": min(_child(endpoint, table, way, "python") for _ in range(RUNS)),
        }
        for way in ("boto3 resource", "boto3 client", "Rungs", "Rungs (boto3)")
    }


def table(told: dict[str, dict[str, float]]) -> Table:
    """As a table."""
    shown = Table(title=f"memory for a page of {PAGE} orders, megabytes at the peak (part of boto3's resource)")
    for heading in ("way", "growth of the process", "allocated by Python"):
        shown.add_column(heading, justify="left" if heading == "way" else "right")
    base = told["boto3 resource"]
    for way, each in told.items():
        shown.add_row(way, *(f"{each[what]:.1f} ({each[what] / base[what]:.2f})" for what in each))
    return shown


def _child(endpoint: str, table_name: str, way: str, what: str) -> float:
    """One reading in a fresh process."""
    command = [sys.executable, "-m", CHILD, endpoint, table_name, way, what]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    return float(done.stdout)


def _read(endpoint: str, table_name: str, way: str, what: str) -> float:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    import django  # noqa: PLC0415

    django.setup()
    from benchmarks.storage_ways import Client, Resource, Rungs, RungsOnBoto3  # noqa: PLC0415

    kind: Any = next(kind for kind in (Resource, Client, Rungs, RungsOnBoto3) if kind.name == way)
    made = kind(endpoint, table_name)
    made.get(0)  # loads whatever is loaded once
    return _python(made) if what == "python" else _resident(made)


def page(way: Any) -> Any:
    """One page as the way's users read it."""
    if not hasattr(way, "store"):
        return way.query(0)
    from apps.storage.conditions import Query  # noqa: PLC0415
    from benchmarks.storage_orders import OWNER  # noqa: PLC0415

    return way.orders.page(Query(partition=OWNER), limit=PAGE).items


def _python(way: Any) -> float:
    import tracemalloc  # noqa: PLC0415

    tracemalloc.start()
    kept = page(way)
    peak = tracemalloc.get_traced_memory()[1]
    assert len(kept) == PAGE  # noqa: S101
    return peak / 1e6


def _resident(way: Any) -> float:
    """Linux tells the greatest size of a process since it was last asked to forget it."""
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    kept = page(way)
    assert len(kept) == PAGE  # noqa: S101
    return (_status("VmHWM") - before) * 1024 / 1e6


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise LookupError(name)


if __name__ == "__main__":
    sys.stdout.write(str(_read(*sys.argv[1:5])))
