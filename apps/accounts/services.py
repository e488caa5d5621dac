"""What can be done with accounts; each change is written together with its audit entry, or not at all."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from pydantic import ValidationError

from apps.accounts.entities import Role, User
from apps.accounts.errors import WrongCredentials
from apps.accounts.passwords import Passwords, check_rules
from apps.accounts.repository import Users
from apps.accounts.throttle import Attempt, Throttle
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.errors import Invalid, Unavailable
from apps.storage.sessions import WebSessions


def create_user(
    users: Users,
    *,
    email: str,
    name: str,
    roles: Iterable[Role],
    password: str,
    actor: Actor,
    now: datetime,
    passwords: Passwords,
    audit: AuditLog,
) -> User:
    """Store a new user. Raises `Invalid` (with its field), `Duplicate` (field `email`) where the address is taken."""
    try:
        user = User(
            user_id=str(uuid.uuid4()),
            email=email,
            name=name,
            roles=frozenset(roles),
            created_at=now,
            updated_at=now,
            created_by=actor.actor_id,
        )
    except ValidationError as error:
        raise _invalid(error) from None
    check_rules(password)
    user = user.evolve(password_hash=passwords.hashed(password))
    after = {"email": user.email, "name": user.name, "roles": user.roles}
    return users.add(user, audit.recording(_object(user), action="user.created", actor=actor, at=now, after=after))


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
    stored = users.save(changed, audit.recording(_object(user), action="user.password_changed", actor=actor, at=now))
    sessions.end_all_of(user.user_id)
    return stored


def sign_out_everywhere(
    users: Users, *, user: User, actor: Actor, now: datetime, audit: AuditLog, sessions: WebSessions
) -> None:
    """End all sessions of this user, from the next request on. Raises `ItemNotFound` where the user is gone."""
    entry = audit.recording(_object(user), action="user.signed_out_everywhere", actor=actor, at=now)
    users.end_sessions(user.user_id, entry, now=now)
    sessions.end_all_of(user.user_id)


def deactivate(
    users: Users, *, user: User, actor: Actor, now: datetime, audit: AuditLog, sessions: WebSessions
) -> User:
    """Let this user sign in no more, and end their sessions. Raises `StaleVersion`."""
    changed = user.evolve(is_active=False, auth_epoch=user.auth_epoch + 1, updated_at=now)
    entry = audit.recording(
        _object(user),
        action="user.deactivated",
        actor=actor,
        at=now,
        before={"is_active": user.is_active},
        after={"is_active": False},
    )
    stored = users.save(changed, entry)
    sessions.end_all_of(user.user_id)
    return stored


def _verify_current(user: User, current: str, *, attempt: Attempt, throttle: Throttle, passwords: Passwords) -> None:
    try:
        right = passwords.matches(current, user.password_hash)
    except Unavailable:
        throttle.undecided(attempt)
        raise
    if not right:
        raise WrongCredentials("This is not your current password.", field="current_password")


def _object(user: User) -> str:
    return f"Users#{user.user_id}"


def _invalid(error: ValidationError) -> Invalid:
    first = error.errors(include_url=False, include_input=False)[0]
    cause = first.get("ctx", {}).get("error")
    return Invalid(str(cause or first["msg"]), field=str(first["loc"][0]))
