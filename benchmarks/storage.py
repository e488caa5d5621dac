"""What a call of the store costs: Rungs beside boto3 and other libraries, on one in-memory engine, in one run.

    .venv/bin/pip install -r requirements-bench.txt
    .venv/bin/python -m benchmarks.storage [--quick] [--json] [--memory] [--async]

Every way stores and reads the same orders; before anything is measured, each must give equal data. Then they take
turns, a few calls at a time, so that whatever else the machine does meets all of them. Told is the median of what one
call costs this process in CPU, threads of libraries included, and in time waited; and how many times less than boto3's
resource that is. The engine runs in a process of its own.
"""

import argparse
import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
os.environ.setdefault("RUNGS_LOG_LEVEL", "ERROR")

import django

django.setup()

from rich.console import Console
from rich.table import Table

from apps.storage.connection import Store
from apps.storage.engine import memory_engine
from apps.storage.schema.apply import creation
from benchmarks import storage_loops, storage_memory
from benchmarks.storage_limit import Limit
from benchmarks.storage_orders import ORDERS, Orders, first, name, order
from benchmarks.storage_peers import Aiodynamo, Pydynox, PynamoDB
from benchmarks.storage_ways import READ, REGION, WRITTEN, Client, Resource, Rungs, RungsOnBoto3, Way, ways

ROOT = Path(__file__).resolve().parent.parent
WAYS = (Resource, Client, PynamoDB, Pydynox, Aiodynamo, Rungs, RungsOnBoto3, Limit)
SHARED = 1000
# The operations with how many calls a turn has, and what the next delivery must reach against boto3's resource.
OPERATIONS: Mapping[str, tuple[str, int, float]] = {
    "get": ("get", 30, 1.3),
    "put": ("put", 30, 1.3),
    "update": ("conditional update", 30, 1.3),
    "query": ("query 1000", 1, 4.5),
    "batch_get": (f"batch get {READ}", 20, 5.0),
    "batch_write": (f"batch write {WRITTEN}", 10, 4.0),
    "transact": ("transact 2", 20, 1.6),
}
TURNS, QUICK_TURNS = 21, 2
Costs = dict[str, dict[str, dict[str, float]]]


def main() -> None:
    """Measure what was asked for and print it."""
    options = _options()
    with stage() as (endpoint, table):
        found, absent = ways(WAYS, endpoint, table)
        try:
            seed(endpoint, table, found)
            for way in found:
                check(way, found[0])
            if options.memory:
                told: Any = storage_memory.measure(endpoint, table)
            elif options.loops:
                told = storage_loops.measure(endpoint, table, quick=options.quick)
            else:
                told = measure(found, turns=QUICK_TURNS if options.quick else TURNS)
        finally:
            for way in found:
                way.close()
    if options.json:
        sys.stdout.write(json.dumps({"versions": versions(), "absent": absent, "measured": told}, indent=2) + "\n")
        return
    console = Console(width=140)
    console.print("  ".join(f"{package} {number}" for package, number in versions().items()))
    if options.memory:
        console.print(storage_memory.table(told))
    elif options.loops:
        console.print(storage_loops.table(told))
    else:
        show(console, told)
    for missing in absent:
        console.print(f"{missing} is not installed: .venv/bin/pip install -r requirements-bench.txt")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="a few calls only, to see that it works")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--memory", action="store_true", help="the memory that a page of 1000 takes instead")
    parser.add_argument("--async", action="store_true", dest="loops", help="ways to await a repository instead")
    return parser.parse_args()


@contextmanager
def stage() -> Iterator[tuple[str, str]]:
    """An engine with the table; its address and the table's name."""
    with memory_engine(ROOT / ".rungs") as endpoint:
        store = Store(environment="dev", prefix="bench", endpoint=endpoint, region=REGION)
        table = store.physical(ORDERS)
        store.client.create_table(**creation(ORDERS, table, environment="dev"))
        yield endpoint, table


def seed(endpoint: str, table: str, found: list[Way]) -> None:
    """The orders that all read, and three for each way to change."""
    store = Store(environment="dev", prefix="bench", names={ORDERS.name: table}, endpoint=endpoint, region=REGION)
    shared = [order(name(number)) for number in range(SHARED)]
    own = [order(name(number), way.name) for way in found for number in range(3)]
    Orders(store).put_many(shared + own)


