"""Who there is: made, changed, let in no more and let in again.

There is always an active administrator: nobody takes that away from themselves, and who takes it away from another must
be one at the moment of the write, which the transaction checks. So of two who shut each other out, one stays.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime

from pydantic import ValidationError

from apps.accounts.entities import Role, User
from apps.accounts.passwords import Passwords, check_rules
from apps.accounts.permissions import Permission, require
from apps.accounts.repository import Users
from apps.accounts.services._recording import invalid, object_of
from apps.accounts.throttle import Throttle
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.errors import Forbidden, Invalid
from apps.storage.sessions import WebSessions
from apps.storage.writes import Write

CHANGEABLE = ("name", "email", "roles", "is_active")


def create_user(
    users: Users,
    *,
    email: str,
    name: str,
    roles: Iterable[Role],
    password: str | None,
    actor: Actor,
    now: datetime,
    passwords: Passwords,
    audit: AuditLog,
) -> User:
    """Store a new user, for commands that somebody runs on the machine itself; pages use `add_user`.

    Without a password (None) they cannot sign in until they choose one. Raises `Invalid` (with its field), `Duplicate`
    (field `email`) where the address is taken.
    """
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
        raise invalid(error) from None
    if password is not None:
        check_rules(password, of=user)
        user = user.evolve(password_hash=passwords.hashed(password))
    after = {"email": user.email, "name": user.name, "roles": user.roles}
    return users.add(user, audit.recording(object_of(user), action="user.created", actor=actor, at=now, after=after))


def add_user(
    users: Users,
    *,
    email: str,
    name: str,
    roles: Iterable[Role],
    password: str | None,
    by: User,
    actor: Actor,
    now: datetime,
    passwords: Passwords,
    audit: AuditLog,
) -> User:
    """Store a new user on behalf of `by`: who may only invite gives neither roles nor a password.

    Raises `NotFound` and `Forbidden`, and what `create_user` raises.
    """
    roles = frozenset(roles)
    require(by, Permission.USERS_INVITE)
    if password is not None:
        require(by, Permission.USERS_CHANGE)
    if roles:
        require(by, Permission.USERS_ROLES)
    return create_user(
        users,
        email=email,
        name=name,
        roles=roles,
        password=password,
        actor=actor,
        now=now,
        passwords=passwords,
        audit=audit,
    )


def change_user(
    users: Users,
    *,
    before: User,
    after: User,
    by: User,
    actor: Actor,
    now: datetime,
    audit: AuditLog,
    sessions: WebSessions,
) -> User:
    """Give a user the name, e-mail address, roles and `is_active` of `after`; nothing else of it is looked at.

    Whoever is deactivated is signed out everywhere from the next request on. Raises `NotFound` and `Forbidden`,
    `Invalid` (with its field) for who would shut themselves out, `Duplicate` (field `email`), `StaleVersion`.
    """
    require(by, Permission.USERS_CHANGE)
    changes = {name: getattr(after, name) for name in CHANGEABLE if getattr(after, name) != getattr(before, name)}
    if not changes:
        return before
    if "roles" in changes:
        require(by, Permission.USERS_ROLES)
    ends = before.is_active and not after.is_active
    entry = audit.recording(
        object_of(before),
        action=_action(before, after),
        actor=actor,
        at=now,
        before={name: getattr(before, name) for name in changes},
        after=changes,
    )
    changed = before.evolve(**changes, auth_epoch=before.auth_epoch + ends, updated_at=now)
    stored = users.save(changed, entry, *_demands(users, before, changed, by=by))
    if ends:
        sessions.end_all_of(before.user_id)
    return stored


def deactivate(
    users: Users, *, user: User, by: User, actor: Actor, now: datetime, audit: AuditLog, sessions: WebSessions
) -> User:
    """Let this user sign in no more, and end their sessions. Raises what `change_user` raises."""
    after = user.evolve(is_active=False)
    return change_user(users, before=user, after=after, by=by, actor=actor, now=now, audit=audit, sessions=sessions)


def reactivate(
    users: Users, *, user: User, by: User, actor: Actor, now: datetime, audit: AuditLog, sessions: WebSessions
) -> User:
    """Let this user sign in again, with the password they had. Raises what `change_user` raises."""
    after = user.evolve(is_active=True)
    return change_user(users, before=user, after=after, by=by, actor=actor, now=now, audit=audit, sessions=sessions)


def set_password(
    users: Users,
    *,
    user: User,
    password: str,
    by: User,
    actor: Actor,
    now: datetime,
    passwords: Passwords,
    throttle: Throttle,
    audit: AuditLog,
    sessions: WebSessions,
) -> User:
    """Give somebody else a password, end their sessions and unlock their account.

    Raises `NotFound` and `Forbidden`, `Invalid` (field `password`), `StaleVersion`.
    """
    require(by, Permission.USERS_CHANGE)
    if by.user_id == user.user_id:
        raise Invalid("Change your own password on your account's page.", field="password")
    check_rules(password, of=user)
    changed = user.evolve(password_hash=passwords.hashed(password), auth_epoch=user.auth_epoch + 1, updated_at=now)
    entry = audit.recording(object_of(user), action="user.password_set", actor=actor, at=now)
    stored = users.save(changed, entry, *throttle.unlocking(email=user.email, now=now))
    sessions.end_all_of(user.user_id)
    return stored


def _action(before: User, after: User) -> str:
    if before.is_active == after.is_active:
        return "user.changed"
    return "user.reactivated" if after.is_active else "user.deactivated"


def _demands(users: Users, before: User, after: User, *, by: User) -> list[Write]:
    """What must hold of others for this change. Raises `Invalid` for who would shut themselves out."""
    if not before.is_administrator or after.is_administrator:
        return []
    if by.user_id == before.user_id:
        raise Invalid(
            "You cannot shut yourself out: ask another administrator to do this.",
            code="own_access",
            field="roles" if after.is_active else "is_active",
        )
    lost = Forbidden("You are no administrator any more, so you cannot do this.")
    return [users.demanding_administrator(by.user_id).otherwise(lost)]
