"""What administrators and support see of how somebody gets in, and do about it: end sessions, revoke tokens, unlock."""

from dataclasses import dataclass
from datetime import datetime

from apps.accounts.code_throttle import CodeThrottle
from apps.accounts.entities import ApiToken, SignIn, User
from apps.accounts.permissions import Permission, require
from apps.accounts.repository import ApiTokens, SignIns, Users
from apps.accounts.services._recording import object_of
from apps.accounts.services.own_account import end_session
from apps.accounts.services.signing_in import sign_out_everywhere
from apps.accounts.services.tokens import revoke_token
from apps.accounts.throttle import Throttle
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.storage.sessions import WebSession, WebSessions
from apps.storage.transaction import Transaction, read_together


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How somebody gets in: when they last did, how often it failed lately, and where they are signed in."""

    last: SignIn | None
    failures: int
    sessions: list[WebSession]


def access_of(sign_ins: SignIns, throttle: Throttle, sessions: WebSessions, *, user: User, by: User) -> Access:
    """What there is, in two requests. Raises `NotFound`."""
    require(by, Permission.USERS_SEE)
    last, counted = read_together(sign_ins.store, sign_ins.reading(user.user_id), throttle.counting(email=user.email))
    return Access(last=last, failures=counted.failures if counted else 0, sessions=sessions.of(user.user_id))


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


def revoke_token_of(
    tokens: ApiTokens, *, user: User, token_hash: str, by: User, actor: Actor, now: datetime, audit: AuditLog
) -> ApiToken:
    """End one of this user's API tokens, from the next request on; returns what it was.

    Raises `NotFound` where it is gone already, alike for somebody else's, and for who may not; and `Forbidden`.
    """
    require(by, Permission.USERS_CHANGE)
    return revoke_token(tokens, user=user, token_hash=token_hash, actor=actor, now=now, audit=audit)


def unlock(throttle: Throttle, *, user: User, by: User, actor: Actor, now: datetime, audit: AuditLog) -> None:
    """Let this user try passwords and codes again at once, wherever they are. Raises `NotFound` and `Forbidden`."""
    require(by, Permission.USERS_UNLOCK)
    entry = audit.recording(object_of(user), action="user.unlocked", actor=actor, at=now)
    codes = CodeThrottle(throttle.buckets).unlocking(user_id=user.user_id, now=now)
    Transaction(audit.store, entry, codes, *throttle.unlocking(email=user.email, now=now)).commit()
