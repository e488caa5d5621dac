"""The text of an API token, `rungs_` and 256 random bits, and of a link's: only a hash of either is stored."""

import hashlib
import re
import secrets

PREFIX = "rungs_"
RANDOM_BYTES = 32
HINT_LENGTH = 4
# Hexadecimal, so that a double click takes all of it, and programs that look for leaked secrets know it.
PATTERN = re.compile(rf"{PREFIX}[0-9a-f]{{{2 * RANDOM_BYTES}}}")
LINK_PREFIX = "link_"
# Whatever is written by either pattern is blanked in logs.
SECRET_TEXT = re.compile(rf"(?:{PREFIX}|{LINK_PREFIX})[0-9a-f]{{{2 * RANDOM_BYTES}}}")


def new_token() -> str:
    """A fresh token."""
    return PREFIX + secrets.token_hex(RANDOM_BYTES)


def link_token() -> str:
    """A fresh token for a link that lets somebody choose a password."""
    return LINK_PREFIX + secrets.token_hex(RANDOM_BYTES)


def is_token(text: str) -> bool:
    """Whether this may be a token of ours at all; what may not needs no look into the store."""
    return PATTERN.fullmatch(text) is not None


def token_hash(token: str) -> str:
    """What is stored instead of a token. It needs no salt and no slowness: 256 random bits cannot be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()


def hint_of(token: str) -> str:
    """The end of a token, by which its owner tells it from others."""
    return token[-HINT_LENGTH:]
