"""What every test may ask for: a store of its own on the real engine."""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

from apps.storage import connection
from apps.storage.connection import DataPlaneName, Store
from apps.storage.engine import EngineKind, memory_engine
from apps.storage.registry import declared_tables
from apps.storage.schema.apply import creation
from apps.storage.table import Table

pytest_plugins = ("tests.costs",)

DATA_DIR = Path(__file__).resolve().parent.parent / ".rungs"


@pytest.fixture(scope="session")
def engine_endpoint() -> Iterator[Callable[[EngineKind], str]]:
    """The address of an in-memory engine of a kind, started when first asked for."""
    with ExitStack() as engines:
        yield cache(lambda kind: engines.enter_context(memory_engine(DATA_DIR, kind=kind)))


# Every engine, by every data plane: parameters for what must hold wherever Rungs runs.
EVERY_WAY = [
    pytest.param((kind, data_plane), id=f"{kind}-{data_plane}")
    for kind in EngineKind
    for data_plane in get_args(DataPlaneName)
]


def new_store(endpoint: str, *, data_plane: DataPlaneName = "fast") -> Store:
    """A store whose tables nobody else has."""
    return Store(**of_its_own(endpoint), data_plane=data_plane)


def of_its_own(endpoint: str) -> dict[str, Any]:
    """What makes a store one that nobody else uses."""
    return {
        "environment": "dev",
        "prefix": f"t{secrets.token_hex(5)}",
        "endpoint": endpoint,
        "region": "eu-west-1",
    }


class FilledStore(Store):
    """A store that makes each declared table when something first asks for its name: a test needs a few of them."""

    def __init__(self, *, endpoint: str) -> None:
        super().__init__(**of_its_own(endpoint))
        self._to_make = {table.name: table for table in declared_tables()}
        self._making = threading.RLock()

    def physical(self, table: Table) -> str:
        physical = super().physical(table)
        if self._to_make.get(table.name) == table:
            with self._making:
                if table.name in self._to_make:
                    self.client.create_table(**creation(table, physical, environment="dev"))
                    del self._to_make[table.name]
        return physical

    def fill(self) -> None:
        """Make them all, for who looks at the tables another way."""
        for table in tuple(self._to_make.values()):
            self.physical(table)

    def prompt(self) -> Store:
        prompt = super().prompt()
        prompt.physical = self.physical
        return prompt


def create_tables(store: Store, *tables: Table) -> None:
    """Create tables as setup would, in the engine's own time of a few milliseconds each."""
    for table in tables:
        store.client.create_table(**creation(table, store.physical(table), environment="dev"))


@pytest.fixture
def empty_store(engine_endpoint: Callable[[EngineKind], str]) -> Store:
    """A store without tables."""
    return new_store(engine_endpoint(EngineKind.DYNOXIDE))


@pytest.fixture
def store(engine_endpoint: Callable[[EngineKind], str], monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with every declared table, which is also the process's default store."""
    filled = FilledStore(endpoint=engine_endpoint(EngineKind.DYNOXIDE))
    monkeypatch.setattr(connection, "_default", filled)
    return filled


@pytest.fixture(autouse=True)
def no_store_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that does not ask for a store finds one that nobody answers at."""
    nowhere = Store(environment="dev", prefix="none", endpoint="http://127.0.0.1:9", region="eu-west-1")
    monkeypatch.setattr(connection, "_default", nowhere)


@pytest.fixture
def in_threads() -> Callable[[int, Callable[[int], None]], None]:
    """Run something in several threads that start together; the first error is raised."""

    def run(number: int, work: Callable[[int], None]) -> None:
        barrier = threading.Barrier(number)
        errors: list[BaseException] = []

        def body(position: int) -> None:
            barrier.wait()
            try:
                work(position)
            except BaseException as error:  # noqa: BLE001  (handed to the test)
                errors.append(error)

        threads = [threading.Thread(target=body, args=(position,)) for position in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    return run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that mostly wait for leases to end, so that others run meanwhile."""
    items.sort(key=lambda item: "test_killed_workers" not in item.nodeid)
