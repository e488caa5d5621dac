"""How often a one-time code may be tried.

Six digits can be guessed where one may try often enough, from many addresses too, and whoever is asked for a code has
shown the right password. So all addresses that an account never signed in from share **one** counter: five wrong codes,
then waits that double from 30 seconds to 15 minutes, which leaves some hundred guesses a day among three in a million
that are right. An address that gave a right code before has a counter of its own: strangers do not lock the owner out.

A try is counted before its code is looked at, so that many at once gain nothing.
"""

import contextlib
import hashlib
import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.accounts.errors import TooManyAttempts
from apps.accounts.throttle import FAMILIAR_IS_KEPT, HERE_IS_KEPT, TRIES, UNLOCKING_IS_KEPT, Bucket, Buckets, wait_here
from apps.storage.conditions import Condition, Update, attribute
from apps.storage.errors import ConditionFailed, ItemNotFound
from apps.storage.writes import Write


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeAttempt:
    """A try that was let through and counted; holds the names of its counter and of what knows its address."""

    counter: str
    familiar: str


class CodeThrottle:
    """Lets tries of one-time codes through, or not."""

    def __init__(self, buckets: Buckets) -> None:
        """`buckets` keeps the counters; its clock must be the one whose times are given below."""
        self.buckets = buckets

    def admit(self, *, user_id: str, address: str, now: datetime) -> CodeAttempt:
        """Count a try as wrong and let it through. Raises `TooManyAttempts`: then no code may be looked at."""
        for _ in range(TRIES):
            attempt = self._counted(user_id, address, now)
            if attempt is not None:
                return attempt
        raise TooManyAttempts(1)

    def succeeded(self, attempt: CodeAttempt, *, now: datetime) -> None:
        """The code was right: forget the wrong ones, and know this address."""
        self.buckets.delete(attempt.counter)
        self.buckets.put_many([Bucket(bucket=attempt.familiar, expires_at=now + FAMILIAR_IS_KEPT)])

    def undecided(self, attempt: CodeAttempt) -> None:
        """No code was looked at after all (no store, no key service): the try does not count."""
        taken_back = Update(add={"failures": -1}, remove=("opens_at",))
        with contextlib.suppress(ConditionFailed, ItemNotFound):
            self.buckets.update(attempt.counter, taken_back, condition=attribute("failures").above(0))

    def unlocking(self, *, user_id: str, now: datetime) -> Write:
        """The write that forgets this account's wrong codes, whatever address they came from."""
        marker = Bucket(
            bucket=_name("unlocked", user_id), series=secrets.token_hex(8), expires_at=now + UNLOCKING_IS_KEPT
        )
        return self.buckets.putting(marker)

    def _counted(self, user_id: str, address: str, now: datetime) -> CodeAttempt | None:
        """The try, counted; None where another came in between."""
        familiar, own = _name("familiar", user_id, address), _name("here", user_id, address)
        strangers, unlocked = _name("strangers", user_id), _name("unlocked", user_id)
        names = (familiar, own, strangers, unlocked)
        found = {bucket.bucket: bucket for bucket in self.buckets.get_many(names, consistent=True)}
        counter = own if familiar in found else strangers
        stored = found.get(counter)
        series = found[unlocked].series if unlocked in found else ""
        before = stored if stored and stored.series == series else None
        if before is not None and before.opens_at is not None and before.opens_at > now:
            raise TooManyAttempts(max(1, math.ceil((before.opens_at - now).total_seconds())))
        failures = (before.failures if before else 0) + 1
        wait = wait_here(failures)
        change = Update(
            set={
                "failures": failures,
                "series": series,
                "opens_at": now + timedelta(seconds=wait) if wait else None,
                "expires_at": now + HERE_IS_KEPT,
            }
        )
        unchanged: Condition = attribute("bucket").missing() | attribute("expires_at").at_most(now)
        if stored is not None:
            unchanged = attribute("version").equals(stored.version)
        try:
            self.buckets.update(counter, change, condition=unchanged, or_create=True)
        except (ConditionFailed, ItemNotFound):
            return None
        return CodeAttempt(counter=counter, familiar=familiar)


def _name(kind: str, *parts: str) -> str:
    """A counter's key: of bounded length, and it tells neither account nor address."""
    return f"code.{kind}#{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()}"
