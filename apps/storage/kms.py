"""Secrets under a key that never leaves AWS KMS: each is sealed with a data key, which KMS encrypts and decrypts.

A data key serves one table for a bounded time and number of secrets, so that a busy table does not ask KMS for each.
The encryption context of every request is the table: KMS's log (CloudTrail) says whose secrets were opened, and a
policy can allow single tables.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from apps.storage.connection import DEFAULT_REGION
from apps.storage.errors import AccessDenied, SecretUnreadable, StoreError, StoreUnavailable, Throttled, error_code
from apps.storage.keyrings import KEY_ID_BYTES, Place, closed, opened, unreadable

if TYPE_CHECKING:
    from botocore.client import BaseClient

FORMAT = b"\x02"
LENGTH_BYTES = 2
DATA_KEY_SECONDS = 300.0
DATA_KEY_USES = 1000
DATA_KEYS_KEPT = 500
CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 5
ATTEMPTS = 3


@dataclass(slots=True)
class _DataKey:
    """A data key in the clear, its encrypted form, and how long it may still serve."""

    cipher: AESGCM
    encrypted: bytes
    until: float
    uses: int

    def take(self, now: float) -> bool:
        """Count one use; False where it has served its time or number."""
        if now >= self.until or self.uses <= 0:
            return False
        self.uses -= 1
        return True


class KmsKeys:
    """A keyring whose keys are in AWS KMS; safe to use from many threads.

    Those who want the same data key at the same time share one question to KMS, and its failure; a question takes up to
    some 24 s (three tries of 3 s to connect and 5 s to answer, and short waits between).

    A sealed secret is the format's number, an id of the KMS key's configured name, the length of the encrypted data key
    and that key, a nonce, and the ciphertext with its tag.
    """

    def __init__(
        self,
        key: str,
        *,
        region: str | None = None,
        client: "Callable[[], BaseClient] | None" = None,
        seconds: float = DATA_KEY_SECONDS,
        uses: int = DATA_KEY_USES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`key` is a key's id, ARN or alias; a data key serves for `seconds`, and `uses` secrets."""
        self.key = key
        self._id = hashlib.sha256(key.encode()).digest()[:KEY_ID_BYTES]
        self._seconds = seconds
        self._uses = uses
        self._clock = clock
        self._new_client = client or (lambda: _client(region))
        self._client: BaseClient | None = None
        self._sealing: OrderedDict[Any, _DataKey] = OrderedDict()  # by table
        self._opening: OrderedDict[Any, _DataKey] = OrderedDict()  # by table and encrypted key, last used last
        self._asking: dict[Any, Future[None]] = {}  # what KMS is being asked for, named as in those two
        self._lock = threading.Lock()
        self._connecting = threading.Lock()

    def seal(self, secret: str, place: Place) -> bytes:
        """The text, encrypted with a data key of this table. Raises `StoreUnavailable` where KMS does not give one."""
        table = place[0]
        found = self._wanted(self._sealing, table, lambda: self._fresh(table))
        length = len(found.encrypted).to_bytes(LENGTH_BYTES, "big")
        return FORMAT + self._id + length + found.encrypted + closed(found.cipher, secret, place)

    def open(self, sealed: bytes, place: Place) -> str:
        """The text. Raises `SecretUnreadable` where it does not belong there, `StoreUnavailable` where KMS fails."""
        start = len(FORMAT) + KEY_ID_BYTES + LENGTH_BYTES
        end = start + int.from_bytes(sealed[start - LENGTH_BYTES : start], "big")
        if not self.knows(sealed) or end >= len(sealed):
            raise unreadable("A stored secret was cut short, or is of another kind.")
        name = (place[0], sealed[start:end])
        found = self._wanted(self._opening, name, lambda: self._decrypted(*name))
        return opened(found.cipher, sealed[end:], place)

    def is_current(self, sealed: bytes) -> bool:
        """Whether the KMS key named now sealed it."""
        return sealed.startswith(FORMAT + self._id)

    def knows(self, sealed: bytes) -> bool:
        """Whether it is of this format."""
        return sealed.startswith(FORMAT)

    @property
    def current_id(self) -> str:
        """Of the KMS key's configured name, in hex digits."""
        return (FORMAT + self._id).hex()

    def _wanted(self, keys: OrderedDict[Any, _DataKey], name: Any, ask: Callable[[], _DataKey]) -> _DataKey:
        """The data key of that name, one use of it taken; where there is none, one asks and the others wait."""
        while True:
            with self._lock:
                found = keys.get(name)
                if found is not None and found.take(self._clock()):
                    keys.move_to_end(name)
                    return found
                asked = self._asking.get(name)
                if asked is None:
                    mine = self._asking[name] = Future()
                    break
            failure = asked.exception()
            if isinstance(failure, StoreError):
                raise copy(failure) from failure  # each thread its own: raising one adds to its traceback
        return self._asked(name, mine, ask)

    def _asked(self, name: Any, answered: "Future[None]", ask: Callable[[], _DataKey]) -> _DataKey:
        failure: BaseException | None = None
        try:
            return ask()
        except BaseException as error:
            failure = error
            raise
        finally:
            with self._lock:
                del self._asking[name]
            if failure is None:
                answered.set_result(None)
            else:
                answered.set_exception(failure)

    def _fresh(self, table: str) -> _DataKey:
        answer = self._ask("generate_data_key", table, KeyId=self.key, KeySpec="AES_256")
        found = self._data_key(answer["Plaintext"], answer["CiphertextBlob"])
        with self._lock:
            self._sealing[table] = found
        # What was sealed here is likely to be opened here.
        self._keep(table, self._data_key(answer["Plaintext"], answer["CiphertextBlob"]))
        found.take(self._clock())
        return found

    def _decrypted(self, table: str, encrypted: bytes) -> _DataKey:
        answer = self._ask("decrypt", table, CiphertextBlob=encrypted)
        found = self._data_key(answer["Plaintext"], encrypted)
        self._keep(table, found)
        found.take(self._clock())
        return found

    def _data_key(self, plain: bytes, encrypted: bytes) -> _DataKey:
        return _DataKey(AESGCM(plain), encrypted, self._clock() + self._seconds, self._uses)

    def _keep(self, table: str, key: _DataKey) -> None:
        with self._lock:
            self._opening[table, key.encrypted] = key
            self._opening.move_to_end((table, key.encrypted))
            if len(self._opening) > DATA_KEYS_KEPT:
                self._opening.popitem(last=False)

    def _ask(self, operation: str, table: str, **request: Any) -> Mapping[str, Any]:
        try:
            client = self._connected()
            answer: Mapping[str, Any] = getattr(client, operation)(EncryptionContext={"table": table}, **request)
        except ClientError as error:
            raise _explained(error, operation).at(table=table, operation=operation) from error
        except BotoCoreError as error:
            raise StoreUnavailable(
                f"AWS KMS does not answer: {error}. Try again in a moment.", retry_after_seconds=5
            ).at(table=table, operation=operation) from error
        return answer

    def _connected(self) -> "BaseClient":
        if self._client is None:
            with self._connecting:
                if self._client is None:
                    self._client = self._new_client()
        return self._client