def check(way: Way, reference: Way) -> None:
    """Every operation once; raises `AssertionError` where it does not give, or store, what it should."""
    shared = [first(order(name(number))) for number in range(SHARED)]
    equal(way, "get", way.seen(way.repeat("get", [0])), [shared[7]])
    equal(way, "query", way.seen(way.repeat("query", [0])), shared)
    equal(way, "batch get", way.seen(way.repeat("batch_get", [0])), shared[:READ])
    way.prepare([1])
    way.repeat("put", [1])
    way.repeat("batch_write", [1])
    own = [first(order(name(number), way.name)) for number in range(3)]
    changed = [{**item, "paid": 1, "version": way.changes + 1} for item in own]
    equal(way, "update", way.seen(way.repeat("update", [1])), changed[:1])
    way.repeat("transact", [1])
    new = [f"new-{1:08}", *(f"batch-{number:04}" for number in range(WRITTEN))]
    expected = [first(order(order_id, way.name)) for order_id in new]
    equal(way, "what it wrote", stored_by(way, reference), expected + changed)


def stored_by(way: Way, reference: Way) -> list[dict[str, Any]]:
    """What a way stored, read by boto3's resource."""
    from boto3.dynamodb.conditions import Key  # noqa: PLC0415

    assert isinstance(reference, Resource)  # noqa: S101
    found = reference.orders.query(KeyConditionExpression=Key("owner").eq(way.name), ConsistentRead=True)
    return reference.seen(found["Items"])


def equal(way: Way, what: str, got: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    """Raise `AssertionError` with the first difference."""
    got, expected = (sorted(items, key=lambda item: str(item.get("order_id"))) for items in (got, expected))
    if got == expected:
        return
    pairs = zip(got, expected, strict=False)
    differing = next(((one, other) for one, other in pairs if one != other), (len(got), len(expected)))
    raise AssertionError(f"{way.name}, {what}: {differing[0]} is not {differing[1]}")


def measure(found: list[Way], *, turns: int) -> Costs:
    """Microseconds of CPU and of time a call, medians over the turns."""
    samples: dict[tuple[str, str], list[tuple[float, float]]] = {}
    numbers = count(1000)
    gc.collect()
    gc.freeze()
    for _ in range(turns):
        for operation, (_, calls, _) in OPERATIONS.items():
            for way in found:
                mine = [next(numbers) for _ in range(calls)]
                way.prepare(mine)
                gc.collect()
                wall, cpu = time.perf_counter(), time.process_time()
                way.repeat(operation, mine)
                cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
                samples.setdefault((way.name, operation), []).append((cpu / calls, wall / calls))
    return {
        way.name: {
            operation: {
                "cpu_us": statistics.median(cpu for cpu, _ in samples[way.name, operation]) * 1e6,
                "wall_us": statistics.median(wall for _, wall in samples[way.name, operation]) * 1e6,
            }
            for operation in OPERATIONS
        }
        for way in found
    }


def show(console: Console, costs: Costs) -> None:
    """Two tables: CPU and time."""
    for measure_of, title in (("cpu_us", "client CPU, microseconds a call"), ("wall_us", "time, microseconds a call")):
        table = Table(title=f"{title} (times less than boto3's resource)")
        table.add_column("way")
        for heading, *_ in OPERATIONS.values():
            table.add_column(heading, justify="right")
        base = costs[Resource.name]
        for way, each in costs.items():
            cells = (
                f"{each[operation][measure_of]:,.0f} ({base[operation][measure_of] / each[operation][measure_of]:.1f})"
                for operation in OPERATIONS
            )
            table.add_row(way, *cells)
        if measure_of == "cpu_us":
            table.add_row("to reach", *(f"({target})" for *_, target in OPERATIONS.values()))
        console.print(table)


def versions() -> dict[str, str]:
    """What was measured."""
    found = {"Python": sys.version.split()[0]}
    for package in ("boto3", "botocore", "pydantic", "orjson", "pynamodb", "pydynox", "aiodynamo", "aiohttp"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


if __name__ == "__main__":
    main()
