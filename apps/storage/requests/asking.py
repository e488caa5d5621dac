"""A query as DynamoDB's request, and as the text that cursors are bound to."""

import base64
import hashlib
import re
from decimal import Decimal
from typing import Any

import orjson

from apps.storage.conditions import Query
from apps.storage.items.keys import UnfitKey
from apps.storage.items.kinds import Item, Kind
from apps.storage.items.size import may_be_key
from apps.storage.requests.expressions import Expressions, sort_text

# The placeholder of an attribute itself, not of an entry inside it.
_OUTERMOST = re.compile(r"(?<![\w.])#\d+")


def request_of(query: Query, kind: Kind[Any]) -> Item | None:
    """The request without order and place; None where no item can have such keys, so that there is nothing to ask.

    Raises `TypeError` for a range of a sort key where there is none, and `UnfitKey` for a bound that no key could have.
    """
    partition_key, *sort_keys = kind.table.index(query.index).keys if query.index else kind.table.keys
    partition = kind.key_json(partition_key, query.partition)
    if not may_be_key({partition_key.name: partition}):
        return None
    to = Expressions(kind.codec)
    text = f"{to.name(partition_key.name)} = {to.value(partition)}"
    if query.sort is not None:
        if not sort_keys:
            raise TypeError(f"{query.index or kind.table.name} has no sort key to ask about")
        asked = _simplified(query.sort.operator, [kind.key_json(sort_keys[0], value) for value in query.sort.values])
        if asked is None:
            return None
        operator, values = asked
        if values:
            text += " AND " + sort_text(to.name(sort_keys[0].name), operator, [to.value(value) for value in values])
    request: Item = {"KeyConditionExpression": text}
    if query.index is not None:
        request["IndexName"] = query.index
    if query.filter is not None:
        request["FilterExpression"] = to.condition(query.filter)
        _refuse_what_is_not_carried(query, kind)
    return {**request, **to.request()}


def _refuse_what_is_not_carried(query: Query, kind: Kind[Any]) -> None:
    """Raise `LookupError` for a filter on what the index lacks: it would find nothing, and not say why."""
    index = kind.table.index(query.index) if query.index else None
    if index is None or index.include is None or query.filter is None:
        return
    to = Expressions(kind.codec)
    asked = {to.names[found] for found in _OUTERMOST.findall(to.condition(query.filter))}
    lacking = sorted(asked - {key.name for key in (*kind.table.keys, *index.keys)} - set(index.include))
    if lacking:
        raise LookupError(f"{index.name} of {kind.table.name} does not carry {', '.join(lacking)} to filter by")


def counting(request: Item, kind: Kind[Any]) -> Item:
    """The same request for a count: of nothing but keys where these must tell the kinds apart."""
    if not kind.is_marked:
        return {**request, "Select": "COUNT"}
    names = {f"#k{position}": key.name for position, key in enumerate(kind.table.keys)}
    return {
        **request,
        "ProjectionExpression": ", ".join(names),
        "ExpressionAttributeNames": {**request["ExpressionAttributeNames"], **names},
    }


def fingerprint(physical: str, request: Item, kind: Kind[Any], *, descending: bool) -> str:
    """What a cursor of this question is bound to: the table and its keys, and all that is asked but page and place."""
    keys = [(key.name, key.type) for key in kind.table.keys]
    content = orjson.dumps([physical, keys, request, descending], default=_text_of_bytes)
    return hashlib.sha256(content).hexdigest()


def _text_of_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _simplified(operator: str, values: list[Item]) -> tuple[str, list[Item]] | None:
    """The same range in a form that DynamoDB takes: it refuses empty and over-long texts, and a range turned round.

    None where no sort key can meet it, no values where every one does: an empty text comes before them all. Raises
    `UnfitKey` for a range whose bound is no number where one belongs, is too long, or cannot be sent.
    """
    texts = [value.get("S") for value in values]
    unfit = [value for value in values if value.get("S") != "" and not may_be_key({"": {}, "sort": value})]
    if unfit:
        if operator in {"=", "begins_with"}:
            return None
        raise UnfitKey("A value cannot be compared with keys: it is too long, or not what these keys are.")
    if operator == "BETWEEN":
        low, high = values
        if texts[1] == "" or _order(low) > _order(high):
            return None
        return ("<=", [high]) if texts[0] == "" else (operator, values)
    if texts[0] == "":
        return None if operator in {"=", "<", "<="} else (operator, [])
    return operator, values


def _order(value: Item) -> Any:
    ((letter, content),) = value.items()
    return Decimal(content) if letter == "N" else content
