"""How often sign-in may be tried.

Three counters, all kept in the store, so that every process sees them:

* each **account from one address**: five failures, then waits that double from 30 seconds to 15 minutes;
* each **address**: 100 failures in 15 minutes, over all accounts;
* each **account from everywhere**: past ten failures in an hour, every address that never signed in there waits a
  little before each try, at most 30 seconds. That wait belongs to the address, so nobody can prolong another's, and an
  address that signed in before has none: strangers can slow an account's owner down, but never lock them out.

Wrong **API tokens** are counted by address, apart from sign-in: nobody guesses 256 bits, but a program that keeps
sending a dead one must not cost much, nor keep the people beside it from signing in.

**Unlocking** an account makes every counter of it worthless, whatever address it is for: attempts carry the series that
the account's unlocking began, and a counter of another series counts as absent. It is read together with the counters.

**Requests for a link** to choose a new password are counted by address and by account, whether that exists or not.

An attempt is counted before its password is looked at, so that many at once gain nothing, and taken back where it was
right. Accounts that do not exist are counted like others.
"""

import hashlib
import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.accounts.entities import folded
from apps.accounts.errors import TooManyAttempts
from apps.storage.conditions import Condition, Update, attribute
from apps.storage.entity import Entity, Expiry, Instant
from apps.storage.errors import ConditionFailed, ItemNotFound
from apps.storage.repository import Repository
from apps.storage.tables import RATE_LIMITS
from apps.storage.writes import Write

FREE_FAILURES_HERE = 5
FIRST_WAIT_HERE_SECONDS = 30
LONGEST_WAIT_HERE_SECONDS = 15 * 60
HERE_IS_KEPT = timedelta(hours=6)

FAILURES_AN_ADDRESS = 100
ADDRESS_WINDOW = timedelta(minutes=15)

FREE_FAILURES_EVERYWHERE = 10
LONGEST_WAIT_EVERYWHERE_SECONDS = 30
EVERYWHERE_IS_KEPT = timedelta(hours=1)

UNLOCKING_IS_KEPT = timedelta(days=1)

RESETS_AN_ADDRESS = 20
RESETS_AN_ACCOUNT = 3
RESETS_WINDOW = timedelta(hours=1)

FAMILIAR_IS_KEPT = timedelta(days=90)
TRIES = 5


class Bucket(Entity):
    """One counter. `opens_at` is when the next attempt is let through, where it has to wait at all.

    `series` is the unlocking since which it counts.
    """

    bucket: str
    failures: int = 0
    series: str = ""
    opens_at: Instant | None = None
    expires_at: Expiry


class Buckets(Repository[Bucket]):
    """The counters; an expired one counts as absent, although the store deletes it late."""

    entity = Bucket
    table = RATE_LIMITS
    noun = "counter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt that was let through and counted; holds the names of its counters."""

    here: str
    address: str
    everywhere: str
    familiar: str
    unlocked: str


