"""Whether what came back is an answer at all: whole, unaltered, and such as DynamoDB gives."""

from collections.abc import Mapping
from typing import Any
from zlib import crc32

import orjson
from botocore.exceptions import HTTPClientError

from apps.storage.errors import DamagedAnswer
from apps.storage.plane.slices import Items, sliced

REFUSED = 300  # HTTP statuses from here on are refusals
TARGET_PREFIX = "DynamoDB_20120810."

# What an answer cannot lack, by DynamoDB's name of the operation, and what its members are.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "Query": ("Count", "ScannedCount"),
    "Scan": ("Count", "ScannedCount"),
    "BatchGetItem": ("Responses",),
    "BatchWriteItem": ("UnprocessedItems",),
    "TransactGetItems": ("Responses",),
}
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "Attributes": dict,
    "CancellationReasons": list,
    "Count": int,
    "Item": dict,
    "Items": (list, Items),
    "LastEvaluatedKey": dict,
    "Responses": (dict, list),
    "ScannedCount": int,
    "UnprocessedItems": dict,
    "UnprocessedKeys": dict,
    "__type": str,
}


class Damaged(HTTPClientError):
    """`DamagedAnswer` as botocore's retries see it: a failure of the connection."""

    fmt = "{error}"

    def __init__(self, reason: str) -> None:
        """`reason` says what is wrong with the answer."""
        super().__init__(error=reason)

    def told(self) -> DamagedAnswer:
        """The error for whoever asked."""
        return DamagedAnswer(reason=str(self))


def opened(answer: Any, operation: str, *, in_slices: bool = False) -> dict[str, Any]:
    """The JSON object in an `AWSResponse` to an operation (DynamoDB's name of it), without members that are null.

    With `in_slices` the items of a large answer are still to be parsed. The text or page with which some other server
    refuses is left to botocore's parser and gives {}. Raises `Damaged`.
    """
    body, refused = answer.content, answer.status_code >= REFUSED
    is_sure = _check_bytes(body, answer.headers)
    if refused and not body:
        return {}
    try:
        found = (sliced(body) if in_slices and is_sure and not refused else None) or orjson.loads(body)
    except orjson.JSONDecodeError:
        if refused and _is_page(body):
            return {}
        raise Damaged("it is no JSON") from None
    if not isinstance(found, dict):
        raise Damaged("it is no JSON object")
    if None in found.values():
        found = {name: value for name, value in found.items() if value is not None}
    for name, value in found.items():
        if name in _KINDS and not isinstance(value, _KINDS[name]):
            raise Damaged(f"its {name} is a {type(value).__name__}")
    if not refused and not all(name in found for name in _NEEDED.get(operation, ())):
        raise Damaged("it lacks what belongs in it")
    return found


def _check_bytes(body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether a checksum says that this is what was sent. Raises `Damaged`."""
    length = headers.get("content-length", "")
    # botocore takes a body that was cut short for the whole.
    if length.isdigit() and int(length) != len(body):
        raise Damaged(f"{len(body)} of {length} bytes arrived")
    # botocore's retries look at the checksum too, but hand the damaged answer over when they give up.
    checksum = headers.get("x-amz-crc32", "")
    if checksum and checksum != str(crc32(body)):
        raise Damaged("its checksum is wrong")
    return bool(checksum)


def _is_page(body: bytes) -> bool:
    """Whether this is some text, rather than JSON that lacks its end."""
    try:
        return not body.decode().lstrip().startswith("{")
    except UnicodeDecodeError:
        return False


class CheckedSession:
    """Connections of botocore that hand over only what is an answer."""

    def __init__(self, session: Any, *, silent: frozenset[str]) -> None:
        """`silent` are the operations that answer without a body."""
        self._session = session
        self._silent = silent

    def send(self, request: Any) -> Any:
        """The `AWSResponse` to an `AWSPreparedRequest`. Raises `BotoCoreError`, `Damaged` among them."""
        answer = self._session.send(request)
        target = request.headers.get("X-Amz-Target", "")
        operation = (target.decode() if isinstance(target, bytes) else target).removeprefix(TARGET_PREFIX)
        if answer.content or answer.status_code >= REFUSED or operation not in self._silent:
            opened(answer, operation)
        return answer

    def close(self) -> None:
        """Close all connections."""
        self._session.close()
