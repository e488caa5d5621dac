"""The second factor: set up, confirmed, switched off, taken away by an administrator; and its recovery codes."""

import secrets
from datetime import datetime, timedelta

from apps.accounts.code_throttle import CodeThrottle
from apps.accounts.entities import SecondFactor, User
from apps.accounts.errors import WrongCode
from apps.accounts.one_time_codes import matching_step, new_key, new_recovery_codes, recovery_hash, typed
from apps.accounts.passwords import Passwords
from apps.accounts.permissions import Permission, require
from apps.accounts.repository import SecondFactors, Users
from apps.accounts.services._proving import accept_code, prove_password
from apps.accounts.services._recording import object_of
from apps.accounts.throttle import Throttle
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.errors import Conflict, Invalid, NotFound
from apps.storage.conditions import Update, attribute
from apps.storage.secrets import Secret
from apps.storage.sessions import WebSessions
from apps.storage.transaction import Transaction

SETTING_UP_TAKES = timedelta(minutes=15)


def begin_second_factor(
    factors: SecondFactors,
    *,
    user: User,
    password: str,
    address: str,
    now: datetime,
    throttle: Throttle,
    passwords: Passwords,
) -> SecondFactor:
    """Make a key that is to be confirmed within a quarter of an hour; one that was never confirmed is forgotten.

    Raises `WrongCredentials` (field `password`), `TooManyAttempts`, `Conflict` where a second factor is in use.
    """
    in_use = Conflict("You have a second factor already. Switch it off before you set up another one.")
    if user.has_second_factor:
        raise in_use
    prove_password(user, password, field="password", address=address, now=now, throttle=throttle, passwords=passwords)
    factor = SecondFactor(
        user_id=user.user_id, key=Secret(new_key()), setup=secrets.token_hex(16), expires_at=now + SETTING_UP_TAKES
    )
    put = factors.putting(factor, condition=attribute("confirmed_at").missing()).otherwise(in_use)
    Transaction(factors.store, put).commit()
    return factor


def second_factor_to_confirm(factors: SecondFactors, *, user: User, setup: str) -> SecondFactor:
    """The second factor that is being set up by whoever knows `setup`. Raises `NotFound` where that ended."""
    found = factors.find(user.user_id, consistent=True)
    if found is None or found.confirmed_at is not None or not setup or found.setup != setup:
        raise NotFound("Setting up took too long, or was begun anew elsewhere. Start again.")
    return found


def confirm_second_factor(
    users: Users,
    factors: SecondFactors,
    *,
    user: User,
    setup: str,
    code: str,
    actor: Actor,
    now: datetime,
    audit: AuditLog,
    sessions: WebSessions,
) -> tuple[User, tuple[str, ...]]:
    """Put the second factor in use once a code shows that the app has its key, and end all sessions, which were begun
    without it; returns the user as they are now, and the recovery codes, which are in the answer and nowhere else.

    Raises `NotFound` where setting up ended, `Conflict` where the sessions were ended meanwhile, and `WrongCode`.
    """
    pending = second_factor_to_confirm(factors, user=user, setup=setup)
    step = matching_step(pending.key.reveal(), typed(code), now=now)
    if step is None:
        raise WrongCode
    codes = new_recovery_codes()
    confirmed = Update(
        set={
            "confirmed_at": now,
            "last_step": step,
            "recovery_hashes": _hashes(codes, user),
            "expires_at": None,
            "setup": "",
        }
    )
    still = attribute("setup").equals(setup) & attribute("confirmed_at").missing()
    in_use = Update(set={"has_second_factor": True, "updated_at": now}, add={"auth_epoch": 1})
    still_in = attribute("auth_epoch").equals(user.auth_epoch)
    Transaction(
        factors.store,
        factors.updating(user.user_id, confirmed, condition=still).otherwise(
            NotFound("Setting up took too long, or was begun anew elsewhere. Start again.")
        ),
        users.updating(user.user_id, in_use, condition=still_in).otherwise(
            Conflict("You were signed out meanwhile. Sign in and start again.", code="signed_out")
        ),
        audit.recording(object_of(user), action="user.second_factor_set_up", actor=actor, at=now),
    ).commit()
    sessions.end_all_of(user.user_id)
    return user.evolve(has_second_factor=True, auth_epoch=user.auth_epoch + 1), codes