class Throttle:
    """Lets attempts to sign in through, or not."""

    def __init__(self, buckets: Buckets) -> None:
        """`buckets` keeps the counters; its clock must be the one whose times are given below."""
        self.buckets = buckets

    def admit(self, *, email: str, address: str, now: datetime) -> Attempt:
        """Count an attempt as failed and let it through. Raises `TooManyAttempts`: then nothing may be verified."""
        account = folded(email)
        attempt = Attempt(
            here=_name("here", account, address),
            address=_name("address", address),
            everywhere=_name("everywhere", account),
            familiar=_name("familiar", account, address),
            unlocked=_name("unlocked", account),
        )
        for _ in range(TRIES):
            if self._counted_here(attempt, now):
                break
        else:
            raise TooManyAttempts(1)
        self._count(attempt.address, window=ADDRESS_WINDOW, now=now, most=FAILURES_AN_ADDRESS)
        self._count(attempt.everywhere, window=EVERYWHERE_IS_KEPT, now=now, renew=True)
        return attempt

    def succeeded(self, attempt: Attempt, *, now: datetime) -> None:
        """The password was right: forget the failures here, take the attempt back, and know this address."""
        self.buckets.delete(attempt.here)
        self._take_back(attempt)
        self.buckets.put_many([Bucket(bucket=attempt.familiar, expires_at=now + FAMILIAR_IS_KEPT)])

    def undecided(self, attempt: Attempt) -> None:
        """Nothing was verified after all (no turn, no store): the attempt does not count."""
        self._change(attempt.here, Update(add={"failures": -1}, remove=("opens_at",)))
        self._take_back(attempt)

    def count_wrong_token(self, *, address: str, now: datetime) -> None:
        """Count a wrong API token. Raises `TooManyAttempts` where this address sent many of them lately."""
        name = _name("token", address)
        counted = self.buckets.find(name)
        if counted is not None and counted.failures >= FAILURES_AN_ADDRESS:
            raise TooManyAttempts(_seconds(counted.expires_at - now))
        self._count(name, window=ADDRESS_WINDOW, now=now, most=FAILURES_AN_ADDRESS)

    def first_use(self, secret: str, *, now: datetime, kept: timedelta) -> bool:
        """Whether nobody, in any process, has shown this before: for what may be used once; forgotten after `kept`."""
        used = Update(set={"failures": 1, "expires_at": now + kept})
        return self._change(_name("once", secret), used, condition=_absent(now), or_create=True)

    def admit_reset(self, *, email: str, address: str, now: datetime) -> bool:
        """Count a request for a link to choose a new password; whether one may be sent to this account.

        Raises `TooManyAttempts` where this address asks too often; that an account was asked for too often is not told.
        """
        self._count(_name("reset-address", address), window=RESETS_WINDOW, now=now, most=RESETS_AN_ADDRESS)
        try:
            self._count(_name("reset-account", folded(email)), window=RESETS_WINDOW, now=now, most=RESETS_AN_ACCOUNT)
        except TooManyAttempts:
            return False
        return True

    def unlocking(self, *, email: str, now: datetime) -> tuple[Write, ...]:
        """The writes that unlock an account for every address, for the transaction of what goes with it."""
        account = folded(email)
        marker = Bucket(
            bucket=_name("unlocked", account), series=secrets.token_hex(8), expires_at=now + UNLOCKING_IS_KEPT
        )
        return self.buckets.putting(marker), self.buckets.deleting(_name("everywhere", account))

    def failures_of(self, email: str) -> int:
        """How often signing in to this account failed of late, from all addresses, unless it was unlocked since."""
        found = self.buckets.find(_name("everywhere", folded(email)))
        return found.failures if found else 0

    def _counted_here(self, attempt: Attempt, now: datetime) -> bool:
        """Count the attempt for account and address; False where another attempt came in between."""
        names = (attempt.here, attempt.address, attempt.everywhere, attempt.familiar, attempt.unlocked)
        found = {bucket.bucket: bucket for bucket in self.buckets.get_many(names, consistent=True)}
        stored, address, unlocked = found.get(attempt.here), found.get(attempt.address), found.get(attempt.unlocked)
        if address is not None and address.failures >= FAILURES_AN_ADDRESS:
            raise TooManyAttempts(_seconds(address.expires_at - now))
        series = unlocked.series if unlocked else ""
        here = stored if stored and stored.series == series else None
        if here is not None and here.opens_at is not None and here.opens_at > now:
            raise TooManyAttempts(_seconds(here.opens_at - now))
        everywhere = found.get(attempt.everywhere)
        slow = wait_everywhere(everywhere.failures) if everywhere and attempt.familiar not in found else 0
        change = Bucket(bucket=attempt.here, series=series, expires_at=now + HERE_IS_KEPT)
        if slow and here is None:
            # Its first attempt on an account that others are guessing at: it waits too, but only for itself.
            if self._store_here(stored, change, wait=slow, now=now):
                raise TooManyAttempts(slow)
            return False
        failures = (here.failures if here else 0) + 1
        wait = max(wait_here(failures), slow)
        return self._store_here(stored, change.evolve(failures=failures), wait=wait, now=now)

    def _store_here(self, stored: Bucket | None, counted: Bucket, *, wait: int, now: datetime) -> bool:
        unchanged: Condition = attribute("version").equals(stored.version) if stored else _absent(now)
        change = Update(
            set={
                "failures": counted.failures,
                "series": counted.series,
                "opens_at": now + timedelta(seconds=wait) if wait else None,
                "expires_at": counted.expires_at,
            }
        )
        return self._change(counted.bucket, change, condition=unchanged, or_create=True)

    def _count(
        self, name: str, *, window: timedelta, now: datetime, most: int | None = None, renew: bool = False
    ) -> None:
        """Count one failure in a window. Raises `TooManyAttempts` at `most`; `renew` lets each failure prolong it."""
        running: Condition = attribute("expires_at").above(now)
        room = running & attribute("failures").below(most) if most is not None else running
        more = Update(add={"failures": 1}, set={"expires_at": now + window} if renew else {})
        afresh = Update(set={"failures": 1, "expires_at": now + window})
        for _ in range(TRIES):
            if self._change(name, more, condition=room):
                return
            if self._change(name, afresh, condition=_absent(now), or_create=True):
                return
            full = self.buckets.find(name, consistent=True)
            if full is not None and most is not None and full.failures >= most:
                raise TooManyAttempts(_seconds(full.expires_at - now))

    def _take_back(self, attempt: Attempt) -> None:
        for name in (attempt.address, attempt.everywhere):
            self._change(name, Update(add={"failures": -1}), condition=attribute("failures").above(0))

    def _change(
        self, name: str, update: Update, *, condition: Condition | None = None, or_create: bool = False
    ) -> bool:
        """Whether the counter was as the condition demands, and so was changed."""
        try:
            self.buckets.update(name, update, condition=condition, or_create=or_create)
        except (ConditionFailed, ItemNotFound):
            return False
        return True


def wait_here(failures: int) -> int:
    """Seconds to wait after this many failures on one account from one address."""
    over = failures - FREE_FAILURES_HERE
    return _doubling(FIRST_WAIT_HERE_SECONDS, over, LONGEST_WAIT_HERE_SECONDS) if over >= 0 else 0


def wait_everywhere(failures: int) -> int:
    """Seconds that an unknown address waits before each try, after this many failures from everywhere."""
    over = failures - FREE_FAILURES_EVERYWHERE
    return _doubling(1, over, LONGEST_WAIT_EVERYWHERE_SECONDS) if over >= 0 else 0


def _doubling(first: int, times: int, most: int) -> int:
    return int(min(most, first * 2 ** min(times, 16)))


def _absent(now: datetime) -> Condition:
    return attribute("bucket").missing() | attribute("expires_at").at_most(now)


def _seconds(wait: timedelta) -> int:
    return max(1, math.ceil(wait.total_seconds()))


def _name(kind: str, *parts: str) -> str:
    """A counter's key: of bounded length, and it tells neither account nor address."""
    return f"sign-in.{kind}#{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()}"
