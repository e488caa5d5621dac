"""Both ways to the store say the same, repeat the same, and let nothing through that is no answer."""

import logging
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from apps.storage.connection import DataPlaneName, Store, configured_store
from apps.storage.engine import EngineKind
from apps.storage.plane import botocore_private as private
from apps.storage.plane.transport import Boto3Plane, FastPlane
from tests.conftest import create_tables, new_store
from tests.storage.teller import GOOD, Teller, get
from tests.storage.things import BOOKS

PLANES = get_args(DataPlaneName)
NO_TABLE = "nobody-dev-Nothing"


# --- the same requests, the same answers


def key(number: int) -> dict[str, Any]:
    return {"PK": {"S": "shelf"}, "SK": {"S": f"{number:03}"}}


VALUES = {
    "text": {"S": "ünï\u2028code \U0001f4da"},
    "empty": {"S": ""},
    "number": {"N": "-1.5E-7"},
    "flag": {"BOOL": False},
    "nothing": {"NULL": True},
    "bytes": {"B": b"\x00\xff raw"},
    "all": {"L": [{"M": {"deep": {"BS": [b"a", b"\xfe"]}}}, {"NS": ["1", "2"]}, {"SS": ["x"]}]},
}


def requests(table: str) -> list[tuple[str, dict[str, Any]]]:
    """A story of requests, good and bad."""
    named = {"TableName": table}
    mine = {"KeyConditionExpression": "PK = :pk", "ExpressionAttributeValues": {":pk": {"S": "shelf"}}}
    absent = {"ConditionExpression": "attribute_not_exists(PK)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    counted = {"ReturnConsumedCapacity": "INDEXES"}
    rise = {"UpdateExpression": "SET number = :n", "ExpressionAttributeValues": {":n": {"N": "7"}}}
    book = {**key(1), **VALUES}
    return [
        ("put_item", {**named, "Item": book, **counted}),
        ("put_item", {**named, "Item": book, **absent}),
        ("get_item", {**named, "Key": key(1), "ConsistentRead": True, **counted}),
        ("get_item", {**named, "Key": key(999)}),
        ("get_item", {"TableName": NO_TABLE, "Key": key(1)}),
        ("get_item", {**named, "Key": {"PK": {"S": "shelf"}}}),
        ("get_item", {**named, "Key": {**key(1), "SK": {"S": ""}}}),
        ("batch_write_item", {"RequestItems": {table: [{"PutRequest": {"Item": key(n)}} for n in range(2, 9)]}}),
        ("batch_write_item", {"RequestItems": {}}),
        ("update_item", {**named, "Key": key(2), **rise, "ReturnValues": "ALL_NEW"}),
        ("update_item", {**named, "Key": key(3), **rise, "ConditionExpression": "number = :n"}),
        ("update_item", {**named, "Key": key(2), "UpdateExpression": "SET nonsense"}),
        ("query", {**named, **mine, "Limit": 3, **counted}),
        ("query", {**named, **mine, "ScanIndexForward": False, "ExclusiveStartKey": key(4)}),
        ("query", {**named, **mine, "Select": "COUNT"}),
        ("query", {**named, **mine, "IndexName": "nowhere"}),
        ("scan", {**named, "Limit": 100}),
        ("batch_get_item", {"RequestItems": {table: {"Keys": [key(1), key(5), key(999)]}}}),
        (
            "transact_get_items",
            {"TransactItems": [{"Get": {**named, "Key": key(1)}}, {"Get": {**named, "Key": key(99)}}]},
        ),
        ("transact_write_items", {"TransactItems": [{"Update": {**named, "Key": key(2), **rise}}]}),
        (
            "transact_write_items",
            {
                "TransactItems": [
                    {"Update": {**named, "Key": key(2), **rise}},
                    {"Put": {**named, "Item": book, **absent}},
                ]
            },
        ),
        ("delete_item", {**named, "Key": key(1), "ReturnValues": "ALL_OLD"}),
        ("put_item", {**named, "Item": {**key(1), "text": {"S": ["no text"]}}}),
        ("put_item", {**named, "Item": {**key(1), "text": {"S": object()}}}),
        ("list_tables", {"Limit": 1}),
    ]


def texts(value: Any) -> Any:
    """Bytes as the text that stands for them in an answer."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, dict):
        return {name: texts(part) for name, part in value.items() if name != "ResponseMetadata"}
    return [texts(part) for part in value] if isinstance(value, list) else value


def said(store: Store, operation: str, request: dict[str, Any]) -> tuple[Any, ...]:
    try:
        answer = store.warm().send(operation, request)
    except ClientError as error:
        meta = error.response["ResponseMetadata"]
        code = type(error).__name__, error.operation_name, meta["HTTPStatusCode"], meta["RetryAttempts"]
        return *code, texts({name: part for name, part in error.response.items() if name != "message"})
    except BotoCoreError as error:
        return (type(error).__name__,)
    meta = answer["ResponseMetadata"]
    return texts(answer), meta["HTTPStatusCode"], meta["RetryAttempts"]


@pytest.mark.parametrize("kind", EngineKind)
def test_both_planes_give_equal_answers_and_equal_errors(
    engine_endpoint: Callable[[EngineKind], str], kind: EngineKind
) -> None:
    fast = new_store(engine_endpoint(kind))
    slow = Store(environment="dev", prefix=fast.prefix, endpoint=fast.endpoint, region="eu-west-1", data_plane="boto3")
    create_tables(fast, BOOKS)
    names = {}
    for store in (slow, fast):
        assert isinstance(store.warm(), FastPlane if store is fast else Boto3Plane)
        story = requests(store.physical(BOOKS))
        names[store.data_plane] = [(operation, said(store, operation, request)) for operation, request in story]
        for number in range(1, 10):
            store.warm().send("delete_item", {"TableName": store.physical(BOOKS), "Key": key(number)})
    for one, other in zip(names["fast"], names["boto3"], strict=True):
        assert one == other
    kinds = {outcome[0] for _, outcome in names["fast"] if isinstance(outcome[0], str)}
    assert {"ConditionalCheckFailedException", "ParamValidationError", "ResourceNotFoundException"} <= kinds
    assert kind is EngineKind.MOTO or "TransactionCanceledException" in kinds


@pytest.mark.parametrize("data_plane", PLANES)
def test_bytes_come_back_as_they_were_given(
    engine_endpoint: Callable[[EngineKind], str], data_plane: DataPlaneName
) -> None:
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE), data_plane=data_plane)
    create_tables(store, BOOKS)
    named = {"table": "Books", "TableName": store.physical(BOOKS)}
    every = bytes(range(256))
    store.call("put_item", **named, Item={**key(1), "one": {"B": every}, "some": {"BS": [b"\x00", every]}})
    item = store.call("get_item", **named, Key=key(1))["Item"]

    def raw(value: Any) -> bytes:
        return value if isinstance(value, bytes) else b64decode(value)

    assert raw(item["one"]["B"]) == every
    assert {raw(part) for part in item["some"]["BS"]} == {b"\x00", every}


@pytest.mark.parametrize("data_plane", PLANES)
@pytest.mark.parametrize("value", [{"S": {1, 2}}, {"B": 3.5j}, {"S": datetime(2026, 3, 1, tzinfo=UTC)}])
def test_a_value_of_no_stored_type_is_a_mistake_that_the_error_does_not_repeat(
    data_plane: DataPlaneName, value: Any
) -> None:
    store = Store(
        environment="dev", prefix="x", endpoint="http://127.0.0.1:9", region="eu-west-1", data_plane=data_plane
    )
    with pytest.raises(TypeError, match=r"^put_item on Books was given a value of a type"):
        store.call("put_item", table="Books", TableName="books", Item={**key(1), "text": value})


# --- which one


@pytest.mark.parametrize(("data_plane", "kind"), [("fast", FastPlane), ("boto3", Boto3Plane)])
def test_a_setting_chooses_the_plane(settings: Any, data_plane: str, kind: type) -> None:
    settings.STORAGE = settings.STORAGE | {"DATA_PLANE": data_plane, "ENDPOINT": "http://127.0.0.1:9"}
    store = configured_store()
    assert type(store.warm()) is kind
    assert store.prompt().data_plane == data_plane


def test_an_unknown_botocore_is_used_in_the_public_way_and_told(
    teller: Teller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(private, "TESTED", ((1, 1), (1, 2)))
    store = Store(environment="dev", prefix="x", endpoint=teller.address, region="eu-west-1")
    with caplog.at_level(logging.WARNING):
        assert type(store.warm()) is Boto3Plane
    assert "does not know this release of botocore" in caplog.text
    teller.replies = [GOOD]
    assert "Item" in get(store)
