"""Large answers are read in slices, and nobody can tell."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from apps.storage.connection import Store
from apps.storage.errors import StoreUnavailable
from apps.storage.plane import slices
from tests.storage.teller import Teller, reply

AWKWARD = some.text(some.sampled_from('},{"[]\\:Items é'), max_size=12)
ATTRIBUTES = some.recursive(
    some.builds(lambda text: {"S": text}, AWKWARD),
    lambda inner: (
        some.builds(lambda parts: {"L": parts}, some.lists(inner, max_size=4))
        | some.builds(lambda parts: {"M": parts}, some.dictionaries(AWKWARD, inner, max_size=4))
    ),
    max_leaves=8,
)
ITEMS = some.lists(some.dictionaries(AWKWARD, ATTRIBUTES, max_size=4), max_size=12)


@settings(max_examples=150, deadline=None)
@given(
    items=ITEMS,
    last=some.dictionaries(AWKWARD, some.builds(lambda text: {"S": text}, AWKWARD), max_size=2),
    at=some.integers(0, 2),
)
def test_items_read_in_slices_are_those_of_the_whole_answer(items: list[Any], last: dict[str, Any], at: int) -> None:
    members: list[tuple[str, Any]] = [("Count", len(items)), ("LastEvaluatedKey", last)]
    members.insert(at, ("Items", items))
    body = orjson.dumps(dict(members))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(slices, "LARGE_BYTES", 0)
        patched.setattr(slices, "SLICE_BYTES", 8)
        found = slices.sliced(body)
        if found is None:  # too many brackets after the items: such an answer is read at once
            assert sum(text.count("]") for text in [*last, *(value["S"] for value in last.values())]) >= slices.MISSES
            return
        assert isinstance(found["Items"], slices.Items)
        assert list(found["Items"]) == list(found["Items"]) == items
        assert found == {**dict(members), "Items": items}
        assert len(found["Items"]) == len(items)


def test_a_large_answer_is_read_in_slices_and_equals_the_small_one(told: Store, teller: Teller) -> None:
    items = [{"PK": {"S": "shelf"}, "SK": {"S": f"{number:05}"}, "text": {"S": "},{" * 40}} for number in range(900)]
    body = orjson.dumps({"Items": items, "Count": 900, "ScannedCount": 900})
    teller.replies = [reply(body)]
    answer = told.call("query", table="Books", TableName="books")
    assert isinstance(answer["Items"], slices.Items if told.data_plane == "fast" else list)
    assert list(answer["Items"]) == items
    assert answer["Items"][-1] == items[-1]


@pytest.mark.parametrize("others", [{}, {"gulls": [{"PK": {"S": "x"}}]}], ids=["one table", "two tables"])
def test_a_large_batch_equals_the_small_one(told: Store, teller: Teller, others: dict[str, Any]) -> None:
    books = [{"PK": {"S": "shelf"}, "SK": {"S": f"{number:05}"}, "text": {"S": '":[' * 400}} for number in range(90)]
    left = {"books": {"Keys": [{"PK": {"S": "]"}, "SK": {"S": "]}"}}]}}
    teller.replies = [reply(orjson.dumps({"Responses": {"books": books, **others}, "UnprocessedKeys": left}))]
    asked: dict[str, Any] = {name: {"Keys": [{"PK": {"S": "x"}}]} for name in ("books", *others)}
    answer = told.call("batch_get_item", table="Books", RequestItems=asked)
    is_sliced = told.data_plane == "fast" and not others
    assert isinstance(answer["Responses"]["books"], slices.Items if is_sliced else list)
    assert list(answer["Responses"]["books"]) == books
    assert len(answer["Responses"]["books"]) == len(books)
    assert {name: answer["Responses"][name] for name in others} == others
    assert answer["UnprocessedKeys"] == left


def test_a_large_answer_without_a_checksum_is_read_at_once(told: Store, teller: Teller) -> None:
    body = orjson.dumps({"Items": [{"text": {"S": "x" * 200_000}}], "Count": 1, "ScannedCount": 1})
    bare = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    teller.replies = [bare.replace(b'"}}]', b'"}},'), bare]
    assert type(told.call("query", table="Books", TableName="books")["Items"]) is list
    assert len(teller.asked) == 2


def test_a_large_answer_that_turns_out_to_be_none_is_told(told: Store, teller: Teller) -> None:
    teller.replies = [reply(b'{"Items":[' + b'{"text":{"S":' * 9000 + b'],"Count":1,"ScannedCount":1}')]
    with pytest.raises(StoreUnavailable, match="makes no sense"):
        list(told.call("query", table="Books", TableName="books")["Items"])
