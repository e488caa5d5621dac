"""What is no answer is never taken for one, and what may have been done is not done twice."""

import json
import socket
import time
from typing import Any, get_args

import pytest
from botocore.exceptions import ClientError

from apps.storage.connection import DataPlaneName, Store
from apps.storage.errors import OutcomeUnknown, StoreUnavailable, may_be_written
from tests.storage.teller import DONE, GOOD, HANGS, HANGS_UP, KEY, Teller, add, get, refusal, reply

PLANES = get_args(DataPlaneName)

RUBBISH = {
    "nothing": reply(b""),
    "a page": reply(b"<html><h1>Welcome</h1></html>"),
    "a list": reply(b"[]"),
    "a text": reply(b'"Item"'),
    "null": reply(b"null"),
    "half of it": reply(b'{"Item":{"PK":{"S":"sh'),
    "cut short": reply(b'{"Item":{}}...', **{"Content-Length": "400"}),
    "cut short, and valid by chance": reply(
        b"{} ...".replace(b"...", b" "), **{"Content-Length": "4", "x-amz-crc32": "1"}
    ),
    "no text": reply(b"\xff\xfe"),
    "a wrong checksum": reply(b'{"Item":{}}', **{"x-amz-crc32": "12345"}),
    "a checksum that is none": reply(b'{"Item":{}}', **{"x-amz-crc32": "abc"}),
    "an item that is none": reply(b'{"Item":5}'),
    "a refusal that is a list": reply(b"[1]", 400),
    "a refusal that is no text": reply(b"\xff\xfe", 400),
    "half a refusal": reply(b'{"__type":"com.amaz', 400),
    "a refusal of no kind": reply(b'{"__type":5}', 400),
    "a refusal with a wrong checksum": reply(b'{"__type":"a#ResourceNotFoundException"}', 400, **{"x-amz-crc32": "1"}),
}


@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=RUBBISH)
def test_rubbish_is_never_taken_for_an_answer(told: Store, teller: Teller, rubbish: bytes) -> None:
    teller.replies = [rubbish]
    with pytest.raises(StoreUnavailable, match="makes no sense") as error:
        get(told)
    assert error.value.retryable
    assert len(teller.asked) == 3


@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=RUBBISH)
def test_after_rubbish_a_good_answer_counts(told: Store, teller: Teller, rubbish: bytes) -> None:
    teller.replies = [rubbish, GOOD]
    answer = get(told)
    assert answer["Item"] == {"PK": {"S": "shelf"}}
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


ONE = {"TableName": "books"}


@pytest.mark.parametrize(
    ("operation", "request_", "body"),
    [
        ("query", ONE, b"{}"),
        ("query", ONE, b'{"Items":[],"Count":"none","ScannedCount":0}'),
        ("scan", ONE, b'{"Items":[],"Count":0}'),
        ("batch_get_item", {"RequestItems": {"books": {"Keys": [KEY]}}}, b'{"UnprocessedKeys":{}}'),
        ("batch_write_item", {"RequestItems": {"books": [{"DeleteRequest": {"Key": KEY}}]}}, b"{}"),
        ("transact_get_items", {"TransactItems": [{"Get": {**ONE, "Key": KEY}}]}, b'{"Responses":null}'),
    ],
)
def test_an_answer_that_lacks_what_belongs_in_it_is_rubbish(
    told: Store, teller: Teller, operation: str, request_: dict[str, Any], body: bytes
) -> None:
    teller.replies = [reply(body)]
    with pytest.raises(StoreUnavailable, match="makes no sense"):
        told.call(operation, table="Books", **request_)


def test_an_operation_that_answers_nothing_may_do_so(told: Store, teller: Teller) -> None:
    teller.replies = [reply(b"")]
    told.call("tag_resource", table="Books", ResourceArn="arn:aws:dynamodb:eu-west-1:000000000000:table/b", Tags=[])
    assert teller.operations == ["TagResource"]


# --- what is sent again


UNCERTAIN = {
    "a failure": refusal("InternalServerError", 500),
    "a page of a proxy": reply(b"<html>busy</html>", 503),
    "a connection that ends": HANGS_UP,
    "a store that hangs": HANGS,
    "rubbish": reply(b"[]"),
    "a wrong checksum": reply(b"{}", **{"x-amz-crc32": "1"}),
}


@pytest.mark.parametrize("trouble", UNCERTAIN.values(), ids=UNCERTAIN)
def test_what_must_not_happen_twice_is_not_sent_again_when_it_may_have_arrived(
    told: Store, teller: Teller, trouble: bytes
) -> None:
    teller.replies = [trouble, DONE]
    with pytest.raises(OutcomeUnknown, match=r"update_item on Books for key PK=shelf, SK=001") as error:
        add(told)
    assert may_be_written(error.value.__cause__)
    assert not error.value.retryable
    assert teller.operations == ["UpdateItem"]


@pytest.mark.parametrize("trouble", UNCERTAIN.values(), ids=UNCERTAIN)
def test_anything_else_is_sent_again(told: Store, teller: Teller, trouble: bytes) -> None:
    teller.replies = [trouble, trouble, GOOD]
    assert get(told)["ResponseMetadata"]["RetryAttempts"] == 2
    assert teller.operations == ["GetItem"] * 3


@pytest.mark.parametrize("code", ["ThrottlingException", "ProvisionedThroughputExceededException"])
def test_what_must_not_happen_twice_is_sent_again_when_it_was_refused(
    told: Store, teller: Teller, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)  # botocore waits up to a second after throttling
    teller.replies = [refusal(code), DONE]
    assert add(told)["ResponseMetadata"]["RetryAttempts"] == 1
    assert teller.operations == ["UpdateItem"] * 2


def test_what_was_sent_again_in_vain_after_a_refusal_is_unknown_when_it_may_have_arrived(
    told: Store, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    teller.replies = [refusal("ThrottlingException"), HANGS_UP, DONE]
    with pytest.raises(OutcomeUnknown):
        add(told)
    assert len(teller.asked) == 2


@pytest.mark.parametrize("data_plane", PLANES)
def test_a_store_that_nobody_reached_wrote_nothing(data_plane: DataPlaneName) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    store = Store(
        environment="dev", prefix="x", endpoint=address, region="eu-west-1", attempts=2, data_plane=data_plane
    )
    with pytest.raises(StoreUnavailable, match="does not answer") as error:
        add(store)
    assert not isinstance(error.value, OutcomeUnknown)
    assert not may_be_written(error.value.__cause__)


def test_a_refused_condition_tells_how_often_it_was_sent_and_what_is_stored(told: Store, teller: Teller) -> None:
    teller.replies = [HANGS_UP, refusal("ConditionalCheckFailedException", Item={"PK": {"S": "shelf"}})]
    with pytest.raises(ClientError) as error:
        told.call("put_item", table="Books", TableName="books", Item=KEY)
    assert error.value.response["ResponseMetadata"]["RetryAttempts"] == 1
    assert may_be_written(error.value)
    assert error.value.response["Item"] == {"PK": {"S": "shelf"}}  # type: ignore[typeddict-item]


def test_a_transaction_has_one_token_however_often_it_is_sent(told: Store, teller: Teller) -> None:
    teller.replies = [HANGS_UP, DONE]
    told.call("transact_write_items", table="Books", TransactItems=[{"Delete": {"TableName": "books", "Key": KEY}}])
    first, second = (json.loads(body)["ClientRequestToken"] for _, body in teller.asked)
    assert first == second
    assert len(first) == 36
