"""Encryption of what is secret before it is stored: AES-256-GCM, bound to where it is stored, with key rotation."""

import base64
import hashlib
import os
from collections.abc import Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from apps.storage.errors import SecretUnreadable

FORMAT = b"\x01"
KEY_ID_BYTES = 4
NONCE_BYTES = 12
Place = tuple[str, str, str]
"""Table, key and attribute of a secret: authenticated, so that a secret moved elsewhere cannot be opened."""


class Keyring:
    """The keys that open secrets; the first one seals new ones."""

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys` are 32 bytes each, in base64. Raises `ValueError` where there is none."""
        if not keys:
            raise ValueError("a keyring needs at least one key")
        raw = [base64.b64decode(key) for key in keys]
        self._ciphers = {hashlib.sha256(key).digest()[:KEY_ID_BYTES]: AESGCM(key) for key in raw}
        self._current = next(iter(self._ciphers))

    def seal(self, secret: str, place: Place) -> bytes:
        """The encrypted secret: format, key id, nonce, ciphertext."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, secret.encode(), _bound(place))
        return FORMAT + self._current + nonce + sealed

    def open(self, sealed: bytes, place: Place) -> str:
        """The secret. Raises `SecretUnreadable` where no key opens it there."""
        start = len(FORMAT) + KEY_ID_BYTES
        cipher = self._ciphers.get(sealed[len(FORMAT) : start])
        if not sealed.startswith(FORMAT) or cipher is None:
            raise SecretUnreadable("A stored secret was encrypted with a key that is not in RUNGS_ENCRYPTION_KEYS.")
        try:
            return cipher.decrypt(
                sealed[start : start + NONCE_BYTES], sealed[start + NONCE_BYTES :], _bound(place)
            ).decode()
        except (InvalidTag, ValueError):  # cut short, even the nonce may be too short
            raise SecretUnreadable("A stored secret does not belong where it was found, or was damaged.") from None


@lru_cache(maxsize=1)
def keyring() -> Keyring:
    """The keys of this deployment (`RUNGS_ENCRYPTION_KEYS`)."""
    keys: Sequence[str] = settings.STORAGE["ENCRYPTION_KEYS"]
    return Keyring(keys)


def _bound(place: Place) -> bytes:
    return "\0".join(place).encode()
