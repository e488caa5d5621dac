"""Single sign-on: who comes in by it, and how an account is connected with a person at the provider.

Accounts are found by issuer and subject alone. An e-mail address connects nobody by itself: whoever gets hold of a
mailbox, or of a provider that confirms what it likes, would get the account. What may connect is the owner, signed in
and with their password; or a deployment says that this provider's confirmed addresses are to be trusted.
"""

import uuid
from datetime import datetime

from pydantic import ValidationError

from apps.accounts.entities import LONGEST_NAME, Identity, User, email_address, identity_key
from apps.accounts.errors import NoAccount
from apps.accounts.oidc.config import Claims, SingleSignOn
from apps.accounts.repository import Identities, Users
from apps.accounts.services._recording import object_of
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.errors import Conflict, Invalid, NotFound
from apps.storage.conditions import attribute
from apps.storage.errors import AlreadyExists, ConditionFailed, Duplicate, ItemNotFound, StaleVersion
from apps.storage.writes import Write


def sign_in_with_identity(
    users: Users,
    identities: Identities,
    *,
    claims: Claims,
    chosen: SingleSignOn,
    address: str,
    now: datetime,
    audit: AuditLog,
) -> User:
    """The user whom the provider says came; the first time their account may be connected or made, as `chosen` says.

    `address` is where they came from. Raises `NoAccount` alike for somebody unknown and for an inactive account.
    """
    _require_domain(claims, chosen)
    try:
        user = _connected(users, identities, claims) or _first_time(
            users, identities, claims=claims, chosen=chosen, address=address, now=now, audit=audit
        )
    except (AlreadyExists, Duplicate, ConditionFailed, ItemNotFound):
        # Another browser of the same person was first, or the address belongs to an account that has another identity.
        user = _connected(users, identities, claims)
    if user is None or not user.is_active:
        raise _no_account(chosen)
    return user


def connect(
    users: Users,
    identities: Identities,
    *,
    user: User,
    claims: Claims,
    chosen: SingleSignOn,
    actor: Actor,
    now: datetime,
    audit: AuditLog,
) -> Identity:
    """Let this user come in as that person from now on; what is so already stays.

    The caller has seen to it that the user themselves wants it (`confirm_password`). Raises `NoAccount` where the
    provider's people of that domain may not come in, `Conflict` where one of the two is connected with another, or the
    user's sessions were ended meanwhile.
    """
    _require_domain(claims, chosen)
    found = identities.named(issuer=claims.issuer, subject=claims.subject)
    if found is not None and found.user_id == user.user_id:
        return found
    still_in = attribute("is_active").equals(value=True) & attribute("auth_epoch").equals(user.auth_epoch)
    unchanged = users.checking(user.user_id, still_in).otherwise(
        Conflict("You were signed out meanwhile. Sign in and connect again.", code="signed_out")
    )
    identity = _identity(claims, user.user_id, now=now)
    try:
        return identities.add(identity, unchanged, _linked(audit, user, identity, actor=actor, now=now))
    except AlreadyExists:
        raise Conflict(
            f"That person at {chosen.label} is connected with another account here.", code="identity_taken"
        ) from None


def disconnect(
    users: Users,
    identities: Identities,
    *,
    user: User,
    chosen: SingleSignOn,
    actor: Actor,
    now: datetime,
    audit: AuditLog,
) -> Identity:
    """Let this user come in by single sign-on no more; returns what was. Sessions that are open stay.

    Raises `Invalid` where it is their only way in, `NotFound` where they are not connected (any more).
    """
    if not user.password_hash:
        raise Invalid(
            "This is your only way in: you have no password. Get one first, under Account, Password.",
            code="only_way_in",
        )
    missing = NotFound("Your account is not connected any more.")
    found = identities.held_by(user.user_id, issuer=chosen.issuer)
    if found is None:
        raise missing
    entry = audit.recording(object_of(user), action="user.identity_unlinked", actor=actor, at=now, before=_told(found))
    has_password = attribute("password_hash").equals(user.password_hash)
    unchanged = users.checking(user.user_id, has_password).otherwise(
        Conflict("Your password was changed meanwhile. Nothing was disconnected: try again.", code="password_changed")
    )
    try:
        identities.delete(found, unchanged, entry)
    except (ConditionFailed, ItemNotFound, StaleVersion):
        raise missing from None
    return found


