"""Declared costs: what a test may ask of the store at most; more than that, or any scan that was not said, fails it.

Around a part of a test, `with costs(requests=2, rcu=1.5) as cost:`; around all of it,
`@pytest.mark.costs(requests=2, rcu=1.5)`. Limits are those of `within`.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from apps.storage.metering import Cost, metering, plain

GETS = ("get_item", "batch_get_item", "transact_get_items")
WRITES = ("put_item", "update_item", "delete_item", "batch_write_item", "transact_write_items")
ROUNDING = 1e-6

Costs = Callable[..., AbstractContextManager[Cost]]


@contextmanager
def within(
    *,
    requests: int | None = None,
    rcu: float | None = None,
    wcu: float | None = None,
    gets: int | None = None,
    queries: int | None = None,
    writes: int | None = None,
    scans: int = 0,
) -> Iterator[Cost]:
    """Fail the test where the block asks for more than is said here.

    Requests are counted whether they were answered or not; None allows any number. Read and write units are those that
    the engine tells. Where the block breaks, its own error goes on.
    """
    with metering() as cost:
        yield cost
    allowed = {
        "requests": (cost.total_requests + cost.total_failed, requests),
        "RCU": (cost.read_units, rcu),
        "WCU": (cost.write_units, wcu),
        "gets": (_asked(cost, *GETS), gets),
        "queries": (_asked(cost, "query"), queries),
        "writes": (_asked(cost, *WRITES), writes),
        "scans": (cost.scans, scans),
    }
    beyond = [
        f"  {what}: {plain(found)}, declared at most {plain(most)}"
        for what, (found, most) in allowed.items()
        if most is not None and found > most + ROUNDING
    ]
    if beyond:
        asked = cost.table().replace("\n", "\n  ")
        pytest.fail("\n".join(["This costs more than it may:", *beyond, "Asked of the store:", f"  {asked}"]))


@pytest.fixture
def costs() -> Costs:
    """Declare what a block may cost: `with costs(requests=2, rcu=1.5, wcu=0) as cost:`."""
    return within


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "costs(requests, rcu, wcu, gets, queries, writes, scans=0): what the test may ask of the store"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Hold a marked test to its cost; its fixtures are not counted."""
    declared = item.get_closest_marker("costs")
    if declared is None:
        return (yield)
    with within(*declared.args, **declared.kwargs):
        return (yield)


def _asked(cost: Cost, *operations: str) -> int:
    lines = [cost.of(operation=operation) for operation in operations]
    return sum(line.requests + line.failed for line in lines)
