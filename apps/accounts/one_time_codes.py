"""Codes of an authenticator app (RFC 6238: SHA-1, six digits, 30 seconds), and recovery codes for when it is lost."""

import hashlib
import hmac
import re
import secrets
from datetime import datetime
from typing import Final

import pyotp

ISSUER: Final = "Rungs"
DIGITS: Final = 6
STEP_SECONDS: Final = 30
SKEW_STEPS: Final = 1  # how far the clock of somebody's telephone may be off
RECOVERY_CODES: Final = 10
# 80 random bits: too many to be found from their hash, which so needs no slowness.
RECOVERY_LENGTH: Final = 16
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"  # without those that are taken for others
_GROUP: Final = 4
_SPACING = re.compile(r"[\s-]+")


def new_key() -> str:
    """A fresh key: 160 random bits in base32, as apps take it."""
    return pyotp.random_base32()


def setup_uri(key: str, *, account: str) -> str:
    """What the QR code holds: `otpauth://totp/...`, with the key in it."""
    return pyotp.TOTP(key, digits=DIGITS, interval=STEP_SECONDS).provisioning_uri(name=account, issuer_name=ISSUER)


def grouped(text: str) -> str:
    """A key or code in groups of four, as people read it."""
    return " ".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def typed(text: str) -> str:
    """A code as it was meant: without spaces, hyphens and capitals."""
    return _SPACING.sub("", text).lower()


def is_app_code(text: str) -> bool:
    """Whether this (typed) is a code of an app, not a recovery code."""
    return len(text) == DIGITS and text.isascii() and text.isdigit()


def matching_step(key: str, code: str, *, now: datetime) -> int | None:
    """The time step whose code this is, the present one or a neighbour; None where it is none of these."""
    totp = pyotp.TOTP(key, digits=DIGITS, interval=STEP_SECONDS)
    present = int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in range(present - SKEW_STEPS, present + SKEW_STEPS + 1):
        if hmac.compare_digest(totp.generate_otp(step), code):
            found = step
    return found


def new_recovery_codes() -> tuple[str, ...]:
    """Fresh recovery codes, in groups with hyphens."""
    made = ("".join(secrets.choice(_LETTERS) for _ in range(RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES))
    return tuple(grouped(code).replace(" ", "-") for code in made)


def recovery_hash(code: str, *, user_id: str) -> str:
    """What is stored instead of a recovery code: another for each user who might have the same."""
    return hashlib.sha256(f"{user_id}\0{typed(code)}".encode()).hexdigest()
