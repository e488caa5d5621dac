"""People in the store, their browsers, and an API client that holds every answer against the OpenAPI document."""

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs
import orjson
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.test import Client

from apps.accounts.entities import Role, User
from apps.accounts.middleware import AUTH_EPOCH
from apps.accounts.repository import Users
from apps.storage.connection import Store
from apps.storage.metering import Cost
from apps.storage.sessions import USER_ID, SessionStore
from tests.policy_runs.conftest import person

CSRF_TOKEN = "c" * 32
SIGN_IN = {("get_item", "WebSessions"): 1, ("get_item", "Users"): 1}


def member(store: Store, *roles: Role, name: str = "Olga Operator") -> User:
    """Somebody with these roles who is in the store and may sign in."""
    return Users(store).add(person(*roles, name=name))


def session_key(user: User) -> str:
    """The key of a fresh session of this user, as the sign-in page makes it."""
    session = SessionStore()
    session[USER_ID] = user.user_id
    session[AUTH_EPOCH] = user.auth_epoch
    session.create()
    return str(session.session_key)


def browser(user: User | None, *, kind: Any = Client, **more: Any) -> Any:
    """A browser in which this user is signed in, or nobody."""
    client = kind(**more)
    if user is not None:
        client.cookies[settings.SESSION_COOKIE_NAME] = session_key(user)
    return client


def beyond_sign_in(cost: Cost) -> dict[tuple[str, str], int]:
    """The requests that a page made beside the two consistent reads of whoever is signed in."""
    found = dict(cost.requests)
    for request, number in SIGN_IN.items():
        found[request] -= number
    return {request: number for request, number in found.items() if number}


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])


class ApiClient:
    """Calls the API as a browser's script would, CSRF token and all; an undeclared answer is an error."""

    def __init__(self, user: User | None, *, bearer: str | None = None, at: str = "/api/policy-runs") -> None:
        """`bearer` is an API token: nothing else is sent then, unless there is a user too; paths are below `at`."""
        self.at = at
        headers = {"Authorization": f"Bearer {bearer}"} if bearer is not None else None
        self.client = browser(user, enforce_csrf_checks=True, headers=headers)
        if bearer is None or user is not None:
            self.client.cookies[settings.CSRF_COOKIE_NAME] = CSRF_TOKEN

    def get(self, path: str, **query: Any) -> Answer:
        return self._checked("get", path, self.client.get(f"{self.at}{path}", query))

    def post(self, path: str, body: Any = None, *, token: str | None = CSRF_TOKEN) -> Answer:
        return self.send("post", path, body, token=token)

    def send(self, method: str, path: str, body: Any = None, *, token: str | None = CSRF_TOKEN) -> Answer:
        content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        headers = {"X-CSRFToken": token} if token else {}
        address = f"{self.at}{path}"
        answer = getattr(self.client, method)(address, content, content_type="application/json", headers=headers)
        return self._checked(method, path, answer)

    def _checked(self, method: str, path: str, response: Any) -> Answer:
        address = f"{self.at}{path}"
        declared = _operation(method, address)["responses"]
        assert str(response.status_code) in declared, (
            f"{method} {address} answered an undeclared {response.status_code}"
        )
        told = declared[str(response.status_code)].get("content")
        if told is None:
            assert not response.content
            return Answer(response.status_code, None, response.headers)
        assert response.headers["Content-Type"].startswith("application/json")
        body = orjson.loads(response.content)
        schema = told["application/json"]["schema"]
        jsonschema_rs.validate({**schema, "components": openapi()["components"]}, body)
        return Answer(response.status_code, body, response.headers)


@cache
def openapi() -> dict[str, Any]:
    """The API's own description, as it is served."""
    from project.api import api  # noqa: PLC0415  (once the URLs are there)

    found: dict[str, Any] = orjson.loads(json.dumps(api.get_openapi_schema(), cls=DjangoJSONEncoder))
    return found


def _operation(method: str, path: str) -> dict[str, Any]:
    for template, operations in openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method in operations:
            found: dict[str, Any] = operations[method]
            return found
    raise AssertionError(f"{method} {path} is not in the OpenAPI document")


def launch_body(*numbers: str, key: str = "a-key-of-its-own", **changes: Any) -> dict[str, Any]:
    """What a script posts to launch a run."""
    return {
        "hostName": "demo",
        "userId": "DEMO01",
        "password": "DEMOPASS",
        "policyNumbers": list(numbers) or ["ABC123DEF", "ABC123DEG"],
        "idempotencyKey": key,
        **changes,
    }
