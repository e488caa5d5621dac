"""Sign-in for the API: the session cookie, with CSRF protection for what changes something."""

from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie

from apps.accounts.entities import Anonymous, User
from apps.accounts.middleware import user_of


class SessionAuth(APIKeyCookie):
    """Answers with the signed-in user (`request.auth`); ninja turns None into its 401 as JSON."""

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


session_auth = SessionAuth()
