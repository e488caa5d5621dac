"""What people change about their own account, beside password, second factor and API tokens."""

from datetime import datetime

from pydantic import ValidationError

from apps.accounts.entities import User
from apps.accounts.repository import Users
from apps.accounts.services._recording import invalid, object_of
from apps.accounts.time_zones import zone_named
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.errors import Invalid, NotFound
from apps.storage.conditions import attribute
from apps.storage.errors import ConditionFailed, ItemNotFound
from apps.storage.sessions import WebSession, WebSessions


def change_profile(
    users: Users, *, user: User, name: str, time_zone: str, actor: Actor, now: datetime, audit: AuditLog
) -> User:
    """Take another name and time zone (an IANA name, or none); returns the user as stored.

    Raises `Invalid` (with its field), `StaleVersion`.
    """
    if time_zone and zone_named(time_zone) is None:
        raise Invalid("Choose one of these time zones.", field="time_zone")
    try:
        changed = user.evolve(name=name, time_zone=time_zone, updated_at=now)
    except ValidationError as error:
        raise invalid(error) from None
    fields = [field for field in ("name", "time_zone") if getattr(changed, field) != getattr(user, field)]
    if not fields:
        return user
    entry = audit.recording(
        object_of(user),
        action="user.profile_changed",
        actor=actor,
        at=now,
        before={field: getattr(user, field) for field in fields},
        after={field: getattr(changed, field) for field in fields},
    )
    return users.save(changed, entry)


def end_session(
    sessions: WebSessions, *, user: User, session_hash: str, actor: Actor, now: datetime, audit: AuditLog
) -> WebSession:
    """Sign one browser of this user out, from its next request on; returns what it was.

    Raises `NotFound` where it is signed out already, and alike for somebody else's.
    """
    missing = NotFound("This browser is signed out already.")
    found = sessions.find(session_hash, consistent=True) if session_hash else None
    if found is None or found.user_id != user.user_id:
        raise missing
    before = {"device": found.device, "last_seen_at": found.last_seen_at}
    entry = audit.recording(object_of(user), action="user.session_ended", actor=actor, at=now, before=before)
    try:
        sessions.delete(session_hash, entry, condition=attribute("user_id").equals(user.user_id))
    except (ConditionFailed, ItemNotFound):
        raise missing from None
    return found
