"""Who there is: made, and let in no more."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from pydantic import ValidationError

from apps.accounts.entities import Role, User
from apps.accounts.passwords import Passwords, check_rules
from apps.accounts.repository import Users
from apps.accounts.services._recording import invalid, object_of
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
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
        raise invalid(error) from None
    check_rules(password)
    user = user.evolve(password_hash=passwords.hashed(password))
    after = {"email": user.email, "name": user.name, "roles": user.roles}
    return users.add(user, audit.recording(object_of(user), action="user.created", actor=actor, at=now, after=after))


def deactivate(
    users: Users, *, user: User, actor: Actor, now: datetime, audit: AuditLog, sessions: WebSessions
) -> User:
    """Let this user sign in no more, and end their sessions. Raises `StaleVersion`."""
    changed = user.evolve(is_active=False, auth_epoch=user.auth_epoch + 1, updated_at=now)
    entry = audit.recording(
        object_of(user),
        action="user.deactivated",
        actor=actor,
        at=now,
        before={"is_active": user.is_active},
        after={"is_active": False},
    )
    stored = users.save(changed, entry)
    sessions.end_all_of(user.user_id)
    return stored
