"""How people sign in and out, and prove that it is them."""

import contextlib
from datetime import datetime

from apps.accounts.code_throttle import CodeThrottle
from apps.accounts.entities import User
from apps.accounts.errors import WrongCode, WrongCredentials
from apps.accounts.passwords import Passwords, check_rules
from apps.accounts.repository import SecondFactors, SignIns, Users
from apps.accounts.services._proving import accept_code, prove_password
from apps.accounts.services._recording import object_of
from apps.accounts.throttle import Throttle
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.errors import Unavailable
from apps.storage.sessions import WebSessions
from apps.storage.transaction import Transaction
from apps.storage.writes import Write


def authenticate(
    users: Users, *, email: str, password: str, address: str, now: datetime, throttle: Throttle, passwords: Passwords
) -> User:
    """The user with this e-mail and password; `address` is what rate limits count.

    One who `has_second_factor` is not signed in before `pass_second_factor`. A hash made with former parameters is
    replaced, unless too many sign in at once.

    Raises `TooManyAttempts` without looking at the password, `WrongCredentials` alike for a wrong password, an unknown
    address and an inactive account, `Unavailable` where too many sign in at once (which is not counted).
    """
    attempt = throttle.admit(email=email, address=address, now=now)
    try:
        user = users.by_email(email)
        right = passwords.matches(password, user.password_hash if user else None)
    except Unavailable:
        throttle.undecided(attempt)
        raise
    if user is None or not right or not user.is_active:
        raise WrongCredentials("This e-mail address and password do not belong together.")
    throttle.succeeded(attempt, now=now)
    if passwords.is_outdated(user.password_hash):
        with contextlib.suppress(Unavailable):
            users.replace_hash(user, passwords.hashed(password))
    return user


def note_signed_in(
    sign_ins: SignIns, *, user: User, by: str, actor: Actor, device: str, now: datetime, audit: AuditLog
) -> None:
    """Record that somebody signed in; `by` says with what (`password`, the name of a provider).

    For those who are asked for a code, `pass_second_factor` does it.
    """
    writes = _signed_in(sign_ins, user=user, by=by, actor=actor, device=device, now=now, audit=audit)
    Transaction(audit.store, *writes).commit()


def pass_second_factor(
    factors: SecondFactors,
    sign_ins: SignIns,
    *,
    user: User,
    code: str,
    actor: Actor,
    address: str,
    device: str,
    now: datetime,
    throttle: CodeThrottle,
    audit: AuditLog,
) -> int | None:
    """Use up a one-time code of somebody who showed the right password, and record that they signed in.

    Returns how many recovery codes are left where it was one of them, else None. Raises `WrongCode`, `TooManyAttempts`.
    """
    accepted = accept_code(factors, user=user, code=code, address=address, now=now, throttle=throttle)
    left = accepted.codes_left
    by = "password and code" if left is None else "password and recovery code"
    writes = [*_signed_in(sign_ins, user=user, by=by, actor=actor, device=device, now=now, audit=audit)]
    if left is not None:
        after = {"left": left}
        writes.append(
            audit.recording(object_of(user), action="user.recovery_code_used", actor=actor, at=now, after=after)
        )
    used = factors.updating(user.user_id, accepted.used, condition=accepted.condition).otherwise(WrongCode())
    Transaction(factors.store, used, *writes).commit()
    throttle.succeeded(accepted.attempt, now=now)
    return left


def change_password(
    users: Users,
    *,
    user: User,
    current: str,
    new: str,
    actor: Actor,
    address: str,
    now: datetime,
    throttle: Throttle,
    passwords: Passwords,
    audit: AuditLog,
    sessions: WebSessions,
) -> User:
    """Give the user a new password and end all their sessions; returns the user as stored.

    Raises `WrongCredentials` (field `current_password`), `TooManyAttempts`, `Invalid` (field `new_password`),
    `StaleVersion`.
    """
    check_rules(new, of=user, field="new_password")
    field = "current_password"
    prove_password(user, current, field=field, address=address, now=now, throttle=throttle, passwords=passwords)
    changed = user.evolve(password_hash=passwords.hashed(new), auth_epoch=user.auth_epoch + 1, updated_at=now)
    stored = users.save(changed, audit.recording(object_of(user), action="user.password_changed", actor=actor, at=now))
    sessions.end_all_of(user.user_id)
    return stored


def confirm_password(
    *, user: User, password: str, address: str, now: datetime, throttle: Throttle, passwords: Passwords
) -> None:
    """See that it is really this user who asks for something that opens a way into the account.

    Raises `WrongCredentials` (field `current_password`), `TooManyAttempts`, `Unavailable`.
    """
    field = "current_password"
    prove_password(user, password, field=field, address=address, now=now, throttle=throttle, passwords=passwords)


def sign_out_everywhere(
    users: Users, *, user: User, actor: Actor, now: datetime, audit: AuditLog, sessions: WebSessions
) -> None:
    """End all sessions of this user, from the next request on. Raises `ItemNotFound` where the user is gone."""
    entry = audit.recording(object_of(user), action="user.signed_out_everywhere", actor=actor, at=now)
    users.end_sessions(user.user_id, entry, now=now)
    sessions.end_all_of(user.user_id)


def _signed_in(
    sign_ins: SignIns, *, user: User, by: str, actor: Actor, device: str, now: datetime, audit: AuditLog
) -> tuple[Write, ...]:
    after = {"by": by, "device": device}
    return (
        audit.recording(object_of(user), action="user.signed_in", actor=actor, at=now, after=after),
        sign_ins.noting(user.user_id, at=now, address=actor.address, device=device),
    )
