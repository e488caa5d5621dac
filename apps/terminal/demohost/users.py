"""Who may sign on to the demo host. Every password is `DEMOPASS`.

======== ==========================================================
DEMO..   DEMO01, DEMO02 ...: as many sessions as one likes
SOLO..   SOLO01 ...: one session at a time; a second one is refused
INUSE..  always in use somewhere else
EXPIR..  the password has expired
REVOK..  revoked
======== ==========================================================

Any other user id, or another password, is "not valid". The host only counts wrong passwords; it never locks a user.
"""

from collections import Counter
from collections.abc import Collection
from enum import Enum

PASSWORD = "DEMOPASS"  # noqa: S105 -- published on purpose: this host holds nothing but made-up policies
MANY_SESSIONS_PREFIX = "DEMO"
ONE_SESSION_PREFIXES = ("SOLO",)
_IN_USE_PREFIX, _EXPIRED_PREFIX, _REVOKED_PREFIX = "INUSE", "EXPIR", "REVOK"


class SignOn(Enum):
    """How a sign-on attempt ended."""

    ACCEPTED = "accepted"
    NOT_VALID = "not valid"
    IN_USE = "in use"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Users:
    """The users signed on to one host."""

    def __init__(self, *, one_session_prefixes: Collection[str] = ONE_SESSION_PREFIXES) -> None:
        self.signed_on: Counter[str] = Counter()
        self.wrong_passwords: Counter[str] = Counter()
        self._one_session = tuple(one_session_prefixes)
        self._known = (MANY_SESSIONS_PREFIX, *ONE_SESSION_PREFIXES, _IN_USE_PREFIX, _EXPIRED_PREFIX, _REVOKED_PREFIX)

    def sign_on(self, user_id: str, password: str) -> SignOn:
        """Check the user and, if accepted, count one more session of theirs."""
        if not user_id.startswith(self._known):
            return SignOn.NOT_VALID
        if password != PASSWORD:
            self.wrong_passwords[user_id] += 1
            return SignOn.NOT_VALID
        if user_id.startswith(_REVOKED_PREFIX):
            return SignOn.REVOKED
        if user_id.startswith(_EXPIRED_PREFIX):
            return SignOn.EXPIRED
        taken = self.signed_on[user_id] > 0 and user_id.startswith(self._one_session)
        if taken or user_id.startswith(_IN_USE_PREFIX):
            return SignOn.IN_USE
        self.signed_on[user_id] += 1
        return SignOn.ACCEPTED

    def sign_off(self, user_id: str) -> None:
        """Count one session less."""
        self.signed_on[user_id] -= 1
        if self.signed_on[user_id] <= 0:
            del self.signed_on[user_id]
