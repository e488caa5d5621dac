"""The keys that seal and open secrets: AES-256-GCM, bound to where a secret is stored, with rotation."""

import base64
import hashlib
import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from django.conf import settings

FORMAT = b"\x01"
KEY_ID_BYTES = 4
NONCE_BYTES = 12
Place = tuple[str, str, str]
"""Table, key and attribute of a secret: authenticated, so that a secret moved elsewhere cannot be opened."""


class Keyring(Protocol):
    """What can seal a text for a place and open it there again."""

    def seal(self, secret: str, place: Place) -> bytes:
        """The text, encrypted with the current key."""

    def open(self, sealed: bytes, place: Place) -> str:
        """The text. Raises `SecretUnreadable` where no key opens it there."""

    def is_current(self, sealed: bytes) -> bool:
        """Whether the current key sealed it; tells without opening it."""

    def knows(self, sealed: bytes) -> bool:
        """Whether it is of this keyring's format."""

    @property
    def current_id(self) -> str:
        """Which key is the current one; tells nothing about the key itself."""


class LocalKeys:
    """Keys that this deployment was given; the first one seals, all of them open.

    A sealed secret is the format's number, the key's id, a nonce, and the ciphertext with its tag.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys` are 32 bytes each, in base64. Raises `ValueError` where there is none."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  (only where secrets are)

        if not keys:
            raise ValueError("a keyring needs at least one key")
        raw = [base64.b64decode(key) for key in keys]
        self._ciphers = {hashlib.sha256(key).digest()[:KEY_ID_BYTES]: AESGCM(key) for key in raw}
        self._current = next(iter(self._ciphers))

    def seal(self, secret: str, place: Place) -> bytes:
        """The text, encrypted with the first key."""
        nonce = os.urandom(NONCE_BYTES)
        return (
            FORMAT + self._current + nonce + self._ciphers[self._current].encrypt(nonce, secret.encode(), bound(place))
        )

    def open(self, sealed: bytes, place: Place) -> str:
        """The text. Raises `SecretUnreadable` where no key opens it there."""
        start = len(FORMAT) + KEY_ID_BYTES
        cipher = self._ciphers.get(sealed[len(FORMAT) : start])
        if not self.knows(sealed) or cipher is None:
            raise unreadable("A stored secret was encrypted with a key that is not in RUNGS_ENCRYPTION_KEYS.")
        return opened(cipher, sealed[start:], place)

    def is_current(self, sealed: bytes) -> bool:
        """Whether the first key sealed it."""
        return sealed.startswith(FORMAT + self._current)

    def knows(self, sealed: bytes) -> bool:
        """Whether it is of this format."""
        return sealed.startswith(FORMAT)

    @property
    def current_id(self) -> str:
        """The first key's, in hex digits."""
        return (FORMAT + self._current).hex()


class Keyrings:
    """Several keyrings as one: the first seals, and each opens what is of its format."""

    def __init__(self, *rings: Keyring) -> None:
        """`rings` of different formats, at least one."""
        self._rings = rings

    def seal(self, secret: str, place: Place) -> bytes:
        """The text, encrypted by the first."""
        return self._rings[0].seal(secret, place)

    def open(self, sealed: bytes, place: Place) -> str:
        """The text. Raises `SecretUnreadable` where no key opens it there."""
        for ring in self._rings:
            if ring.knows(sealed):
                return ring.open(sealed, place)
        raise unreadable("A stored secret was encrypted in a way that this deployment has no key for.")

    def is_current(self, sealed: bytes) -> bool:
        """Whether the first one's current key sealed it."""
        return self._rings[0].is_current(sealed)

    def knows(self, sealed: bytes) -> bool:
        """Whether it is of any one's format."""
        return any(ring.knows(sealed) for ring in self._rings)

    @property
    def current_id(self) -> str:
        """The first one's."""
        return self._rings[0].current_id


def keyring() -> Keyring:
    """The keys of this deployment: AWS KMS where `RUNGS_KMS_KEY` names a key, and those in `RUNGS_ENCRYPTION_KEYS`."""
    return _keyring(
        tuple(settings.STORAGE["ENCRYPTION_KEYS"]), settings.STORAGE.get("KMS_KEY"), settings.STORAGE["REGION"]
    )


@lru_cache(maxsize=4)
def _keyring(keys: tuple[str, ...], kms_key: str | None, region: str | None) -> Keyring:
    if not kms_key:
        return LocalKeys(keys)
    from apps.storage.kms import KmsKeys  # noqa: PLC0415  (only where KMS is used)

    kms = KmsKeys(kms_key, region=region)
    return Keyrings(kms, LocalKeys(keys)) if keys else Keyrings(kms)


def bound(place: Place) -> bytes:
    """What is authenticated with a secret of this place."""
    return "\0".join(place).encode()


def closed(cipher: "Cipher", secret: str, place: Place) -> bytes:
    """A fresh nonce and the ciphertext with its tag."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, secret.encode(), bound(place))


def opened(cipher: "Cipher", sealed: bytes, place: Place) -> str:
    """The text in a nonce with its ciphertext. Raises `SecretUnreadable`."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound(place)).decode()
    except (InvalidTag, ValueError):  # cut short, even the nonce may be too short
        raise unreadable("A stored secret does not belong where it was found, or was damaged.") from None


def unreadable(sentence: str) -> Exception:
    """The error of a secret that cannot be opened."""
    from apps.storage.errors import SecretUnreadable  # noqa: PLC0415  (loads botocore: entities do without)

    return SecretUnreadable(sentence)


class Cipher(Protocol):
    """What AESGCM offers."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """The ciphertext and its tag."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """The plain bytes."""
