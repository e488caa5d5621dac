"""Requests are signed as botocore signs them, and its private names are where they were."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given, settings
from hypothesis import strategies as some

from apps.storage.connection import Store
from apps.storage.plane import botocore_private as private
from apps.storage.plane.answers import TARGET_PREFIX
from apps.storage.plane.botocore_private import Target
from apps.storage.plane.signature import CONTENT_TYPE, Signer
from apps.storage.plane.transport import FastPlane
from tests.storage.teller import GOOD, HANGS_UP, KEY, Teller, get

TARGETS = [
    Target("http://127.0.0.1:8042/", "eu-west-1", "dynamodb"),
    Target("https://dynamodb.us-east-1.amazonaws.com/", "us-east-1", "dynamodb"),
    Target("https://STORE.example.org:443/a/../some path/", "eu-central-1", "dynamodb"),
    Target("http://[::1]:8000/", "eu-west-1", "dynamodb"),
]
WORDS = some.text(some.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(
    target=some.sampled_from(TARGETS),
    body=some.binary(max_size=200),
    credentials=some.builds(ReadOnlyCredentials, WORDS, WORDS, some.none() | WORDS),
    now=some.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=some.just(UTC)),  # noqa: DTZ001
)
def test_every_signature_is_the_one_that_botocore_makes(
    target: Target, body: bytes, credentials: ReadOnlyCredentials, now: datetime
) -> None:
    headers = Signer(target).headers("GetItem", body, credentials, now=now)
    plain = {"X-Amz-Target": f"{TARGET_PREFIX}GetItem", "Content-Type": CONTENT_TYPE}
    request = AWSRequest(method="POST", url=target.url, data=body, headers=plain)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(botocore.auth, "get_current_datetime", lambda **_: now)
        botocore.auth.SigV4Auth(credentials, target.service, target.region).add_auth(request)
    assert headers == dict(request.headers.items())


def test_a_signer_notices_a_new_day_and_a_new_secret() -> None:
    signer = Signer(TARGETS[0])
    days = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 1)]
    keys = [ReadOnlyCredentials("AKIA", secret, None) for secret in ("one", "two", "one")]
    for credentials in keys:
        for day in days:
            fresh = Signer(TARGETS[0]).headers("Query", b"{}", credentials, now=day)
            assert signer.headers("Query", b"{}", credentials, now=day) == fresh


def test_renewed_credentials_are_used_at_once(told: Store, teller: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    class Renewed:
        method = "test"
        times = 0

        def get_frozen_credentials(self) -> ReadOnlyCredentials:
            self.times += 1
            return ReadOnlyCredentials(f"AKIA{self.times}", "secret", f"token{self.times}")

    monkeypatch.setattr(told.client._request_signer, "_credentials", Renewed())  # type: ignore[attr-defined]
    teller.replies = [HANGS_UP, GOOD]
    get(told)
    (first, _), (second, _) = teller.asked
    assert first["x-amz-security-token"] != second["x-amz-security-token"]
    assert "x-amz-security-token" in second["authorization"]
    for headers in (first, second):
        number = headers["x-amz-security-token"].removeprefix("token")
        assert f"Credential=AKIA{number}/" in headers["authorization"]


def test_a_request_introduces_itself_as_boto3_does(told: Store, teller: Teller) -> None:
    get(told)
    headers, body = teller.asked[0]
    assert headers["user-agent"].startswith("Boto3/")
    assert headers["amz-sdk-request"] == "attempt=1; max=3"
    assert headers["content-type"] == CONTENT_TYPE
    assert json.loads(body) == {"TableName": "books", "Key": KEY}


# --- botocore's private names


@cache
def client(**more: Any) -> Any:
    """A client for AWS itself, which nobody calls."""
    session = boto3.session.Session("AKIA", "secret", **more)
    return session.client("dynamodb", region_name="eu-west-1")


@pytest.mark.parametrize(("owner", "names"), private.NAMES.items())
def test_botocore_still_has_the_private_names_that_are_used(owner: str, names: tuple[str, ...]) -> None:
    found = client()
    for step in owner.split(".")[1:]:
        found = getattr(found, step)
    missing = [name for name in names if not hasattr(found, name)]
    assert not missing, (
        f"botocore {botocore.__version__} has no {owner}.{', '.join(missing)}: see what took its place, mend "
        "apps/storage/plane/botocore_private.py, and only then move TESTED there and the pin in requirements.txt"
    )


def test_the_installed_botocore_is_one_that_was_tested() -> None:
    assert private.is_tested(), (
        f"botocore {botocore.__version__} is beyond TESTED in apps/storage/plane/botocore_private.py, so the store "
        "goes the slow way: if all tests of tests/storage pass with it, move TESTED"
    )
    assert private.is_tested("1.44.0")
    assert not private.is_tested("1.43.99")
    assert not private.is_tested("1.45.0")
    assert not private.is_tested("2.44.5")


def test_each_account_has_the_address_that_botocore_gives_it() -> None:
    target = private.target(client())
    assert target == Target("https://dynamodb.eu-west-1.amazonaws.com/", "eu-west-1", "dynamodb")
    own = private.target(client(aws_account_id="123456789012"))
    assert own is not None
    assert own.url == "https://123456789012.ddb.eu-west-1.amazonaws.com/"


def test_a_plane_asks_for_an_address_again_when_the_account_changes() -> None:
    store = Store(environment="dev", prefix="x", endpoint=None, region="eu-west-1")
    with pytest.MonkeyPatch.context() as patched:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patched.setenv(name, "local")
        plane = store.warm()
        assert isinstance(plane, FastPlane)
        assert plane._route(None)[0] == "https://dynamodb.eu-west-1.amazonaws.com/"
        patched.setattr(private, "target", lambda _: TARGETS[1])
        assert plane._route("123456789012")[0] == TARGETS[1].url
        patched.setattr(private, "target", lambda _: TARGETS[0])
        assert plane._route("123456789012")[0] == TARGETS[1].url
