"""API tokens: made, ended, and whom each one stands for."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import ValidationError

from apps.accounts.entities import ApiToken, User
from apps.accounts.errors import WrongToken
from apps.accounts.passwords import Passwords
from apps.accounts.repository import ApiTokens, Users
from apps.accounts.services._proving import prove_password
from apps.accounts.services._recording import invalid, object_of, told
from apps.accounts.throttle import Throttle
from apps.accounts.tokens import hint_of, is_token, new_token, token_hash
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.errors import Invalid, NotFound
from apps.storage.conditions import attribute
from apps.storage.errors import ConditionFailed, ItemNotFound

MOST_TOKENS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token that was just made, with its text, which cannot be had again."""

    token: ApiToken
    text: str = field(repr=False)


def create_token(
    tokens: ApiTokens,
    *,
    user: User,
    password: str,
    name: str,
    valid_for: timedelta,
    actor: Actor,
    address: str,
    now: datetime,
    throttle: Throttle,
    passwords: Passwords,
    audit: AuditLog,
) -> NewToken:
    """Make an API token for this user; its text is in the answer and nowhere else.

    A token outlives the session that made it, so whoever makes one shows the password. Raises `WrongCredentials` (field
    `password`), `TooManyAttempts`, `Invalid` (field `name`), also for somebody who has `MOST_TOKENS` already.
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
        raise invalid(error) from None
    after = {**told(token), "expires_at": token.expires_at}
    prove_password(user, password, field="password", address=address, now=now, throttle=throttle, passwords=passwords)
    entry = audit.recording(object_of(user), action="user.token_created", actor=actor, at=now, after=after)
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
    entry = audit.recording(object_of(user), action="user.token_revoked", actor=actor, at=now, before=told(found))
    try:
        tokens.delete(token_hash, entry, condition=attribute("user_id").equals(user.user_id))
    except (ConditionFailed, ItemNotFound):
        raise missing from None
    return found


def user_of_token(
    users: Users, tokens: ApiTokens, *, text: str, address: str, now: datetime, throttle: Throttle
) -> tuple[User, ApiToken]:
    """The user, as they are now, whom this API token stands for, and the token; `address` is what rate limits count.

    Raises `WrongToken` alike for one that is malformed, unknown, expired, revoked, or of somebody who may not sign in,
    and `TooManyAttempts` where wrong ones keep coming from this address: right ones are let through all the same.
    """
    token = tokens.find(token_hash(text), consistent=True) if is_token(text) else None
    user = users.find(token.user_id, consistent=True) if token else None
    if token is None or user is None or not user.is_active:
        throttle.count_wrong_token(address=address, now=now)
        raise WrongToken
    tokens.note_used(token, now=now)
    return user, token
