"""What administrators and support do about how somebody gets in: end sessions, unlock."""

from datetime import datetime

from apps.accounts.code_throttle import CodeThrottle
from apps.accounts.entities import User
from apps.accounts.permissions import Permission, require
from apps.accounts.repository import Users
from apps.accounts.services._recording import object_of
from apps.accounts.services.own_account import end_session
from apps.accounts.services.signing_in import sign_out_everywhere
from apps.accounts.throttle import Throttle
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.storage.sessions import WebSession, WebSessions
from apps.storage.transaction import Transaction


def sign_out_user(
    users: Users, *, user: User, by: User, actor: Actor, now: datetime, audit: AuditLog, sessions: WebSessions
) -> None:
    """End all sessions of this user, from the next request on. Raises `NotFound` and `Forbidden`."""
    require(by, Permission.USERS_CHANGE)
    sign_out_everywhere(users, user=user, actor=actor, now=now, audit=audit, sessions=sessions)


def end_session_of(
    sessions: WebSessions, *, user: User, session_hash: str, by: User, actor: Actor, now: datetime, audit: AuditLog
) -> WebSession:
    """End one of this user's sessions, from its next request on; returns what it was.

    Raises `NotFound` where it is gone already, alike for somebody else's, and for who may not; and `Forbidden`.
    """
    require(by, Permission.USERS_CHANGE)
    return end_session(sessions, user=user, session_hash=session_hash, actor=actor, now=now, audit=audit)


def unlock(throttle: Throttle, *, user: User, by: User, actor: Actor, now: datetime, audit: AuditLog) -> None:
    """Let this user try passwords and codes again at once, wherever they are. Raises `NotFound` and `Forbidden`."""
    require(by, Permission.USERS_UNLOCK)
    entry = audit.recording(object_of(user), action="user.unlocked", actor=actor, at=now)
    codes = CodeThrottle(throttle.buckets).unlocking(user_id=user.user_id, now=now)
    Transaction(audit.store, entry, codes, *throttle.unlocking(email=user.email, now=now)).commit()