def _connected(users: Users, identities: Identities, claims: Claims) -> User | None:
    found = identities.named(issuer=claims.issuer, subject=claims.subject)
    return users.find(found.user_id, consistent=True) if found else None


def _first_time(
    users: Users,
    identities: Identities,
    *,
    claims: Claims,
    chosen: SingleSignOn,
    address: str,
    now: datetime,
    audit: AuditLog,
) -> User | None:
    """Connect by e-mail address or make an account, where the deployment wants that; else None."""
    if not (chosen.trusts_emails or chosen.new_accounts) or not _confirmed_address(claims):
        return None
    user = users.by_email(claims.email) if chosen.trusts_emails else None
    if user is not None:
        if not user.is_active:
            return None
        identity = _identity(claims, user.user_id, now=now)
        active = users.checking(user.user_id, attribute("is_active").equals(value=True)).otherwise(_no_account(chosen))
        entry = _linked(audit, user, identity, actor=user.acting(address), now=now)
        identities.add(identity, active, entry)
        return user
    return _new_account(users, identities, claims=claims, chosen=chosen, address=address, now=now, audit=audit)


def _new_account(
    users: Users,
    identities: Identities,
    *,
    claims: Claims,
    chosen: SingleSignOn,
    address: str,
    now: datetime,
    audit: AuditLog,
) -> User | None:
    if not chosen.new_accounts:
        return None
    user_id = str(uuid.uuid4())
    try:
        user = User(
            user_id=user_id,
            email=claims.email,
            name=_name(claims),
            roles=chosen.new_account_roles,
            created_at=now,
            updated_at=now,
            created_by=user_id,
        )
    except ValidationError:  # an address that cannot be one
        return None
    actor = user.acting(address)
    after = {"email": user.email, "name": user.name, "roles": user.roles}
    made = audit.recording(object_of(user), action="user.created", actor=actor, at=now, after=after)
    identity = _identity(claims, user_id, now=now)
    linked = _linked(audit, user, identity, actor=actor, now=now)
    return users.add(user, identities.adding(identity), made, linked)


def _require_domain(claims: Claims, chosen: SingleSignOn) -> None:
    if not chosen.email_domains:
        return
    if _confirmed_address(claims).rpartition("@")[2] not in chosen.email_domains:
        raise NoAccount(
            f"{_begun(chosen.label)} confirmed no e-mail address of yours that may sign in here.", code="email_domain"
        )


def _confirmed_address(claims: Claims) -> str:
    """The address that the provider confirms, as it is stored here; empty where there is none that can be told.

    Storing folds `straße` to `strasse`, which may be somebody else's mailbox or domain: of what a provider confirms, no
    more than capitals are folded.
    """
    try:
        address = email_address(claims.email)
    except ValueError:
        return ""
    is_same = claims.email.isascii() or claims.email == address
    return address if claims.email_verified and is_same else ""


def _identity(claims: Claims, user_id: str, *, now: datetime) -> Identity:
    return Identity(
        identity=identity_key(claims.issuer, claims.subject),
        issuer=claims.issuer,
        subject=claims.subject,
        user_id=user_id,
        email=claims.email,
        created_at=now,
    )


def _linked(audit: AuditLog, user: User, identity: Identity, *, actor: Actor, now: datetime) -> Write:
    return audit.recording(object_of(user), action="user.identity_linked", actor=actor, at=now, after=_told(identity))


def _told(identity: Identity) -> dict[str, str]:
    return {"issuer": identity.issuer, "subject": identity.subject, "email": identity.email}


def _no_account(chosen: SingleSignOn) -> NoAccount:
    return NoAccount(f"No account here is connected with you at {chosen.label}.")


def _name(claims: Claims) -> str:
    """What the provider calls them; where it calls them nothing that can be shown, what stands before the @."""
    name = "".join(character for character in claims.name if character.isprintable()).strip()[:LONGEST_NAME].strip()
    return name or claims.email.partition("@")[0][:LONGEST_NAME]


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]
