"""The proxy does to a request what its plan says, and nothing else."""

import http.client
import json
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from apps.storage.connection import Store
from apps.storage.engine import EngineKind
from tests.conftest import create_tables, new_store
from tests.storage.fault_proxy import Fault, FaultProxy, always, by_chance, fault_proxy, in_turn
from tests.storage.things import THINGS, Things, some_id

NOON = "1772366400000"


@pytest.fixture(scope="module")
def direct(engine_endpoint: Callable[[EngineKind], str]) -> Store:
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, THINGS)
    return store


@pytest.fixture(scope="module")
def proxy(direct: Store) -> Iterator[FaultProxy]:
    with fault_proxy(str(direct.endpoint), slow_seconds=0.03, hang_seconds=0.2) as proxy:
        yield proxy


class Wire:
    """One kept connection to the proxy, without anything that would repair what comes back."""

    def __init__(self, proxy: FaultProxy, store: Store) -> None:
        self.table = store.physical(THINGS)
        self.connection = http.client.HTTPConnection(str(urlsplit(proxy.address).netloc), timeout=2)

    def ask(self, operation: str, **request: Any) -> tuple[int, bytes, http.client.HTTPMessage]:
        headers = {
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Date": "20260301T120000Z",
            "Authorization": "AWS4-HMAC-SHA256 Credential=a/20260301/eu-west-1/dynamodb/aws4_request, "
            "SignedHeaders=host;x-amz-date, Signature=0",
        }
        self.connection.request("POST", "/", json.dumps(request), headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read(), answer.headers

    def put(self, thing_id: str) -> tuple[int, bytes, http.client.HTTPMessage]:
        item = {"thingId": {"S": thing_id}, "madeAt": {"N": NOON}}
        return self.ask("PutItem", TableName=self.table, Item=item, ReturnConsumedCapacity="TOTAL")


@pytest.fixture
def wire(proxy: FaultProxy, direct: Store) -> Iterator[Wire]:
    wire = Wire(proxy, direct)
    yield wire
    wire.connection.close()


def stored(store: Store, thing_id: str) -> bool:
    return Things(store).find((thing_id, NOON), consistent=True) is not None


def test_without_a_plan_everything_goes_through_on_one_connection(wire: Wire, proxy: FaultProxy, direct: Store) -> None:
    ids = [some_id() for _ in range(3)]
    with proxy.planned(lambda _: None):
        assert [wire.put(thing_id)[0] for thing_id in ids] == [200] * 3
        kept = wire.connection.sock
        status, body, headers = wire.put(ids[0])
        assert wire.connection.sock is kept
        assert proxy.done == {("PutItem", None): 4}
        assert proxy.operations == ["PutItem"]
    assert status == 200
    assert int(headers["x-amz-crc32"]) == zlib.crc32(body)
    assert all(stored(direct, thing_id) for thing_id in ids)


@pytest.mark.parametrize(
    ("fault", "status", "says", "written"),
    [
        (Fault.THROUGHPUT_EXCEEDED, 400, b"#ProvisionedThroughputExceededException", False),
        (Fault.THROTTLED, 400, b"#ThrottlingException", False),
        (Fault.LIMIT_EXCEEDED, 400, b"#RequestLimitExceeded", False),
        (Fault.CONFLICT, 400, b"#TransactionConflictException", False),
        (Fault.SERVER_ERROR, 500, b"#InternalServerError", False),
        (Fault.SERVER_ERROR_AFTER, 500, b"#InternalServerError", True),
        (Fault.BAD_GATEWAY, 502, b"<html>", False),
        (Fault.OUT_OF_SERVICE, 503, b"<html>", False),
        (Fault.HTML, 200, b"<html>", True),
        (Fault.EMPTY, 200, b"", True),
        (Fault.NO_OBJECT, 200, b"[", True),
    ],
)
def test_other_answers_come_before_or_after_the_write(
    wire: Wire, proxy: FaultProxy, direct: Store, fault: Fault, status: int, says: bytes, written: Any
) -> None:
    thing_id = some_id()
    with proxy.planned(always(fault, "PutItem")):
        got, body, _ = wire.put(thing_id)
        assert proxy.count(fault) == 1
    assert (got, says in body) == (status, True)
    assert stored(direct, thing_id) is written
    assert wire.put(thing_id)[0] == 200, "the connection goes on"


@pytest.mark.parametrize(("fault", "written"), [(Fault.RESET_BEFORE, False), (Fault.RESET_AFTER, True)])
def test_a_reset_comes_before_or_after_the_write(
    wire: Wire, proxy: FaultProxy, direct: Store, fault: Fault, written: Any
) -> None:
    thing_id = some_id()
    with proxy.planned(always(fault)), pytest.raises(ConnectionResetError):
        wire.put(thing_id)
    assert stored(direct, thing_id) is written


def test_a_cut_answer_is_shorter_than_it_says(wire: Wire, proxy: FaultProxy, direct: Store) -> None:
    thing_id = some_id()
    with proxy.planned(always(Fault.CUT)), pytest.raises(http.client.IncompleteRead):
        wire.put(thing_id)
    assert stored(direct, thing_id)


def test_a_shortened_answer_says_its_own_length_but_is_no_json(wire: Wire, proxy: FaultProxy, direct: Store) -> None:
    thing_id = some_id()
    with proxy.planned(always(Fault.SHORTENED)):
        status, body, headers = wire.put(thing_id)
    assert (status, int(headers["content-length"]), headers["x-amz-crc32"]) == (200, len(body), None)
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
    assert stored(direct, thing_id)


def test_a_wrong_checksum_comes_with_the_right_answer(wire: Wire, proxy: FaultProxy, direct: Store) -> None:
    thing_id = some_id()
    with proxy.planned(always(Fault.WRONG_CRC)):
        _, body, headers = wire.put(thing_id)
    assert "ConsumedCapacity" in json.loads(body)
    assert int(headers["x-amz-crc32"]) != zlib.crc32(body)
    assert stored(direct, thing_id)


@pytest.mark.parametrize(("fault", "seconds"), [(Fault.SLOW, 0.03), (Fault.HANGS, 0.2)])
def test_a_late_answer_comes_late_after_a_prompt_write(
    wire: Wire, proxy: FaultProxy, direct: Store, fault: Fault, seconds: float
) -> None:
    thing_id = some_id()
    started = time.monotonic()
    with proxy.planned(always(fault)):
        assert wire.put(thing_id)[0] == 200
    assert time.monotonic() - started >= seconds
    assert stored(direct, thing_id)


def test_a_partial_batch_does_half_and_returns_the_rest(wire: Wire, proxy: FaultProxy, direct: Store) -> None:
    ids = [some_id() for _ in range(5)]
    keys = [{"thingId": {"S": thing_id}, "madeAt": {"N": NOON}} for thing_id in ids]
    puts = [{"PutRequest": {"Item": key}} for key in keys]
    with proxy.planned(always(Fault.PARTIAL)):
        _, body, _ = wire.ask("BatchWriteItem", RequestItems={wire.table: puts})
        assert json.loads(body)["UnprocessedItems"] == {wire.table: puts[2:]}
        assert [stored(direct, thing_id) for thing_id in ids] == [True, True, False, False, False]
        _, body, _ = wire.ask("BatchGetItem", RequestItems={wire.table: {"Keys": keys[:3]}})
        answer = json.loads(body)
        assert answer["Responses"] == {wire.table: keys[:1]}
        assert answer["UnprocessedKeys"] == {wire.table: {"Keys": keys[1:3]}}
        _, body, _ = wire.ask("BatchGetItem", RequestItems={wire.table: {"Keys": keys[:1]}})
        assert json.loads(body) == {"Responses": {}, "UnprocessedKeys": {wire.table: {"Keys": keys[:1]}}}
        assert wire.put(ids[4])[0] == 200
        assert proxy.done["PutItem", None] == 1


def test_a_request_whose_sender_is_gone_never_reaches_the_engine(proxy: FaultProxy, direct: Store) -> None:
    thing_id = some_id()
    wire = Wire(proxy, direct)
    with proxy.planned(always(Fault.HANGS_BEFORE, "PutItem")):
        wire.connection.timeout = 0.05
        with pytest.raises(TimeoutError):
            wire.put(thing_id)
        wire.connection.close()
        time.sleep(0.3)
    assert not stored(direct, thing_id)


def test_faults_come_in_turn_and_then_no_more(wire: Wire, proxy: FaultProxy) -> None:
    with proxy.planned(in_turn(Fault.SERVER_ERROR, None, Fault.THROTTLED)):
        assert [wire.put("turn")[0] for _ in range(5)] == [500, 200, 400, 200, 200]


def test_a_seed_gives_the_same_faults_every_time() -> None:
    shares = {Fault.THROTTLED: 0.1, Fault.PARTIAL: 0.1, Fault.CUT: 0.05}
    plans = [by_chance(shares, seed=7) for _ in range(2)]
    drawn = [[plan("BatchGetItem") for _ in range(2000)] for plan in plans]
    assert drawn[0] == drawn[1]
    assert [drawn[0].count(fault) / 2000 for fault in shares] == pytest.approx([0.1, 0.1, 0.05], abs=0.02)
    other = by_chance(shares, seed=8)
    assert Fault.PARTIAL not in [other("GetItem") for _ in range(2000)]
