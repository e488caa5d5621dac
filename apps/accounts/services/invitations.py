"""Links in mails by which people choose a password: invitations, and resets of a password somebody forgot.

A link holds once, for a while, and only for the account as it was when it was made: once a password is chosen, the
address changed, or everybody signed out, it is void. Only a hash of its token is stored.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from apps.accounts.entities import Invitation, LinkKind, User
from apps.accounts.errors import LinkVoid
from apps.accounts.passwords import Passwords, check_rules
from apps.accounts.permissions import Permission, require
from apps.accounts.repository import Invitations, Users
from apps.accounts.services._recording import object_of
from apps.accounts.throttle import Throttle
from apps.accounts.tokens import link_token, token_hash
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.errors import Invalid
from apps.storage.errors import ItemNotFound, StaleVersion

VALID_FOR: Final = {LinkKind.INVITATION: timedelta(days=7), LinkKind.RESET: timedelta(hours=1)}
TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """A link that was just made, with its token, which cannot be had again."""

    invitation: Invitation
    token: str = field(repr=False)


class Mailer(Protocol):
    """Who brings links to people."""

    def send(self, user: User, link: NewLink) -> None:
        """Send it. Raises `MailNotSent`."""


def send_link(
    invitations: Invitations, *, user: User, by: User, mailer: Mailer, actor: Actor, now: datetime, audit: AuditLog
) -> NewLink:
    """Mail somebody a link to choose a password: an invitation to who never had one, otherwise a reset.

    Raises `NotFound` and `Forbidden`, `Invalid` for who may not sign in, `MailNotSent`: then it can be sent again.
    """
    require(by, Permission.USERS_INVITE)
    kind = _kind_for(user)
    link = _made(invitations, user=user, kind=kind, action="user.link_sent", actor=actor, now=now, audit=audit)
    mailer.send(user, link)
    return link


def show_link(
    invitations: Invitations, *, user: User, by: User, actor: Actor, now: datetime, audit: AuditLog
) -> NewLink:
    """The same link for an administrator to hand over: whoever has it becomes this user.

    Raises `NotFound` and `Forbidden`, `Invalid` for who may not sign in.
    """
    require(by, Permission.USERS_CHANGE)
    kind = _kind_for(user)
    return _made(invitations, user=user, kind=kind, action="user.link_shown", actor=actor, now=now, audit=audit)


def send_reset(
    users: Users, invitations: Invitations, *, email: str, address: str, mailer: Mailer, now: datetime, audit: AuditLog
) -> None:
    """Mail a link to whoever has this e-mail address, if somebody has and may sign in. Raises `MailNotSent`.

    To be done off the path of the request, after `Throttle.admit_reset`: nobody may learn from it who is known here.
    """
    user = users.by_email(email)
    if user is None or not user.is_active:
        return
    actor = Actor(actor_id="sign-in", name="Forgot password", address=address)
    kind = LinkKind.RESET  # also where they never had a password: a stranger may have asked
    link = _made(invitations, user=user, kind=kind, action="user.link_asked_for", actor=actor, now=now, audit=audit)
    mailer.send(user, link)


def whose_link(users: Users, invitations: Invitations, *, hashed: str) -> tuple[User, Invitation]:
    """The user whom the link with this hash of a token lets choose a password. Raises `LinkVoid`."""
    invitation = invitations.find(hashed, consistent=True)
    user = users.find(invitation.user_id, consistent=True) if invitation else None
    if invitation is None or user is None or not _holds(invitation, user):
        raise LinkVoid
    return user, invitation


def choose_password(
    users: Users,
    invitations: Invitations,
    *,
    hashed: str,
    password: str,
    address: str,
    now: datetime,
    passwords: Passwords,
    throttle: Throttle,
    audit: AuditLog,
    end_sessions: Callable[[str], object],
) -> User:
    """Use up a link: store the password, unlock the account and end all sessions; returns the user as stored.

    `address` is for the audit log. Raises `LinkVoid`, `Invalid` (field `new_password`), `StaleVersion`.
    """
    user, invitation = whose_link(users, invitations, hashed=hashed)
    check_rules(password, of=user, field="new_password")
    password_hash = passwords.hashed(password)
    for _ in range(TRIES):
        action = f"user.{invitation.kind}_used"
        entry = audit.recording(object_of(user), action=action, actor=user.acting(address), at=now)
        chosen = user.evolve(password_hash=password_hash, auth_epoch=user.auth_epoch + 1, updated_at=now)
        use_up = invitations.deleting(invitation).otherwise(LinkVoid())
        try:
            stored = users.save(chosen, use_up, entry, *throttle.unlocking(email=user.email, now=now))
        except (StaleVersion, ItemNotFound) as error:  # somebody changed the user: look again
            lost = error
            user, invitation = whose_link(users, invitations, hashed=hashed)
        else:
            end_sessions(user.user_id)
            return stored
    raise lost


def _kind_for(user: User) -> LinkKind:
    return LinkKind.RESET if user.password_hash else LinkKind.INVITATION


def _made(
    invitations: Invitations, *, user: User, kind: LinkKind, action: str, actor: Actor, now: datetime, audit: AuditLog
) -> NewLink:
    if not user.is_active:
        raise Invalid(f"{user.name} may not sign in. Make the account active first.", code="inactive")
    token = link_token()
    invitation = Invitation(
        token_hash=token_hash(token),
        kind=kind,
        user_id=user.user_id,
        email=user.email,
        auth_epoch=user.auth_epoch,
        created_at=now,
        created_by=actor.actor_id,
        expires_at=now + VALID_FOR[kind],
    )
    after = {"kind": kind, "email": user.email, "expires_at": invitation.expires_at}
    entry = audit.recording(object_of(user), action=action, actor=actor, at=now, after=after)
    return NewLink(invitation=invitations.add(invitation, entry), token=token)


def _holds(invitation: Invitation, user: User) -> bool:
    return user.is_active and (user.email, user.auth_epoch) == (invitation.email, invitation.auth_epoch)
