"""Data planes: the ways in which a request reaches the store and its answer comes back.

Both send through boto3's client, with its credentials, connections, retries and exceptions. `Boto3Plane` is that
client; `FastPlane` leaves out what it does for any service and any caller: validation, endpoint rules, events, the
general serializer, signer and parser. Neither hands over a damaged answer.
"""

import logging
import time
import uuid
from base64 import b64encode
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import orjson
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.hooks import first_non_none_response
from botocore.parsers import create_parser
from botocore.validate import ParamValidator

from apps.storage.errors import may_have_been_written
from apps.storage.plane import botocore_private as private
from apps.storage.plane import deadline
from apps.storage.plane.answers import REFUSED, CheckedSession, Damaged, opened
from apps.storage.plane.botocore_private import Target
from apps.storage.plane.signature import Signer

F = TypeVar("F", BotoCoreError, ClientError, BotoCoreError | ClientError)

log = logging.getLogger(__name__)

# What the fast plane sends, with DynamoDB's names; boto3's client sends the rest.
OPERATIONS: Mapping[str, str] = {
    "get_item": "GetItem",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
    "delete_item": "DeleteItem",
    "query": "Query",
    "scan": "Scan",
    "batch_get_item": "BatchGetItem",
    "batch_write_item": "BatchWriteItem",
    "transact_get_items": "TransactGetItems",
    "transact_write_items": "TransactWriteItems",
}


class DataPlane(Protocol):
    """A way to the store."""

    def send(self, operation: str, request: Mapping[str, Any], *, repeatable: bool = True) -> dict[str, Any]:
        """The answer to a request, both as boto3 has them; B values in the answer are bytes or base64 text.

        Sent again as botocore's standard mode does, until the call's deadline; where it is not `repeatable`, only while
        it is certain that nothing came of it. Raises botocore's `ClientError` and `BotoCoreError`,
        `ParamValidationError` for a value of a type that has no place in a request; each has an attribute
        `may_be_written`: whether any try may have been carried out.
        """


def plane_for(client: Any, *, fast: bool) -> DataPlane:
    """The data plane over a client, which is changed: from now on it checks answers.

    Where this release of botocore is not among those tested, or signs in another way, boto3's own is taken.
    """
    if fast and not private.is_tested():
        log.warning("Rungs does not know this release of botocore: the store is used through boto3, which is slower.")
        fast = False
    elif private.is_tested():
        private.bound_connections(client)
    session = private.http_session(client) if fast else None
    target = private.target(client) if fast else None
    plane = Boto3Plane(client)
    return plane if target is None else FastPlane(client, target, session=session, otherwise=plane)


@dataclass(slots=True)
class _Request:
    """What botocore's retries must know of a request, and what they saw of it."""

    repeatable: bool
    may_be_written: bool = False


_under_way: ContextVar[_Request | None] = ContextVar("under_way", default=None)


class Boto3Plane:
    """boto3's client, as it is, but for answers that are none and retries that might do something twice."""

    def __init__(self, client: Any) -> None:
        """Set the client's connections and its retries right."""
        self._client = client
        model = client.meta.service_model
        silent = frozenset(name for name in model.operation_names if model.operation_model(name).output_shape is None)
        private.replace_http_session(client, lambda session: CheckedSession(session, silent=silent))
        client.meta.events.register_first("needs-retry.dynamodb", _veto)

    def send(self, operation: str, request: Mapping[str, Any], *, repeatable: bool = True) -> dict[str, Any]:
        """As `DataPlane` says."""
        sent = _Request(repeatable)
        token = _under_way.set(sent)
        try:
            return dict(getattr(self._client, operation)(**request))
        except Damaged as error:
            raise _marked(error.told(), sent.may_be_written) from error
        except (ClientError, BotoCoreError) as error:
            _marked(error, sent.may_be_written)
            raise
        finally:
            _under_way.reset(token)


def _veto(*, response: tuple[Any, Any] | None, caught_exception: Exception | None, **_: Any) -> bool | None:
    """A handler of botocore's `needs-retry` event: False forbids one, None leaves it to the others."""
    request = _under_way.get()
    error = caught_exception if response is None else ClientError(response[1], "request")
    if request is not None and isinstance(error, ClientError | BotoCoreError) and may_have_been_written(error):
        request.may_be_written = True
        if not request.repeatable:
            return False
    return False if deadline.is_over() else None


_FAULT = 500  # the store failed, perhaps over what it was sent
_PLAIN = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def encoded(request: Mapping[str, Any]) -> bytes:
    """The body of a request. Raises `ParamValidationError` for a value that has no place in one."""
    try:
        return orjson.dumps(request, default=_encode_bytes, option=_PLAIN)
    except orjson.JSONEncodeError as error:
        raise ParamValidationError(report=str(error)) from error


