"""Sign-in for the API: an API token, or the session cookie with CSRF protection for what changes something."""

from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer

from apps.accounts import services, wiring
from apps.accounts.addresses import counted_as
from apps.accounts.entities import Anonymous, User
from apps.accounts.middleware import act_as, address_of, user_of


class TokenAuth(HttpBearer):
    """Answers with the user whom `Authorization: Bearer rungs_...` stands for; without that header with None.

    No CSRF token is asked for: a browser never sends this header by itself. A request that shows a token is judged by
    it alone, so stand this before `SessionAuth`.
    """

    openapi_description = (
        "An API token, made on the account's page: `Authorization: Bearer rungs_...`. It acts as its owner, with the "
        "roles they have at that moment, and needs no CSRF token."
    )

    def authenticate(self, request: HttpRequest, token: str) -> User:
        """The user. Raises `WrongToken` and `TooManyAttempts`; the session is not asked then."""
        user, shown = services.user_of_token(
            wiring.users(),
            wiring.api_tokens(),
            text=token,
            address=counted_as(address_of(request)),
            now=datetime.now(UTC),
            throttle=wiring.throttle(),
        )
        act_as(request, user, via=shown.as_via)
        return user


class SessionAuth(APIKeyCookie):
    """Answers with the signed-in user (`request.auth`); ninja turns None into its 401 as JSON."""

    openapi_description = "The session cookie of the pages; whatever changes something needs `X-CSRFToken` beside it."

    def __init__(self) -> None:
        """CSRF is checked: a cookie is sent by the browser alone."""
        self.param_name = settings.SESSION_COOKIE_NAME
        super().__init__(csrf=True)

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        """The user, or None where nobody has signed in. `key` is the cookie, which the session has read already."""
        if not key:
            return None
        user = user_of(request)
        return None if isinstance(user, Anonymous) else user


token_auth = TokenAuth()
session_auth = SessionAuth()
