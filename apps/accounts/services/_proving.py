"""How somebody shows that it is them: by their password, by a one-time code."""

from dataclasses import dataclass
from datetime import datetime

from apps.accounts.code_throttle import CodeAttempt, CodeThrottle
from apps.accounts.entities import SecondFactor, User
from apps.accounts.errors import WrongCode, WrongCredentials
from apps.accounts.one_time_codes import is_app_code, matching_step, recovery_hash, typed
from apps.accounts.passwords import Passwords
from apps.accounts.repository import SecondFactors
from apps.accounts.throttle import Throttle
from apps.errors import Unavailable
from apps.storage.conditions import Condition, Update, attribute


def prove_password(
    user: User,
    password: str,
    *,
    field: str,
    address: str,
    now: datetime,
    throttle: Throttle,
    passwords: Passwords,
) -> None:
    """Raise `WrongCredentials` (with `field`), `TooManyAttempts`, or `Unavailable`, which does not count."""
    attempt = throttle.admit(email=user.email, address=address, now=now)
    try:
        right = passwords.matches(password, user.password_hash)
    except Unavailable:
        throttle.undecided(attempt)
        raise
    if not right:
        raise WrongCredentials("This is not your current password.", field=field)
    throttle.succeeded(attempt, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A code that is right by what was read. `used` makes it so for good, on `condition`, which holds only once.

    `codes_left` is how many recovery codes are left where it was one of them.
    """

    attempt: CodeAttempt
    used: Update
    condition: Condition
    codes_left: int | None = None


def accept_code(
    factors: SecondFactors, *, user: User, code: str, address: str, now: datetime, throttle: CodeThrottle
) -> Accepted:
    """What a code of the user's app, or one of their recovery codes, has to be written with.

    Raises `WrongCode` and `TooManyAttempts`, and `Unavailable`, which does not count.
    """
    attempt = throttle.admit(user_id=user.user_id, address=address, now=now)
    try:
        factor = factors.in_use_by(user.user_id)
        accepted = _accepted(factor, typed(code), attempt=attempt, now=now) if factor else None
    except Unavailable:
        throttle.undecided(attempt)
        raise
    if accepted is None:
        raise WrongCode
    return accepted


def _accepted(factor: SecondFactor, code: str, *, attempt: CodeAttempt, now: datetime) -> Accepted | None:
    same = attribute("confirmed_at").equals(factor.confirmed_at)
    if is_app_code(code):
        step = matching_step(factor.key.reveal(), code, now=now)
        if step is None or step <= factor.last_step:
            return None
        newer = attribute("last_step").below(step)
        return Accepted(attempt=attempt, used=Update(set={"last_step": step}), condition=same & newer)
    hashed = recovery_hash(code, user_id=factor.user_id)
    if hashed not in factor.recovery_hashes:
        return None
    return Accepted(
        attempt=attempt,
        used=Update(discard={"recovery_hashes": {hashed}}),
        condition=same & attribute("recovery_hashes").contains(hashed),
        codes_left=len(factor.recovery_hashes) - 1,
    )