def switch_off_second_factor(
    users: Users,
    factors: SecondFactors,
    *,
    user: User,
    password: str,
    code: str,
    actor: Actor,
    address: str,
    now: datetime,
    throttle: Throttle,
    code_throttle: CodeThrottle,
    passwords: Passwords,
    audit: AuditLog,
) -> None:
    """Sign in by the password alone from now on.

    Raises `WrongCredentials` (field `password`), `WrongCode` (field `code`), `TooManyAttempts`.
    """
    prove_password(user, password, field="password", address=address, now=now, throttle=throttle, passwords=passwords)
    accepted = accept_code(factors, user=user, code=code, address=address, now=now, throttle=code_throttle)
    Transaction(
        factors.store,
        factors.deleting(user.user_id, condition=accepted.condition).otherwise(WrongCode()),
        users.updating(user.user_id, Update(set={"has_second_factor": False, "updated_at": now})),
        audit.recording(object_of(user), action="user.second_factor_switched_off", actor=actor, at=now),
    ).commit()
    code_throttle.succeeded(accepted.attempt, now=now)


def renew_recovery_codes(
    factors: SecondFactors,
    *,
    user: User,
    password: str,
    code: str,
    actor: Actor,
    address: str,
    now: datetime,
    throttle: Throttle,
    code_throttle: CodeThrottle,
    passwords: Passwords,
    audit: AuditLog,
) -> tuple[str, ...]:
    """Make new recovery codes, which are in the answer and nowhere else; those from before end.

    Raises `WrongCredentials` (field `password`), `WrongCode` (field `code`), `TooManyAttempts`.
    """
    prove_password(user, password, field="password", address=address, now=now, throttle=throttle, passwords=passwords)
    accepted = accept_code(factors, user=user, code=code, address=address, now=now, throttle=code_throttle)
    codes = new_recovery_codes()
    renewed = Update(set={**accepted.used.set, "recovery_hashes": _hashes(codes, user)})
    Transaction(
        factors.store,
        factors.updating(user.user_id, renewed, condition=accepted.condition).otherwise(WrongCode()),
        audit.recording(object_of(user), action="user.recovery_codes_renewed", actor=actor, at=now),
    ).commit()
    code_throttle.succeeded(accepted.attempt, now=now)
    return codes


def reset_second_factor(
    users: Users,
    factors: SecondFactors,
    *,
    user: User,
    by: User,
    actor: Actor,
    now: datetime,
    audit: AuditLog,
    sessions: WebSessions,
) -> None:
    """Take the second factor from somebody who lost app and recovery codes, and end all their sessions.

    Raises `NotFound` and `Forbidden` for who may not do that, `Invalid` for one's own, which takes a password and a
    code, `ItemNotFound` where the user is gone.
    """
    require(by, Permission.USERS_CHANGE)
    if by.user_id == user.user_id:
        raise Invalid("Switch your own second factor off on your account's page.")
    without = Update(set={"has_second_factor": False, "updated_at": now}, add={"auth_epoch": 1})
    Transaction(
        factors.store,
        factors.deleting(user.user_id, or_gone=True),
        users.updating(user.user_id, without),
        audit.recording(object_of(user), action="user.second_factor_reset", actor=actor, at=now),
    ).commit()
    sessions.end_all_of(user.user_id)


def _hashes(codes: tuple[str, ...], user: User) -> frozenset[str]:
    return frozenset(recovery_hash(code, user_id=user.user_id) for code in codes)
