"""Secrets under a key in AWS KMS, as moto's server plays it, with every request counted."""

import base64
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from django.core.exceptions import ImproperlyConfigured

from apps.storage import kms
from apps.storage.engine import EngineKind
from apps.storage.errors import AccessDenied, SecretUnreadable, StoreUnavailable, Throttled
from apps.storage.items.codec import Codec
from apps.storage.kms import KmsKeys
from project.environment import read_environment
from tests.storage.engines import faulty
from tests.storage.test_secrets import ACCOUNT, ACCOUNTS, NEW, Account

PLACE = ("Accounts", "a-1", "accessToken")
SECRET = "hunter2"


@cache
def session() -> Any:
    """One for all tests: it reads the description of KMS once."""
    return boto3.session.Session()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def client(engine_endpoint: Callable[[EngineKind], str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of KMS; also what the keyring of this deployment finds."""
    for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("DEFAULT_REGION", "eu-west-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", engine_endpoint(EngineKind.MOTO))
    return session().client("kms")


@pytest.fixture
def asked(client: Any) -> Counter[str]:
    """How often KMS was asked for what."""
    counted: Counter[str] = Counter()
    client.meta.events.register("before-call.kms", lambda model, **_: counted.update([model.name]))
    return counted


@pytest.fixture
def key(client: Any) -> str:
    return str(client.create_key()["KeyMetadata"]["KeyId"])


@pytest.fixture
def keys(client: Any, key: str, asked: Counter[str]) -> KmsKeys:
    asked.clear()
    return KmsKeys(key, client=lambda: client)


def test_a_secret_comes_back_and_only_its_data_key_went_to_kms(client: Any, key: str, asked: Counter[str]) -> None:
    sent: list[bytes] = []
    client.meta.events.register("before-call.kms", lambda params, **_: sent.append(params["body"]))
    sealed = KmsKeys(key, client=lambda: client).seal(SECRET, PLACE)
    assert KmsKeys(key, client=lambda: client).open(sealed, PLACE) == SECRET
    assert SECRET.encode() not in sealed
    assert (asked["GenerateDataKey"], asked["Decrypt"]) == (1, 1)
    assert not [body for body in sent if SECRET.encode() in body or base64.b64encode(SECRET.encode()) in body]
    assert all(b'"EncryptionContext": {"table": "Accounts"}' in body for body in sent)


def test_a_data_key_serves_its_table_for_a_time_and_a_number_of_secrets(
    client: Any, key: str, asked: Counter[str]
) -> None:
    clock = Clock()
    asked.clear()
    keys = KmsKeys(key, client=lambda: client, seconds=60, uses=10, clock=clock)
    sealed = [keys.seal(SECRET, PLACE) for _ in range(10)]
    assert asked == {"GenerateDataKey": 1}
    keys.seal(SECRET, PLACE)
    assert asked == {"GenerateDataKey": 2}  # ten were enough
    keys.seal(SECRET, ("Users", "1", "token"))
    assert asked == {"GenerateDataKey": 3}  # another table
    clock.now = 61
    keys.seal(SECRET, PLACE)
    assert asked == {"GenerateDataKey": 4}  # too old

    reader = KmsKeys(key, client=lambda: client, seconds=60, uses=10, clock=clock)
    asked.clear()
    assert {reader.open(one, PLACE) for one in sealed} == {SECRET}
    assert asked == {"Decrypt": 1}
    reader.open(sealed[0], PLACE)
    assert asked == {"Decrypt": 2}
    clock.now = 130
    reader.open(sealed[0], PLACE)
    assert asked == {"Decrypt": 3}


def test_what_was_sealed_here_is_opened_here_without_asking(keys: KmsKeys, asked: Counter[str]) -> None:
    assert keys.open(keys.seal(SECRET, PLACE), PLACE) == SECRET
    assert asked == {"GenerateDataKey": 1}


def test_many_threads_ask_once(keys: KmsKeys, asked: Counter[str], in_threads: Any) -> None:
    in_threads(8, lambda _: keys.seal(SECRET, PLACE))
    assert asked == {"GenerateDataKey": 1}


def test_only_so_many_data_keys_are_kept(
    client: Any, keys: KmsKeys, asked: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kms, "DATA_KEYS_KEPT", 2)
    sealed = {table: keys.seal(SECRET, (table, "1", "token")) for table in ("A", "B", "C")}
    asked.clear()
    for table in ("C", "B", "A"):
        keys.open(sealed[table], (table, "1", "token"))
    assert asked == {"Decrypt": 1}


@pytest.mark.parametrize(
    "elsewhere",
    [("Users", "a-1", "accessToken"), ("Accounts", "a-2", "accessToken"), ("Accounts", "a-1", "refresh")],
    ids=["table", "key", "attribute"],
)
def test_a_secret_moved_elsewhere_or_damaged_cannot_be_opened(
    keys: KmsKeys, client: Any, key: str, elsewhere: tuple[str, str, str]
) -> None:
    sealed = keys.seal(SECRET, PLACE)
    damaged = sealed[:60] + bytes([sealed[60] ^ 1]) + sealed[61:]
    for ring in (keys, KmsKeys(key, client=lambda: client)):
        with pytest.raises(SecretUnreadable, match=r"^A stored secret "):
            ring.open(sealed, elsewhere)
        for found in (sealed[:-1], sealed[:40], sealed[:5], damaged, b""):
            with pytest.raises(SecretUnreadable, match=r"^A stored secret "):
                ring.open(found, PLACE)


def test_both_kinds_open_while_both_are_configured_and_kms_seals(client: Any, key: str, settings: Any) -> None:
    def configured(kms_key: str | None) -> None:
        settings.STORAGE = {**settings.STORAGE, "ENCRYPTION_KEYS": (NEW,), "KMS_KEY": kms_key, "REGION": "eu-west-1"}

    codec = Codec(Account, ACCOUNTS)
    configured(None)
    before = codec.encode(ACCOUNT)
    configured(key)
    assert codec.decode(before) == ACCOUNT
    assert not codec.decode(before).access_token.is_current
    after = codec.encode(codec.decode(before))
    assert after["accessToken"]["B"].startswith(b"\x02")
    assert codec.decode(after) == ACCOUNT
    assert codec.decode(after).access_token.is_current
    assert codec.encode(codec.decode(after)) == after
    configured(None)
    with pytest.raises(SecretUnreadable):
        codec.decode(after).access_token.reveal()


def test_another_key_of_kms_is_another_current_key(client: Any, keys: KmsKeys) -> None:
    other = KmsKeys(client.create_key()["KeyMetadata"]["KeyId"], client=lambda: client)
    sealed = keys.seal(SECRET, PLACE)
    assert other.open(sealed, PLACE) == SECRET
    assert (keys.is_current(sealed), other.is_current(sealed)) == (True, False)
    assert keys.current_id != other.current_id


def test_the_environment_names_the_key_and_then_needs_no_local_ones() -> None:
    needed = {"RUNGS_ENV": "prod", "RUNGS_SECRET_KEY": "s" * 50, "RUNGS_ALLOWED_HOSTS": "rungs.example.org"}
    found = read_environment(base_dir=Path(), variables={**needed, "RUNGS_KMS_KEY": "alias/rungs"})
    assert (found.kms_key, found.encryption_keys) == ("alias/rungs", ())
    with pytest.raises(ImproperlyConfigured, match="RUNGS_KMS_KEY: 'my key' is neither"):
        read_environment(base_dir=Path(), variables={**needed, "RUNGS_KMS_KEY": "my key"})


FAULTS = [
    ("DisabledException", StoreUnavailable, "key of AWS KMS cannot be used"),
    ("NotFoundException", StoreUnavailable, "key of AWS KMS cannot be used"),
    ("KMSInvalidStateException", StoreUnavailable, "key of AWS KMS cannot be used"),
    ("AccessDeniedException", AccessDenied, "does not allow this"),
    ("InvalidCiphertextException", SecretUnreadable, "does not belong where it was found"),
    ("ThrottlingException", Throttled, "is busy"),
    ("KMSInternalException", StoreUnavailable, "AWS KMS failed"),
]
PASSING = {"ThrottlingException", "KMSInternalException"}


@pytest.mark.parametrize(("code", "kind", "told"), FAULTS, ids=[code for code, *_ in FAULTS])
def test_each_refusal_of_kms_is_told_as_what_it_is(
    client: Any, keys: KmsKeys, key: str, code: str, kind: type[StoreUnavailable], told: str
) -> None:
    sealed = keys.seal(SECRET, PLACE)
    with faulty(client.meta.endpoint_url, {("Decrypt", ""): (code, "")}) as address:
        refused = session().client("kms", endpoint_url=address, config=Config(retries={"total_max_attempts": 1}))
        with pytest.raises(StoreUnavailable, match=told) as error:
            KmsKeys(key, client=lambda: refused).open(sealed, PLACE)
    assert (type(error.value), error.value.retryable) == (kind, code in PASSING)
    assert keys.open(sealed, PLACE) == SECRET  # its data key is still known here


def test_kms_that_does_not_answer_is_worth_another_try(client: Any, keys: KmsKeys, key: str) -> None:
    sealed = keys.seal(SECRET, PLACE)
    nobody = session().client(
        "kms", endpoint_url="http://127.0.0.1:9", config=Config(retries={"total_max_attempts": 1})
    )
    with pytest.raises(StoreUnavailable, match="AWS KMS does not answer") as error:
        KmsKeys(key, client=lambda: nobody).open(sealed, PLACE)
    assert error.value.retryable
    assert not isinstance(error.value, SecretUnreadable)
