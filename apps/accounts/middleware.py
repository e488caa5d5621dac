"""Who a request comes from, and how a browser is signed in and out."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.csrf import rotate_token
from django.utils.functional import SimpleLazyObject

from apps.accounts.addresses import client_address
from apps.accounts.devices import device_name
from apps.accounts.entities import ANONYMOUS, Anonymous, User
from apps.accounts.wiring import sign_ins, users
from apps.audit.entities import Actor
from apps.errors import Forbidden, Unavailable
from apps.storage.connection import off_loop
from apps.storage.sessions import DEVICE, USER_ID

AUTH_EPOCH = "auth_epoch"
_KNOWN = "_known_user"

log = structlog.get_logger(__name__)


class AuthenticationMiddleware:
    """Gives each request its `user`: looked up at first use, by one consistent read, or `ANONYMOUS`.

    A session ends here where its user is gone, inactive, or has signed out everywhere. Async views use
    `await request.auser()`.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """`get_response` is the rest of the site, sync or async."""
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Attach the user and go on."""
        attached: Any = request
        attached.user = SimpleLazyObject(lambda: user_of(request))
        attached.auser = lambda: off_loop(user_of, request)
        return self.get_response(request)


def user_of(request: HttpRequest) -> User | Anonymous:
    """Who sends this request; looked up once a request."""
    known: User | Anonymous | None = getattr(request, _KNOWN, None)
    if known is None:
        known = _from_session(request)
        setattr(request, _KNOWN, known)
    return known


def signed_in_user(request: HttpRequest) -> User:
    """The user, for views behind `sign_in_required`. Raises `Forbidden` where nobody is signed in."""
    user = user_of(request)
    if isinstance(user, Anonymous):
        raise Forbidden("Sign in first.", code="not_signed_in")
    return user


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in user as the audit log names who acts, with the address they come from."""
    return signed_in_user(request).acting(address_of(request))


def address_of(request: HttpRequest) -> str:
    """The client's network address; proxies are believed only where `TRUSTED_PROXIES` names them."""
    return client_address(request.META, trusted=settings.TRUSTED_PROXIES)


def sign_in(request: HttpRequest, user: User) -> None:
    """Sign this browser in, under a new session key: one that somebody planted before is worth nothing.

    That they did is noted for administrators, with one write.
    """
    session = request.session
    if session.get(USER_ID) not in {None, user.user_id}:
        session.flush()
    session[USER_ID] = user.user_id
    session[AUTH_EPOCH] = user.auth_epoch
    session.set_expiry(None)  # while nobody is signed in it may be kept for minutes only
    session[DEVICE] = device = device_name(request.headers.get("User-Agent", ""))
    session.cycle_key()
    rotate_token(request)
    _become(request, user)
    try:
        sign_ins().note(user.user_id, at=datetime.now(UTC), address=address_of(request), device=device)
    except Unavailable as error:  # nobody is kept out because a note could not be made
        log.warning("a sign-in was not noted", user_id=user.user_id, reason=error.message)


def sign_out(request: HttpRequest) -> None:
    """End this browser's session and forget what it held."""
    request.session.flush()
    _become(request, ANONYMOUS)


def _from_session(request: HttpRequest) -> User | Anonymous:
    user_id = request.session.get(USER_ID)
    if user_id is None:
        return ANONYMOUS
    user = users().find(user_id, consistent=True)
    if user is None or not user.is_active or user.auth_epoch != request.session.get(AUTH_EPOCH):
        request.session.flush()
        return ANONYMOUS
    return user


def act_as(request: HttpRequest, user: User) -> None:
    """Let this one request be the user's, whatever its session says: for those who show an API token."""
    _become(request, user)


def _become(request: HttpRequest, user: User | Anonymous) -> None:
    setattr(request, _KNOWN, user)
    cast("Any", request).user = user
