"""Users, their API tokens and where they are signed in, in the back office."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from apps.accounts import services, wiring
from apps.accounts.entities import ApiToken, Identity, User, email_address, folded
from apps.accounts.middleware import actor_of, signed_in_user
from apps.accounts.permissions import Permission, allowed
from apps.accounts.repository import ApiTokens, Identities, Users
from apps.console.actions import row_action
from apps.console.entity_admin import EntityAdmin
from apps.console.filters import Choices, Exactly, YesNo
from apps.console.listings import Listing
from apps.errors import NotFound
from apps.storage.sessions import WebSession, WebSessions


class UserAdmin(EntityAdmin[User]):
    """Who may sign in, by name; the password's hash is no part of it."""

    repository = Users
    sees = Permission.USERS_SEE
    sees_history = Permission.AUDIT_SEE
    exports = Permission.USERS_CHANGE
    listings = (Listing(index="directory-index", partition="users", folded=folded),)
    filters = (Choices("roles", label="Role"), YesNo("is_active"))
    finds: ClassVar[Mapping[str, Callable[[str], str]]] = {"email": email_address}
    list_display = ("name", "email", "roles", "is_active")
    labels: ClassVar[Mapping[str, str]] = {"email": "e-mail", "is_active": "active", "user_id": "id"}
    search_fields = ("name",)
    search_help_text = "Beginning of the name, or whole e-mail"
    fields = ("name", "email", "roles", "is_active", "created_at", "updated_at", "user_id")

    def links(self, request: HttpRequest, entity: User) -> list[tuple[str, str]]:
        """What the audit log has on what they did, and where they are signed in."""
        user, found = signed_in_user(request), []
        if allowed(user, Permission.AUDIT_SEE):
            found.append(("What they did", f"{reverse('trail:entries')}?{urlencode({'actor': entity.user_id})}"))
        if allowed(user, Permission.USERS_CHANGE):
            query = urlencode({"user_id": entity.user_id})
            found.append(("Browsers", f"{reverse('admin:storage_websession_changelist')}?{query}"))
            found.append(("API tokens", f"{reverse('admin:accounts_apitoken_changelist')}?{query}"))
        return found


class ApiTokenAdmin(EntityAdmin[ApiToken]):
    """API tokens, by whom they stand for; their hashes are shown nowhere."""

    repository = ApiTokens
    sees = Permission.USERS_CHANGE
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
            wiring.api_tokens(), user=_user(entity.user_id), token_hash=entity.token_hash, **_by(request)
        )


class IdentityAdmin(EntityAdmin[Identity]):
    """Who people are at providers of single sign-on; they connect and disconnect them themselves."""

    repository = Identities
    plural = "identities"
    sees = Permission.USERS_CHANGE
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
            wiring.web_sessions(), user=_user(entity.user_id), session_hash=entity.session_hash, **_by(request)
        )


def _user(user_id: str) -> User:
    return wiring.users().get(user_id, consistent=True)


def _by(request: HttpRequest) -> dict[str, Any]:
    """Who does it, from where and when, and where that is noted."""
    who = {"by": signed_in_user(request), "actor": actor_of(request)}
    return {**who, "now": datetime.now(UTC), "audit": wiring.audit_log()}