def _encode_bytes(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return b64encode(value).decode()
    raise TypeError(f"a {type(value).__name__} has no place in a request")


class FastPlane:
    """The short way: our own serializer, signature and parser around the client's connections and retries."""

    def __init__(self, client: Any, target: Target, *, session: Any, otherwise: Boto3Plane) -> None:
        """`session` has the connections; `otherwise` takes what this plane does not know how to send."""
        self._client = client
        self._session = session
        self._otherwise = otherwise
        self._events = client.meta.events
        service = client.meta.service_model
        self._models = {name: service.operation_model(theirs) for name, theirs in OPERATIONS.items()}
        self._agent = private.user_agent(client)
        self._most_tries = client.meta.config.retries["total_max_attempts"]
        self._validator = ParamValidator()
        self._default_route = (target.url, Signer(target))
        self._routes: dict[str, tuple[str, Signer]] = {}

    def send(self, operation: str, request: Mapping[str, Any], *, repeatable: bool = True) -> dict[str, Any]:
        """As `DataPlane` says."""
        model = self._models.get(operation)
        if model is None:
            return self._otherwise.send(operation, request, repeatable=repeatable)
        if operation == "transact_write_items" and "ClientRequestToken" not in request:
            request = {**request, "ClientRequestToken": str(uuid.uuid4())}
        body = encoded(request)
        retries = {"invocation-id": str(uuid.uuid4()), "max": self._most_tries, "attempt": 0}
        context = {"retries": retries}
        is_from_one_table = len(request.get("RequestItems", ())) <= 1
        may_be_written = False
        while True:
            retries["attempt"] += 1
            refusal: tuple[Any, dict[str, Any]] | None = None
            failure: BotoCoreError | ClientError
            try:
                answer = self._session.send(self._prepared(model.name, body, retries))
                found = opened(answer, model.name, in_slices=is_from_one_table)
                if answer.status_code < REFUSED:
                    return self._settled(model, answer, found, context)
                refusal = answer, self._parsed(model, answer, retries["attempt"])
                failure = self._refused(request, refusal[1], model)
            except BotoCoreError as error:
                failure = error
            may_be_written |= may_have_been_written(failure)
            if (may_be_written and not repeatable) or deadline.is_over():
                raise _told(failure, may_be_written)
            delay = self._delay(failure, refusal, model=model, context=context)
            if delay is None or deadline.is_over(after=delay):
                raise _told(failure, may_be_written)
            time.sleep(delay)

    def _prepared(self, operation: str, body: bytes, retries: Mapping[str, Any]) -> AWSPreparedRequest:
        credentials = private.frozen_credentials(self._client)  # may have been renewed since
        url, signer = self._route(credentials.account_id)
        headers: Any = signer.headers(operation, body, credentials, now=datetime.now(UTC))
        headers["User-Agent"] = self._agent
        headers["amz-sdk-invocation-id"] = retries["invocation-id"]
        headers["amz-sdk-request"] = f"attempt={retries['attempt']}; max={retries['max']}"
        headers["Content-Length"] = str(len(body))
        return AWSPreparedRequest("POST", url, headers, body, stream_output=False)

    def _route(self, account: str | None) -> tuple[str, Signer]:
        """Where to send and how to sign: AWS gives each account an address of its own."""
        if account is None:
            return self._default_route
        route = self._routes.get(account)
        if route is None:
            target = private.target(self._client)
            route = self._routes[account] = (target.url, Signer(target)) if target else self._default_route
        return route

    def _settled(self, model: Any, answer: Any, found: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
        """A good answer, after botocore's retries were told of it: success gives back what they may spend."""
        self._events.emit(
            f"after-call.dynamodb.{model.name}", http_response=answer, parsed=found, model=model, context=context
        )
        found["ResponseMetadata"] = {
            "RequestId": answer.headers.get("x-amzn-requestid", ""),
            "HTTPStatusCode": answer.status_code,
            "RetryAttempts": context["retries"]["attempt"] - 1,
        }
        return found

    def _parsed(self, model: Any, answer: Any, tries: int) -> dict[str, Any]:
        """A refusal as botocore reads it, with what its kind of error tells beside code and message."""
        parser = create_parser(model.service_model.resolved_protocol)
        raw = {
            "headers": answer.headers,
            "status_code": answer.status_code,
            "body": answer.content,
            "context": {"operation_name": model.name},
        }
        parsed: dict[str, Any] = parser.parse(raw, model.output_shape)
        shape = model.service_model.shape_for_error_code(parsed["Error"]["Code"])
        if shape is not None:
            parsed.update(parser.parse(raw, shape))
        parsed["ResponseMetadata"]["RetryAttempts"] = tries - 1
        return parsed

    def _refused(self, request: Mapping[str, Any], parsed: dict[str, Any], model: Any) -> ClientError:
        """The refusal as the client's own kind of exception.

        Raises `ParamValidationError` where boto3 would not have sent the request at all: validated is only what is
        refused.
        """
        code = parsed["Error"]["Code"]
        refusal: ClientError = self._client.exceptions.from_code(code)(parsed, model.name)
        status = parsed["ResponseMetadata"]["HTTPStatusCode"]
        if code in {"SerializationException", "ValidationException"} or status >= _FAULT:
            report = self._validator.validate(request, model.input_shape)
            if report.has_errors():
                raise ParamValidationError(report=report.generate_report()) from refusal
        return refusal

    def _delay(
        self,
        failure: BotoCoreError | ClientError,
        refusal: tuple[Any, dict[str, Any]] | None,
        *,
        model: Any,
        context: dict[str, Any],
    ) -> float | None:
        """How many seconds botocore's retries say to wait; None where they say no."""
        said = self._events.emit(
            f"needs-retry.dynamodb.{model.name}",
            response=refusal,
            endpoint=None,
            operation=model,
            attempts=context["retries"]["attempt"],
            caught_exception=None if refusal else failure,
            request_dict={"context": context},
        )
        delay = first_non_none_response(said)
        return None if delay is None or delay is False else float(delay)


def _told(failure: BotoCoreError | ClientError, may_be_written: bool) -> BotoCoreError | ClientError:  # noqa: FBT001
    return _marked(failure.told() if isinstance(failure, Damaged) else failure, may_be_written)


def _marked(failure: F, may_be_written: bool) -> F:  # noqa: FBT001  (what it is marked with)
    """The failure, which now tells whether any try of its request may have been carried out."""
    failure.may_be_written = may_be_written  # type: ignore[attr-defined,union-attr]
    return failure
