"""What can be done with accounts; each change is written together with its audit entry, or not at all."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import ValidationError

from apps.accounts.entities import ApiToken, Role, User
from apps.accounts.errors import WrongCredentials, WrongToken
from apps.accounts.passwords import Passwords, check_rules
from apps.accounts.repository import ApiTokens, Users
from apps.accounts.throttle import Attempt, Throttle
from apps.accounts.tokens import hint_of, is_token, new_token, token_hash
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.errors import Invalid, NotFound, Unavailable
from apps.storage.conditions import attribute
from apps.storage.errors import ConditionFailed, ItemNotFound
from apps.storage.sessions import WebSessions

MOST_TOKENS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token that was just made, with its text, which cannot be had again."""

    token: ApiToken
    text: str = field(repr=False)


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


def create_token(
    tokens: ApiTokens, *, user: User, name: str, valid_for: timedelta, actor: Actor, now: datetime, audit: AuditLog
) -> NewToken:
    """Make an API token for this user; its text is in the answer and nowhere else.

    Raises `Invalid` (field `name`), also for somebody who has `MOST_TOKENS` already.
    """
    if len(tokens.of(user.user_id)) >= MOST_TOKENS:
        raise Invalid(f"You have {MOST_TOKENS} API tokens. Revoke one that you no longer use.", code="too_many_tokens")
    text = new_token()
    try:
        token = ApiToken(
            token_hash=token_hash(text),
            user_id=user.user_id,
            name=name,
            hint=hint_of(text),
            created_at=now,
            expires_at=now + valid_for,
        )
    except ValidationError as error:
        raise _invalid(error) from None
    after = {**_told(token), "expires_at": token.expires_at}
    entry = audit.recording(_object(user), action="user.token_created", actor=actor, at=now, after=after)
    return NewToken(token=tokens.add(token, entry), text=text)


def revoke_token(
    tokens: ApiTokens, *, user: User, token_hash: str, actor: Actor, now: datetime, audit: AuditLog
) -> ApiToken:
    """End one of this user's API tokens, from the next request on; returns what it was.

    Raises `NotFound` where it is gone already, and alike for somebody else's.
    """
    found = tokens.find(token_hash, consistent=True)
    missing = NotFound("This API token is gone already.")
    if found is None or found.user_id != user.user_id:
        raise missing
    entry = audit.recording(_object(user), action="user.token_revoked", actor=actor, at=now, before=_told(found))
    try:
        tokens.delete(token_hash, entry, condition=attribute("user_id").equals(user.user_id))
    except (ConditionFailed, ItemNotFound):
        raise missing from None
    return found


def user_of_token(
    users: Users, tokens: ApiTokens, *, text: str, address: str, now: datetime, throttle: Throttle
) -> User:
    """The user, as they are now, whom this API token stands for; `address` is what rate limits count.

    Raises `WrongToken` alike for one that is malformed, unknown, expired, revoked, or of somebody who may not sign in,
    and `TooManyAttempts` where wrong ones keep coming from this address: right ones are let through all the same.
    """
    token = tokens.find(token_hash(text), consistent=True) if is_token(text) else None
    user = users.find(token.user_id, consistent=True) if token else None
    if token is None or user is None or not user.is_active:
        throttle.count_wrong_token(address=address, now=now)
        raise WrongToken
    tokens.note_used(token, now=now)
    return user


def _told(token: ApiToken) -> dict[str, str]:
    """A token as the audit log names it: not by words that are blanked there."""
    return {"name": token.name, "ends_in": token.hint}


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
