"""How people sign in and out, and prove that it is them."""

from datetime import datetime

from apps.accounts.entities import User
from apps.accounts.errors import WrongCredentials
from apps.accounts.passwords import Passwords, check_rules
from apps.accounts.repository import Users
from apps.accounts.services._recording import object_of
from apps.accounts.throttle import Attempt, Throttle
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.errors import Unavailable
from apps.storage.sessions import WebSessions


def authenticate(
    users: Users, *, email: str, password: str, address: str, now: datetime, throttle: Throttle, passwords: Passwords
) -> User:
    """The user with this e-mail and password; `address` is what rate limits count.

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
    return user


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
    check_rules(new, field="new_password")
    attempt = throttle.admit(email=user.email, address=address, now=now)
    _verify_current(user, current, attempt=attempt, throttle=throttle, passwords=passwords)
    throttle.succeeded(attempt, now=now)
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
    attempt = throttle.admit(email=user.email, address=address, now=now)
    _verify_current(user, password, attempt=attempt, throttle=throttle, passwords=passwords)
    throttle.succeeded(attempt, now=now)


def sign_out_everywhere(
    users: Users, *, user: User, actor: Actor, now: datetime, audit: AuditLog, sessions: WebSessions
) -> None:
    """End all sessions of this user, from the next request on. Raises `ItemNotFound` where the user is gone."""
    entry = audit.recording(object_of(user), action="user.signed_out_everywhere", actor=actor, at=now)
    users.end_sessions(user.user_id, entry, now=now)
    sessions.end_all_of(user.user_id)


def _verify_current(user: User, current: str, *, attempt: Attempt, throttle: Throttle, passwords: Passwords) -> None:
    try:
        right = passwords.matches(current, user.password_hash)
    except Unavailable:
        throttle.undecided(attempt)
        raise
    if not right:
        raise WrongCredentials("This is not your current password.", field="current_password")
