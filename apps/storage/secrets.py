"""Secrets: encrypted wherever they are stored, opened only when asked, and shown to nobody."""

import hashlib
import hmac
import os
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from apps.storage.items.values import is_text
from apps.storage.keyrings import Keyring, Place, keyring

MASK: Final = "(hidden)"
_IN_TRANSIT: Final[Place] = ("", "", "pickled")
_COMPARING: Final = os.urandom(32)


class Secret:
    """A text that is stored encrypted: `Secret("hunter2")`, or as it was read from the store, not yet opened.

    A field of this type needs no more than its annotation. `reveal` is the only way to the text: neither `repr`, a
    dump, JSON nor a pickle shows it. Two are equal where their texts are.
    """

    __slots__ = ("_place", "_sealed", "_text")

    def __init__(self, text: str) -> None:
        """Raises `ValueError` for the mask that dumps show instead of a secret: it would be stored as the secret.

        So it does, without quoting it, for a text that has no stored form.
        """
        if text == MASK:
            raise ValueError("this is what is shown instead of a secret, not the secret itself")
        if not is_text(text):
            raise ValueError("it holds a character that cannot be stored")
        self._text: str | None = text
        self._sealed: bytes | None = None
        self._place: Place | None = None

    @classmethod
    def stored(cls, sealed: bytes, place: Place) -> "Secret":
        """A secret as it was found at its place; nothing is opened yet."""
        found = cls.__new__(cls)
        found._text, found._sealed, found._place = None, sealed, place  # noqa: SLF001  (its own class)
        return found

    def reveal(self) -> str:
        """The text. Raises `SecretUnreadable` where no key of this deployment opens it.

        With AWS KMS this may be a request to it, which raises `StoreUnavailable` where that fails.
        """
        if self._sealed is None or self._place is None:
            return str(self._text)
        return keyring().open(self._sealed, self._place)

    def sealed_for(self, place: Place, *, keys: Keyring | None = None) -> bytes:
        """The encrypted form for a place.

        What was read from that very place stays as it is, unless a former key sealed it. One that no key opens any more
        is kept as well: saving the rest of an item must not depend on it.
        """
        from apps.storage.errors import SecretUnreadable  # noqa: PLC0415  (loads botocore: entities do without)

        keys = keys or keyring()
        if self._sealed is None or self._place != place:
            return keys.seal(self.reveal(), place)
        if keys.is_current(self._sealed):
            return self._sealed
        try:
            return keys.seal(keys.open(self._sealed, place), place)
        except SecretUnreadable:
            return self._sealed

    @property
    def is_current(self) -> bool:
        """Whether it is stored under the key that new secrets are sealed with; False for one that is not stored."""
        return self._sealed is not None and keyring().is_current(self._sealed)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        if self._sealed is not None and (self._sealed, self._place) == (other._sealed, other._place):
            return True
        return hmac.compare_digest(self._digest(), other._digest())

    def __hash__(self) -> int:
        return hash(self._digest())

    def _digest(self) -> bytes:
        """Of one length whatever the text, so that a comparison takes the same time for all."""
        return hashlib.blake2b(self.reveal().encode(), key=_COMPARING).digest()

    def __repr__(self) -> str:
        return MASK

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, _memo: object) -> "Secret":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled in encrypted form only."""
        if self._sealed is not None and self._place is not None:
            return Secret.stored, (self._sealed, self._place)
        return Secret.stored, (keyring().seal(self.reveal(), _IN_TRANSIT), _IN_TRANSIT)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A Secret or a text goes in; nothing comes out but the mask."""
        text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema())
        return core_schema.json_or_python_schema(
            json_schema=text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), text]),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda _: MASK, when_used="unless-none"),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """A text that one may send and never gets."""
        return {"type": "string", "format": "password", "writeOnly": True}


__all__ = ["MASK", "Keyring", "Place", "Secret", "keyring"]
