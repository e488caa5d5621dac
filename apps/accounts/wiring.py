"""Where the accounts' default parts are made, on the process's own store."""

from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from apps.accounts.code_throttle import CodeThrottle
from apps.accounts.mail import Later
from apps.accounts.oidc.config import SingleSignOn
from apps.accounts.passwords import Passwords
from apps.accounts.repository import ApiTokens, Identities, Invitations, SecondFactors, SignIns, Users
from apps.accounts.throttle import Buckets, Throttle
from apps.audit.repository import AuditLog
from apps.storage import connection
from apps.storage.sessions import WebSessions

if TYPE_CHECKING:
    from apps.accounts.oidc.provider import IdentityProvider


def users() -> Users:
    """The users."""
    return Users(connection.default_store())


def api_tokens() -> ApiTokens:
    """The API tokens."""
    return ApiTokens(connection.default_store())


def identities() -> Identities:
    """Who people are at providers of single sign-on."""
    return Identities(connection.default_store())


def invitations() -> Invitations:
    """The invitations and password resets."""
    return Invitations(connection.default_store())


def sign_ins() -> SignIns:
    """When people last signed in."""
    return SignIns(connection.default_store())


def second_factors() -> SecondFactors:
    """The second factors."""
    return SecondFactors(connection.default_store())


def audit_log() -> AuditLog:
    """The audit log."""
    return AuditLog(connection.default_store())


def web_sessions() -> WebSessions:
    """The browsers' sessions."""
    return WebSessions(connection.default_store())


def throttle() -> Throttle:
    """What slows guessing down."""
    return Throttle(Buckets(connection.default_store()))


def code_throttle() -> CodeThrottle:
    """What slows the guessing of one-time codes down."""
    return CodeThrottle(Buckets(connection.default_store()))


@lru_cache(maxsize=1)
def passwords() -> Passwords:
    """The one place of this process where passwords are hashed: it bounds how many are at once."""
    return Passwords()


def single_sign_on() -> SingleSignOn | None:
    """The provider that this deployment names, if any."""
    found: SingleSignOn | None = settings.SINGLE_SIGN_ON
    return found


@lru_cache(maxsize=1)
def identity_provider(chosen: SingleSignOn) -> "IdentityProvider":
    """The one place of this process that asks the provider: it keeps what the provider publishes."""
    # Importing Authlib and what it needs takes a moment: only whoever signs in that way first waits for it.
    from apps.accounts.oidc.provider import IdentityProvider  # noqa: PLC0415

    return IdentityProvider(chosen)


@lru_cache(maxsize=1)
def later() -> Later:
    """Where mails wait that nobody waits for."""
    return Later()
