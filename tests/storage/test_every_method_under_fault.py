"""Whatever the line does to any method of the layer: the right result, or an error that says where and what now."""

import json
import socket
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, get_args

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.retries import quota, standard

from apps.storage.connection import DataPlaneName, Store
from apps.storage.engine import EngineKind
from apps.storage.errors import ConditionFailed, Contention, OutcomeUnknown, StoreError, StoreUnavailable, Throttled
from apps.storage.metering import METERED
from apps.storage.plane import backoff
from apps.storage.table import Table
from tests.conftest import create_tables, new_store
from tests.storage.every_method import CASES, SILENT, TABLES, Case, World, methods_of_the_layer, still_time
from tests.storage.fault_proxy import BATCHES, MEETING_TRANSACTIONS, Fault, FaultProxy, always, fault_proxy, in_turn

Contents = dict[Table, list[Any]]

# After these nobody but the store knows whether it was done; the others end like one of them.
UNCLEAR = (
    *(Fault.SERVER_ERROR, Fault.SERVER_ERROR_AFTER, Fault.RESET_BEFORE, Fault.RESET_AFTER),
    *(Fault.CUT, Fault.SHORTENED, Fault.WRONG_CRC, Fault.EMPTY),
)
CLEAR = (Fault.THROUGHPUT_EXCEEDED, Fault.THROTTLED, Fault.LIMIT_EXCEEDED)


@pytest.fixture(scope="module")
def direct(engine_endpoint: Callable[[EngineKind], str]) -> Store:
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, *TABLES)
    return store


@pytest.fixture(scope="module")
def proxy(direct: Store) -> Iterator[FaultProxy]:
    with fault_proxy(str(direct.endpoint), slow_seconds=0.005, hang_seconds=0.6) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def furnished(direct: Store) -> Contents:
    with still_time():
        World(direct).furnish()
    return contents(direct)


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(standard.ExponentialBackoff, "delay_amount", lambda *_: 0.0)
    monkeypatch.setattr(quota.RetryQuota, "acquire", lambda *_: True)
    monkeypatch.setattr(backoff, "LONGEST_SECONDS", 0.0)
    with still_time():
        yield


def store_at(endpoint: str, like: Store, data_plane: DataPlaneName, **more: Any) -> Store:
    return Store(
        environment=like.environment,
        prefix=like.prefix,
        endpoint=endpoint,
        region="eu-west-1",
        data_plane=data_plane,
        **more,
    )


@pytest.fixture(scope="module", params=get_args(DataPlaneName))
def data_plane(request: pytest.FixtureRequest) -> DataPlaneName:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def world(proxy: FaultProxy, direct: Store, furnished: Contents, data_plane: DataPlaneName) -> World:
    return World(store_at(proxy.address, direct, data_plane, attempts=2, read_timeout_seconds=5))


def contents(direct: Store, tables: Iterable[Table] = TABLES) -> Contents:
    """All items of these tables."""
    found = {}
    for table in tables:
        answer = direct.call("scan", table=table.name, TableName=direct.physical(table), ConsistentRead=True)
        found[table] = answer["Items"]
    return found


def put_back(direct: Store, before: Contents, tables: Iterable[Table] = TABLES) -> None:
    """Everything in these tables as it was."""
    for table, now in contents(direct, tables).items():
        names = [key.name for key in table.keys]
        kept = [{name: item[name] for name in names} for item in before[table]]
        gone = [key for item in now if (key := {name: item[name] for name in names}) not in kept]
        changed = [item for item in before[table] if item not in now]
        requests = [{"DeleteRequest": {"Key": key}} for key in gone]
        requests += [{"PutRequest": {"Item": item}} for item in changed]
        if requests:
            direct.call("batch_write_item", table=table.name, RequestItems={direct.physical(table): requests})


def as_text(found: Contents, *, but: str = "version") -> set[str]:
    """For comparison, without versions: an update that was sent twice may have counted its version twice."""
    return {
        f"{table.name} {json.dumps({name: item[name] for name in item if name != but}, sort_keys=True)}"
        for table, items in found.items()
        for item in items
    }


def whole(error: BaseException) -> StoreError:
    """The error, after a look at all that it must tell."""
    assert isinstance(error, StoreError), repr(error)
    assert set(error.table.split("+")) <= {table.name for table in TABLES}
    assert error.table
    assert error.operation in METERED
    assert f"{error.operation} on {error.table}" in error.message
    assert error.message == str(error)
    assert error.table not in error.public_message
    assert error.key or error.operation not in {"get_item", "put_item", "update_item", "delete_item"}
    assert all(value in error.message and value not in error.public_message for value in error.key.values())
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    undone_batch = type(error) is Throttled and error.operation.startswith("batch_")  # answered, but not done
    assert isinstance(cause, BotoCoreError | ClientError) or undone_batch, repr(cause)
    may_pass = isinstance(error, Contention | StoreUnavailable) and not isinstance(error, OutcomeUnknown)
    assert error.retryable is may_pass
    return error


def ended(case: Case, world: World) -> tuple[Any, StoreError | None]:
    try:
        return case.call(world), None
    except Exception as error:  # noqa: BLE001  (whatever comes out is looked at)
        return None, whole(error)


