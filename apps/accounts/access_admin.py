"""What lets people in, in the back office: API tokens, browsers that are signed in, identities at providers."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpRequest

from apps.accounts import services, wiring
from apps.accounts.admin import UserAdmin
from apps.accounts.entities import ApiToken, Identity, User
from apps.accounts.permissions import Permission
from apps.accounts.repository import ApiTokens, Identities
from apps.accounts.user_pages import done_by
from apps.console.entity_admin import EntityAdmin
from apps.console.lists.actions import row_action
from apps.console.lists.filters import Exactly
from apps.console.lists.listings import Listing
from apps.errors import NotFound
from apps.storage.sessions import WebSession, WebSessions


class ApiTokenAdmin(EntityAdmin[ApiToken]):
    """API tokens, by whom they stand for; their hashes are shown nowhere."""

    repository = ApiTokens
    sees = Permission.USERS_CHANGE
    about = "What lets programs act as somebody, and when each was last used."
    listings = (Listing(index="user_id-index", by=("user_id",)),)
    filters = (Exactly("user_id", label="User"),)
    related: ClassVar[Mapping[str, type[EntityAdmin[Any]]]] = {"user_id": UserAdmin}
    labels: ClassVar[Mapping[str, str]] = {"user_id": "user", "hint": "ends in"}
    list_display = ("name", "user_id", "created_at", "last_used_at", "expires_at")
    fields = ("name", "user_id", "hint", "created_at", "last_used_at", "expires_at")
    row_actions = ("revoke",)

    @row_action(
        "Revoke …",
        permission=Permission.USERS_CHANGE,
        done="revoked",
        confirm="Whatever uses them is refused from its next request on. They cannot be had back.",
        is_destructive=True,
    )
    def revoke(self, request: HttpRequest, entity: ApiToken, data: Mapping[str, Any]) -> None:
        """End it."""
        del data
        services.revoke_token_of(
            wiring.api_tokens(), user=_user(entity.user_id), token_hash=entity.token_hash, **done_by(request)
        )


class IdentityAdmin(EntityAdmin[Identity]):
    """Who people are at providers of single sign-on; they connect and disconnect them themselves."""

    repository = Identities
    plural = "identities"
    sees = Permission.USERS_CHANGE
    about = "Who people are at the provider of single sign-on."
    listings = (Listing(index="user_id-index", by=("user_id",)),)
    filters = (Exactly("user_id", label="User"),)
    related: ClassVar[Mapping[str, type[EntityAdmin[Any]]]] = {"user_id": UserAdmin}
    labels: ClassVar[Mapping[str, str]] = {"user_id": "user", "issuer": "provider", "subject": "id there"}
    list_display = ("issuer", "subject", "user_id", "email", "created_at")


class WebSessionAdmin(EntityAdmin[WebSession]):
    """Browsers that are signed in; neither their keys nor what they hold is shown."""

    repository = WebSessions
    plural = "browser sessions"
    sees = Permission.USERS_CHANGE
    about = "Browsers in which somebody is signed in."
    listings = (Listing(index="user_id-index", by=("user_id",)),)
    filters = (Exactly("user_id", label="User"),)
    related: ClassVar[Mapping[str, type[EntityAdmin[Any]]]] = {"user_id": UserAdmin}
    labels: ClassVar[Mapping[str, str]] = {"user_id": "user", "device": "browser"}
    list_display = ("device", "user_id", "created_at", "last_seen_at", "expires_at")
    fields = ("device", "user_id", "created_at", "last_seen_at", "expires_at")
    row_actions = ("sign_out",)

    @row_action(
        "Sign out …",
        permission=Permission.USERS_CHANGE,
        done="signed out",
        confirm="Whoever uses these browsers has to sign in again; what they typed and did not save is lost.",
        is_destructive=True,
    )
    def sign_out(self, request: HttpRequest, entity: WebSession, data: Mapping[str, Any]) -> None:
        """End it."""
        del data
        if entity.user_id is None:
            raise NotFound("Nobody is signed in there.")
        services.end_session_of(
            wiring.web_sessions(), user=_user(entity.user_id), session_hash=entity.session_hash, **done_by(request)
        )


def _user(user_id: str) -> User:
    return wiring.users().get(user_id, consistent=True)
