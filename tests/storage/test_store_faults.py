"""Whatever happens to the store, what comes out is a sentence that says what to do."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread as SystemThread
from typing import Any, get_args

import pytest
from botocore import exceptions as botocore_errors
from botocore.exceptions import BotoCoreError, ClientError

from apps.errors import DomainError
from apps.storage.conditions import Query, Update, attribute
from apps.storage.connection import DataPlaneName, Store
from apps.storage.engine import EngineKind
from apps.storage.errors import (
    AccessDenied,
    AlreadyExists,
    BadCursor,
    ConditionFailed,
    Contention,
    Duplicate,
    ItemNotFound,
    ItemTooLarge,
    KeyRefused,
    OutcomeUnknown,
    SecretUnreadable,
    StaleVersion,
    StoreError,
    StoreUnavailable,
    TableMissing,
    Throttled,
    UnreadableItem,
    Unsupported,
    translate,
)
from apps.storage.plane import backoff
from apps.storage.requests import writing
from apps.storage.table import Table
from apps.storage.transaction import Transaction
from tests.conftest import EVERY_WAY, create_tables, new_store
from tests.storage.engines import without_credentials
from tests.storage.things import THINGS, Thing, Things

SECRET = "hunter2"
THING = Thing(thing_id="key-1", title=SECRET, text=SECRET, extra={"deep": [SECRET]})
KEY = (THING.thing_id, THING.made_at)

EVERY_CALL: dict[str, Callable[[Things], Any]] = {
    "get": lambda things: things.get(KEY),
    "get_many": lambda things: things.get_many([KEY]),
    "page": lambda things: things.page(Query(partition="key-1", filter=attribute("title").equals(SECRET))),
    "stream": lambda things: list(things.stream(Query(partition="key-1"))),
    "count": lambda things: things.count(Query(partition="key-1")),
    "keys": lambda things: things.keys(Query(partition="key-1"), limit=1),
    "leaf": lambda things: things.leaf(limit=1),
    "add": lambda things: things.add(THING),
    "save": lambda things: things.save(THING),
    "update": lambda things: things.update(KEY, Update(set={"text": SECRET})),
    "delete": lambda things: things.delete(KEY, condition=attribute("title").equals(SECRET)),
    "put_many": lambda things: things.put_many([THING]),
    "transaction": lambda things: Transaction(things.store, things.adding(THING)).commit(),
}


@dataclass
class Server:
    """Something that answers, but not as the store should."""

    status: int = 400
    code: str = ""
    message: str = "said so"
    body: bytes | None = None
    delay_seconds: float = 0.0
    hangs_up: bool = False
    first_only: int = 10**6
    asked: list[str] = field(default_factory=list)

    def answer(self) -> tuple[int, bytes]:
        if len(self.asked) > self.first_only:
            return 200, b"{}"
        named = {"__type": f"com.amazonaws.dynamodb.v20120810#{self.code}", "message": self.message}
        return self.status, json.dumps(named).encode() if self.body is None else self.body


@dataclass
class Stage:
    """The socket that plays one script after another: a client is slow to make."""

    address: str = ""
    script: Server = field(default_factory=Server)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    stage = Stage()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            script = stage.script
            script.asked.append(self.headers["X-Amz-Target"].rpartition(".")[2])
            time.sleep(script.delay_seconds)
            if script.hangs_up:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, body = script.answer()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = SystemThread(target=http.serve_forever, args=(0.02,))
    thread.start()
    stage.address = f"http://127.0.0.1:{http.server_address[1]}"
    try:
        yield stage
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


@pytest.fixture
def server(stage: Stage) -> Server:
    stage.script = Server()
    return stage.script


@pytest.fixture(scope="module", params=get_args(DataPlaneName))
def shared(request: pytest.FixtureRequest, stage: Stage) -> Things:
    """The things at that server, by each data plane."""
    return Things(store_at(stage.address, data_plane=request.param))


def store_at(endpoint: str | None, *, attempts: int = 1, data_plane: DataPlaneName = "fast") -> Store:
    return Store(
        environment="dev",
        prefix="faults",
        endpoint=endpoint,
        region="eu-west-1",
        attempts=attempts,
        read_timeout_seconds=0.3,
        data_plane=data_plane,
    )


@pytest.fixture(scope="module", params=get_args(DataPlaneName))
def closed(request: pytest.FixtureRequest) -> Store:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return store_at(f"http://127.0.0.1:{port}", data_plane=request.param)


def tells(error: DomainError, *, remedies: bool = True) -> str:
    """The sentence, after a look at how it reads."""
    told = error.message
    assert told[0].isupper()
    assert told.rstrip().endswith((".", "said so"))
    assert SECRET not in told + repr(error)
    assert "botocore" not in told.lower()
    assert bool(getattr(error, "remedies", ())) is remedies
    return told


@pytest.mark.parametrize("call", EVERY_CALL.values(), ids=EVERY_CALL)
def test_a_store_that_is_down_is_told_by_every_call(closed: Store, call: Callable[[Things], Any]) -> None:
    with pytest.raises(StoreUnavailable) as error:
        call(Things(closed))
    assert type(error.value) is StoreUnavailable
    assert "The store does not answer" in tells(error.value)
    assert error.value.retry_after_seconds == 5
    assert "AWS_ENDPOINT_URL_DYNAMODB" in error.value.remedies[0]


@pytest.mark.parametrize("call", EVERY_CALL.values(), ids=EVERY_CALL)
def test_a_failing_store_is_told_by_every_call_and_names_only_keys(
    server: Server, shared: Things, call: Callable[[Things], Any]
) -> None:
    server.status, server.code, server.message = 500, "InternalServerError", "the value hunter2 broke it"
    with pytest.raises(StoreUnavailable) as error:
        call(shared)
    told = tells(error.value, remedies=False)
    assert "The store failed" in told
    assert "on Things" in told


def test_an_error_names_the_operation_the_table_and_the_key(server: Server, shared: Things) -> None:
    server.status, server.code = 503, "ServiceUnavailable"
    with pytest.raises(StoreUnavailable, match=r"get_item on Things for key thingId=key-1, madeAt=1772366400000"):
        shared.get(KEY)


EXPECTED = [
    (400, "ProvisionedThroughputExceededException", Throttled, "The store is busy", False),
    (400, "ThrottlingException", Throttled, "The store is busy", False),
    (400, "RequestLimitExceeded", Throttled, "The store is busy", False),
    (400, "ResourceNotFoundException", TableMissing, "Table Things or an index of it does not exist", True),
    (400, "AccessDeniedException", AccessDenied, "These credentials may not do this", True),
    (400, "UnrecognizedClientException", AccessDenied, "AWS does not accept these credentials", True),
    (400, "ExpiredTokenException", AccessDenied, "AWS does not accept these credentials", True),
    (400, "InvalidSignatureException", AccessDenied, "AWS does not accept these credentials", True),
    (400, "MissingAuthenticationTokenException", AccessDenied, "AWS does not accept these credentials", True),
    (400, "LimitExceededException", StoreUnavailable, "a limit is reached", True),
    (429, "SlowDown", Throttled, "The store is busy", False),
    (403, "ExpiredToken", AccessDenied, "AWS does not accept these credentials", True),
    (403, "AccessDenied", AccessDenied, "These credentials may not do this", True),
    (413, "RequestEntityTooLargeException", ItemTooLarge, "The request is larger than DynamoDB takes", False),
    (400, "InaccessibleEncryptionCredentialsException", StoreUnavailable, "The key that encrypts the table", True),
    (400, "KMSAccessDeniedException", StoreUnavailable, "The key that encrypts the table", True),
    (400, "", StoreUnavailable, "is no DynamoDB", True),
    (400, "UnknownOperationException", Unsupported, "This engine does not offer", False),
    (500, "InternalServerError", StoreUnavailable, "The store failed", False),
]


@pytest.mark.parametrize(("status", "code", "kind", "says", "remedies"), EXPECTED, ids=[row[1] for row in EXPECTED])
def test_each_refusal_of_the_store_has_its_own_sentence(
    server: Server, shared: Things, status: int, code: str, kind: type[DomainError], says: str, remedies: Any
) -> None:
    server.status, server.code = status, code
    with pytest.raises(kind) as error:
        shared.get(KEY)
    assert type(error.value) is kind
    assert says in tells(error.value, remedies=remedies)


@pytest.mark.parametrize(("status", "code", "kind"), [row[:3] for row in EXPECTED], ids=[row[1] for row in EXPECTED])
def test_each_refusal_says_where_it_happened_to_programs_but_not_to_pages(
    server: Server, shared: Things, status: int, code: str, kind: type[DomainError]
) -> None:
    server.status, server.code = status, code
    with pytest.raises(kind) as error:
        shared.get(KEY)
    told = error.value
    assert isinstance(told, StoreError)
    assert (told.table, told.operation) == ("Things", "get_item")
    assert told.key == {"thingId": "key-1", "madeAt": "1772366400000"}
    assert "get_item on Things for key thingId=key-1, madeAt=1772366400000" in str(told)
    assert not any(part in told.public_message for part in ("get_item", "Things", "key-1"))
    assert isinstance(told.__cause__, ClientError)
    assert told.__cause__.response["Error"]["Code"] == code
    lasting = {TableMissing, AccessDenied, Unsupported, ItemTooLarge}
    is_of_the_key = code.startswith(("KMS", "Inaccessible"))
    assert told.retryable is not (kind in lasting or is_of_the_key or code == "")


def test_another_server_at_the_address_is_not_worth_another_try(server: Server, shared: Things) -> None:
    server.status, server.body = 404, b"<html></html>"
    with pytest.raises(StoreUnavailable) as error:
        shared.get(KEY)
    assert not error.value.retryable
    server.status = 502
    with pytest.raises(StoreUnavailable) as error:
        shared.get(KEY)
    assert error.value.retryable


@pytest.mark.parametrize(
    ("kind", "retryable"),
    [
        *((kind, True) for kind in (StoreUnavailable, Throttled, Contention)),
        *((kind, False) for kind in (OutcomeUnknown, TableMissing, AccessDenied, SecretUnreadable, Unsupported)),
        (UnreadableItem, False),
        (KeyRefused, False),
        *((kind, False) for kind in (ItemNotFound, AlreadyExists, ConditionFailed, StaleVersion, Duplicate)),
        *((kind, False) for kind in (ItemTooLarge, BadCursor)),
    ],
)
def test_each_kind_of_error_says_whether_trying_again_makes_sense(kind: type[StoreError], retryable: Any) -> None:
    assert kind("It did not work.").retryable is retryable


def test_an_error_keeps_the_place_where_it_happened_first() -> None:
    error = ItemNotFound("There is no such thing.").at(
        table="Things", operation="get_item", key={"thingId": {"S": "a"}, "madeAt": {"N": "1"}}
    )
    assert error.at(table="Others", operation="query") is error
    assert str(error) == error.message == "There is no such thing (get_item on Things for key thingId=a, madeAt=1)."
    assert error.public_message == "There is no such thing."
    assert (error.table, error.operation, error.key) == ("Things", "get_item", {"thingId": "a", "madeAt": "1"})


def test_a_change_without_a_known_outcome_says_to_look_first(server: Server, shared: Things) -> None:
    server.hangs_up = True
    with pytest.raises(OutcomeUnknown) as error:
        shared.update(KEY, Update(add={"amount": 1}))
    assert "not known whether this was written (update_item on Things for key thingId=key-1" in tells(error.value)
    assert error.value.public_message.startswith("It is not known whether this was written. Look at it")
    assert error.value.code == "outcome_unknown"


def test_a_throttled_request_is_sent_again_before_it_is_an_error(server: Server, stage: Stage) -> None:
    server.code, server.first_only = "ThrottlingException", 1
    assert Things(store_at(stage.address, attempts=2)).find(KEY) is None
    assert server.asked == ["GetItem", "GetItem"]


def test_a_store_that_hangs_is_given_up(server: Server, shared: Things) -> None:
    server.delay_seconds = 0.6
    started = time.monotonic()
    with pytest.raises(StoreUnavailable, match="does not answer"):
        shared.get(KEY)
    assert time.monotonic() - started < 2


def test_a_connection_that_breaks_is_told(server: Server, shared: Things) -> None:
    server.hangs_up = True
    with pytest.raises(StoreUnavailable, match="does not answer"):
        shared.get(KEY)


@pytest.mark.parametrize("status", [403, 404, 502])
def test_another_server_at_the_address_is_told(server: Server, shared: Things, status: int) -> None:
    server.status, server.body = status, b"<html><h1>Nothing to see</h1></html>"
    with pytest.raises(StoreUnavailable) as error:
        shared.get(KEY)
    assert f"{status}" in error.value.message


def test_a_write_that_meets_a_transaction_is_repeated(
    server: Server, shared: Things, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "LONGEST_SECONDS", 0.0)
    server.code, server.first_only = "TransactionConflictException", 3
    shared.delete(KEY)
    assert server.asked == ["DeleteItem"] * 4
    server.first_only = 10**6
    with pytest.raises(Contention, match="Others are changing the same things right now"):
        shared.add(THING)
    assert len(server.asked) == 4 + writing.CONTENTION_TRIES


def test_an_item_that_only_the_store_finds_too_large_is_told(server: Server, shared: Things) -> None:
    server.code, server.message = "ValidationException", "Item size to update has exceeded the maximum allowed size"
    with pytest.raises(ItemTooLarge, match="400 KB"):
        shared.update(KEY, Update(add={"amount": 1}))


# --- set up wrongly


def test_missing_credentials_are_told_with_the_ways_to_give_them(monkeypatch: pytest.MonkeyPatch) -> None:
    without_credentials(monkeypatch)
    with pytest.raises(AccessDenied) as error:
        Things(store_at(None)).get(KEY)
    assert "No usable AWS credentials were found" in tells(error.value)
    assert "AWS_PROFILE" in error.value.remedies[0]


def test_half_of_a_pair_of_credentials_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    without_credentials(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    with pytest.raises(AccessDenied, match="No usable AWS credentials"):
        Things(store_at(None)).get(KEY)


def test_a_local_engine_needs_no_credentials(
    engine_endpoint: Callable[[EngineKind], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_credentials(monkeypatch)
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, THINGS)
    assert Things(store).find(KEY) is None


@pytest.mark.parametrize(("variable", "region"), [("AWS_PROFILE", "eu-west-1"), ("UNUSED", "no region")])
def test_an_unknown_profile_or_region_is_told(monkeypatch: pytest.MonkeyPatch, variable: str, region: str) -> None:
    without_credentials(monkeypatch)
    monkeypatch.setenv(variable, "nobody")
    with pytest.raises(StoreUnavailable) as error:
        Things(Store(environment="dev", prefix="faults", region=region)).get(KEY)
    assert "AWS_REGION" in " ".join(error.value.remedies) or "AWS_PROFILE" in " ".join(error.value.remedies)


@pytest.fixture(scope="module", params=EVERY_WAY)
def bare(request: pytest.FixtureRequest, engine_endpoint: Callable[[EngineKind], str]) -> Store:
    kind, data_plane = request.param
    return new_store(engine_endpoint(kind), data_plane=data_plane)


@pytest.mark.parametrize("call", EVERY_CALL.values(), ids=EVERY_CALL)
def test_a_missing_table_is_told_by_every_call(bare: Store, call: Callable[[Things], Any]) -> None:
    with pytest.raises(TableMissing) as error:
        call(Things(bare))
    assert "Things" in tells(error.value)
    assert "manage.py setup_tables" in error.value.remedies[0]


@pytest.mark.parametrize("kind", EngineKind)
def test_a_missing_index_is_told(engine_endpoint: Callable[[EngineKind], str], kind: EngineKind) -> None:
    store = new_store(engine_endpoint(kind))
    create_tables(store, Table(name=THINGS.name, partition_key=THINGS.partition_key, sort_key=THINGS.sort_key))
    with pytest.raises(TableMissing, match="index of it does not exist"):
        Things(store).page(Query(partition="ada", index="owner-index"))


def test_an_index_that_is_not_declared_is_a_mistake_in_the_code(closed: Store) -> None:
    with pytest.raises(LookupError, match="Things declares no index nowhere"):
        Things(closed).page(Query(partition="x", index="nowhere"))


def test_a_profile_that_does_not_exist_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody-has-this")
    store = Store(environment="dev", prefix="x", endpoint="http://127.0.0.1:9", region="eu-west-1")
    with pytest.raises(AccessDenied, match="nobody-has-this") as error:
        store.call("list_tables", table="any")
    assert "AWS_PROFILE" in error.value.remedies[0]


@pytest.mark.parametrize(
    "error",
    [
        botocore_errors.UnauthorizedSSOTokenError(),
        botocore_errors.SSOTokenLoadError(profile_name="p", error_msg="it is gone"),
        botocore_errors.TokenRetrievalError(provider="sso", error_msg="it has expired"),
        botocore_errors.LoginRefreshRequired(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_session_with_aws_that_ended_says_how_to_begin_another(error: BotoCoreError) -> None:
    told = translate(error, operation="get_item", table="Things")
    assert isinstance(told, AccessDenied)
    assert not told.retryable
    assert "session with AWS ended" in tells(told)
    assert any("aws sso login" in remedy for remedy in told.remedies)


@pytest.mark.parametrize(
    "error",
    [
        botocore_errors.CredentialRetrievalError(provider="iam-role", error_msg="timeout"),
        botocore_errors.MetadataRetrievalError(error_msg="timeout"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_credentials_that_cannot_be_fetched_now_may_be_fetched_later(error: BotoCoreError) -> None:
    told = translate(error, operation="get_item", table="Things")
    assert type(told) is StoreUnavailable
    assert told.retryable
    assert "could not be fetched" in tells(told)


NOT_VALID, INVALID = "One or more parameter values are not valid. ", "One or more parameter values were invalid: "
NO_EMPTY_KEY = "The AttributeValue for a key attribute cannot contain an empty string value. "
REFUSED_KEYS = [
    f"{NOT_VALID}{NO_EMPTY_KEY}Key: id",
    f"{NOT_VALID}A value for a secondary index key is not supported. {NO_EMPTY_KEY}IndexName: i, IndexKey: k",
    f"{INVALID}Size of hashkey has exceeded the maximum size limit of2048 bytes",
    f"{INVALID}Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
]


def refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "PutItem")


@pytest.mark.parametrize("message", REFUSED_KEYS)
def test_a_key_that_only_the_store_finds_unfit_is_told(message: str) -> None:
    told = translate(refused("ValidationException", message), operation="put_item", table="Things")
    assert isinstance(told, KeyRefused)
    assert "empty or too long" in told.public_message


def test_a_request_that_is_malformed_otherwise_is_a_mistake_in_the_code() -> None:
    for message in ("Invalid UpdateExpression: Syntax error", "The provided key element does not match the schema"):
        with pytest.raises(ClientError):
            translate(refused("ValidationException", message), operation="put_item", table="Things")


def test_a_write_that_meets_one_in_another_region_is_contention() -> None:
    told = translate(refused("ReplicatedWriteConflictException", "no"), operation="put_item", table="Things")
    assert isinstance(told, Contention)
