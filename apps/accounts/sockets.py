"""Who opens a WebSocket, and whether they are still signed in: consistent reads, off the event loop."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import parse_cookie

from apps.accounts.addresses import client_address
from apps.accounts.entities import User
from apps.accounts.middleware import AUTH_EPOCH, lacks_second_factor
from apps.accounts.wiring import users
from apps.storage.connection import off_loop
from apps.storage.sessions import USER_ID, SessionStore

FORWARDED = b"x-forwarded-for"


def address_of_scope(scope: Mapping[str, Any]) -> str:
    """The client's network address, told from the handshake as from a request."""
    forwarded = ",".join(value.decode("latin-1") for name, value in scope.get("headers", ()) if name == FORWARDED)
    peer = scope.get("client") or ("",)
    return client_address({"REMOTE_ADDR": peer[0], "HTTP_X_FORWARDED_FOR": forwarded}, trusted=settings.TRUSTED_PROXIES)


async def user_of_scope(scope: Mapping[str, Any]) -> User | None:
    """The user behind a socket's handshake as they are now, or None: open sockets ask again every few seconds."""
    key = session_key_of_scope(scope)
    return await off_loop(_user_behind, key) if key else None


def session_key_of_scope(scope: Mapping[str, Any]) -> str | None:
    """The session key in the handshake's cookies, or None."""
    raw = b"; ".join(value for name, value in scope.get("headers", ()) if name == b"cookie")
    return parse_cookie(raw.decode("latin-1")).get(settings.SESSION_COOKIE_NAME) or None  # as requests are read


def _user_behind(session_key: str) -> User | None:
    data = SessionStore(session_key).peek()
    user_id = data.get(USER_ID)
    user = users().find(user_id, consistent=True) if user_id else None
    if user is None or not user.is_active or user.auth_epoch != data.get(AUTH_EPOCH):
        return None
    return None if lacks_second_factor(user) else user