def _explained(error: ClientError, operation: str) -> StoreUnavailable:
    code, said = error_code(error), str(error.response.get("Error", {}).get("Message", ""))
    if code in {"InvalidCiphertextException", "IncorrectKeyException"}:
        return SecretUnreadable("A stored secret does not belong where it was found, or was damaged.")
    if code in {"ThrottlingException", "LimitExceededException"}:
        return Throttled("AWS KMS is busy. Try again in a moment.", retry_after_seconds=2)
    if code in {"AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException"}:
        return _with_remedy(
            AccessDenied(f"AWS KMS does not allow this: {said}"),
            f"Allow kms:{'GenerateDataKey' if operation == 'generate_data_key' else 'Decrypt'} for the key.",
        )
    if code in {"NotFoundException", "DisabledException", "KMSInvalidStateException", "InvalidKeyUsageException"}:
        unusable = StoreUnavailable(f"The key of AWS KMS cannot be used: {said or code}")
        unusable.retryable = False
        return _with_remedy(unusable, "Check RUNGS_KMS_KEY, the region, and whether the key is enabled.")
    return StoreUnavailable(f"AWS KMS failed: {code}. Try again in a moment.", retry_after_seconds=5)


def _with_remedy(error: StoreUnavailable, remedy: str) -> StoreUnavailable:
    error.remedies = (remedy,)
    return error


def _client(region: str | None) -> "BaseClient":
    import boto3  # noqa: PLC0415  (slow to import)
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
    )
    session = boto3.session.Session()
    where = region or session.region_name or DEFAULT_REGION
    client: BaseClient = session.client("kms", region_name=where, config=config)
    return client
