"""Hashing of passwords: Argon2 through Django's hashers, a bounded number at once, and the rules for new ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.contrib.auth import hashers, password_validation
from django.core.exceptions import ValidationError

from apps.accounts.entities import User, folded
from apps.errors import Invalid, Unavailable

AT_ONCE = 4  # each takes 100 MiB
LONGEST_WAIT_SECONDS = 5.0


class Passwords:
    """Makes and checks password hashes, at most `at_once` at the same time in this process."""

    def __init__(self, *, at_once: int = AT_ONCE, longest_wait_seconds: float = LONGEST_WAIT_SECONDS) -> None:
        """`longest_wait_seconds` is how long a caller waits for its turn."""
        self._turns = BoundedSemaphore(at_once)
        self._longest_wait_seconds = longest_wait_seconds

    def hashed(self, password: str) -> str:
        """A fresh hash. Raises `Unavailable` where no turn came up in time."""
        with self._turn():
            return hashers.make_password(password)

    def matches(self, password: str, encoded: str | None) -> bool:
        """Whether the password is the hashed one. None stands for an account that does not exist: False, as slowly.

        Raises `Unavailable` where no turn came up in time.
        """
        if not encoded:
            self.hashed(password)
            return False
        with self._turn():
            return hashers.check_password(password, encoded)

    @staticmethod
    def is_outdated(encoded: str) -> bool:
        """Whether a hash was made with other parameters than new ones are."""
        return hashers.identify_hasher(encoded).must_update(encoded)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=self._longest_wait_seconds):
            raise Unavailable(
                "Many people are signing in right now. Try again in a few seconds.",
                code="busy",
                retry_after_seconds=self._longest_wait_seconds,
            )
        try:
            yield
        finally:
            self._turns.release()


def check_rules(password: str, *, of: User | None = None, field: str = "password") -> None:
    """Raise `Invalid` with every rule that a new password breaks: those of the setting `AUTH_PASSWORD_VALIDATORS`, and
    that it is neither name nor e-mail address `of` its owner, which whoever guesses tries first.
    """
    broken = []
    try:
        password_validation.validate_password(password)
    except ValidationError as error:
        broken = error.messages
    if of is not None and folded(password) in {of.email, of.name_key}:
        broken.append("The password must not be the name or the e-mail address.")
    if broken:
        findings = [{"message": message} for message in broken]
        raise Invalid(" ".join(broken), code="weak_password", field=field, findings=findings)