def expected(case: Case, fault: Fault, operations: list[str]) -> type[StoreError] | None:
    """What a lasting fault must become; None for the right result."""
    if fault in CLEAR:
        return Throttled
    if fault is Fault.SLOW:
        return None
    if fault is Fault.PARTIAL:
        return Throttled if BATCHES.intersection(operations) else None
    if fault is Fault.CONFLICT:
        return Contention if not case.notes and MEETING_TRANSACTIONS.intersection(operations) else None
    return OutcomeUnknown if case.once or case.sums else StoreUnavailable


@dataclass(frozen=True)
class Rehearsal:
    """A call without any fault: its result, its requests, the tables it changed and what they hold then."""

    result: str
    requests: int
    operations: list[str]
    tables: list[Table]
    after: set[str]


def rehearsed(case: Case, world: World, proxy: FaultProxy, direct: Store, furnished: Contents) -> Rehearsal:
    put_back(direct, furnished)
    with proxy.planned(in_turn()):
        result = case.call(world)
        requests, operations = sum(proxy.done.values()), proxy.operations
    after = contents(direct)
    tables = [
        table for table in TABLES if as_text({table: after[table]}, but="") ^ as_text({table: furnished[table]}, but="")
    ]
    assert bool(tables) is case.changes
    return Rehearsal(repr(result), requests, operations, tables, as_text({table: after[table] for table in tables}))


@pytest.mark.parametrize("name", CASES)
def test_a_lasting_fault_is_told_and_never_taken_for_an_answer(
    proxy: FaultProxy, direct: Store, furnished: Contents, world: World, name: str
) -> None:
    case = CASES[name]
    right = rehearsed(case, world, proxy, direct, furnished)
    for fault in Fault:
        if fault in {Fault.HANGS, Fault.HANGS_BEFORE}:  # these take their time: see below
            continue
        put_back(direct, furnished, right.tables)
        with proxy.planned(always(fault)):
            result, error = ended(case, world)
        assert type(error) is (expected(case, fault, right.operations) or type(None)), f"{fault}: {error!r}"
        if error is None:
            is_right = repr(result) == right.result
            assert is_right is not (case.notes and fault is Fault.CONFLICT), f"{fault}: {result}"


@pytest.mark.parametrize("name", CASES)
def test_a_passing_fault_leaves_the_right_result_done_once(
    proxy: FaultProxy, direct: Store, furnished: Contents, world: World, name: str
) -> None:
    case = CASES[name]
    right = rehearsed(case, world, proxy, direct, furnished)
    before = as_text({table: furnished[table] for table in right.tables})
    for fault in (*UNCLEAR, Fault.THROTTLED, Fault.CONFLICT, Fault.PARTIAL):
        for earlier in range(right.requests):
            put_back(direct, furnished, right.tables)
            with proxy.planned(in_turn(*[None] * earlier, fault)):
                result, error = ended(case, world)
            left = as_text(contents(direct, right.tables))
            if case.once and fault in UNCLEAR:
                assert type(error) is OutcomeUnknown, f"{fault}: {error!r}, {result}"
                assert left in (right.after, before), fault
            elif case.claims and isinstance(error, ConditionFailed):
                assert not error.is_certain
                assert fault in UNCLEAR
                assert left == right.after
            else:
                assert (error, repr(result)) == (None, right.result), f"{fault} of request {earlier + 1}: {error!r}"
                assert left ^ right.after == set(), f"{fault} of request {earlier + 1}"


def test_a_store_that_hangs_is_told_by_every_method(
    proxy: FaultProxy, direct: Store, furnished: Contents, data_plane: DataPlaneName
) -> None:
    put_back(direct, furnished)
    world = World(store_at(proxy.address, direct, data_plane, attempts=1, read_timeout_seconds=0.2))
    world.store.warm()
    with proxy.planned(always(Fault.HANGS_BEFORE)), ThreadPoolExecutor(16) as pool:
        found = dict(zip(CASES, pool.map(lambda case: ended(case, world)[1], CASES.values()), strict=True))
    assert {name: type(error) for name, error in found.items()} == {
        name: OutcomeUnknown if case.once or case.sums else StoreUnavailable for name, case in CASES.items()
    }
    assert as_text(contents(direct)) ^ as_text(furnished) == set(), "nothing of that was done"


def test_a_store_that_is_down_is_told_by_every_method_with_certainty(direct: Store, data_plane: DataPlaneName) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    world = World(store_at(address, direct, data_plane, attempts=2))
    found = {name: ended(case, world)[1] for name, case in CASES.items()}
    assert {name for name, error in found.items() if type(error) is not StoreUnavailable} == set()
    assert all("does not answer" in str(error) for error in found.values())


@pytest.mark.parametrize("name", SILENT)
def test_what_only_makes_values_asks_nothing(proxy: FaultProxy, world: World, name: str) -> None:
    with proxy.planned(in_turn()):
        SILENT[name](world)
        assert not proxy.done


def test_every_method_of_the_layer_is_tried() -> None:
    assert methods_of_the_layer() == {name.partition(" ")[0] for name in CASES} | set(SILENT)
