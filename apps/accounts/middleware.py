"""Who a request comes from, and how a browser is signed in and out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.csrf import rotate_token
from django.utils.functional import SimpleLazyObject

from apps.accounts.addresses import client_address
from apps.accounts.devices import device_name
from apps.accounts.entities import ANONYMOUS, Anonymous, User
from apps.accounts.time_zone_middleware import see_times_in
from apps.accounts.wiring import users
from apps.audit.entities import Actor
from apps.errors import Forbidden
from apps.storage.connection import off_loop
from apps.storage.sessions import DEVICE, USER_ID

AUTH_EPOCH = "auth_epoch"
HALF_SIGNED_IN = "half_signed_in"
HALF_SIGNED_IN_LASTS = timedelta(minutes=5)
_KNOWN = "_known_user"
_VIA = "_acting_via"
_UNSETTLED = "_unsettled_user"


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
    """Who sends this request; looked up once a request. From then on times are shown in the zone that they chose."""
    known: User | Anonymous | None = getattr(request, _KNOWN, None)
    if known is None:
        known = _from_session(request)
        setattr(request, _KNOWN, known)
    see_times_in(known.time_zone)
    return known


def signed_in_user(request: HttpRequest) -> User:
    """The user, for views behind `sign_in_required`. Raises `Forbidden` where nobody is signed in."""
    user = user_of(request)
    if isinstance(user, Anonymous):
        raise Forbidden("Sign in first.", code="not_signed_in")
    return user


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in user as the audit log names who acts, with the address they come from."""
    return signed_in_user(request).acting(address_of(request), via=via_of(request))


def done_by(request: HttpRequest) -> dict[str, Any]:
    """What services ask of whoever changes something: `by`, `actor` and `now`."""
    return {"by": signed_in_user(request), "actor": actor_of(request), "now": datetime.now(UTC)}


def via_of(request: HttpRequest) -> str:
    """What acts for the user in this request, where it is not their browser: an API token."""
    return str(getattr(request, _VIA, ""))


def address_of(request: HttpRequest) -> str:
    """The client's network address; proxies are believed only where `TRUSTED_PROXIES` names them."""
    return client_address(request.META, trusted=settings.TRUSTED_PROXIES)


def sign_in(request: HttpRequest, user: User) -> None:
    """Sign this browser in, under a new session key: one that somebody planted before is worth nothing."""
    session = request.session
    if session.get(USER_ID) not in {None, user.user_id}:
        session.flush()
    session.pop(HALF_SIGNED_IN, None)
    session.set_expiry(None)  # while nobody was signed in it may have been kept for minutes only
    session[USER_ID] = user.user_id
    session[AUTH_EPOCH] = user.auth_epoch
    session[DEVICE] = device_of(request)
    if session.session_key:  # else the response makes the first one
        session.cycle_key()
    rotate_token(request)
    _become(request, user)


def half_sign_in(request: HttpRequest, user: User, *, now: datetime) -> None:
    """Remember for five minutes that this browser showed the user's password: it is nobody's until a code follows."""
    request.session.flush()
    until = now + HALF_SIGNED_IN_LASTS
    request.session[HALF_SIGNED_IN] = [user.user_id, user.auth_epoch, until.timestamp()]
    request.session.set_expiry(int(HALF_SIGNED_IN_LASTS.total_seconds()))
    rotate_token(request)
    _become(request, ANONYMOUS)


def half_signed_in(request: HttpRequest, *, now: datetime) -> User | None:
    """Who showed their password here and has yet to show a code; None where that took too long, or no longer holds."""
    user_id, auth_epoch, until = request.session.get(HALF_SIGNED_IN) or (None, None, 0)
    if user_id is None or now.timestamp() >= until:
        return None
    user = users().find(user_id, consistent=True)
    return user if user is not None and user.is_active and user.auth_epoch == auth_epoch else None


def device_of(request: HttpRequest) -> str:
    """The browser that sends this, as its owner would name it."""
    return device_name(request.headers.get("User-Agent", ""))


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
    if lacks_second_factor(user):
        setattr(request, _UNSETTLED, user)
        return ANONYMOUS
    return user


def lacks_second_factor(user: User) -> bool:
    """Whether a role of this user asks for a second factor (setting `SECOND_FACTOR_ROLES`) and they have none yet."""
    return not user.has_second_factor and bool(user.roles & settings.SECOND_FACTOR_ROLES)


def unsettled_user(request: HttpRequest) -> User | None:
    """Who is signed in but counts as nobody until they have set up the second factor that their role asks for."""
    user_of(request)
    found: User | None = getattr(request, _UNSETTLED, None)
    return found


def settling_user(request: HttpRequest) -> User:
    """The user, for the pages where a second factor is set up. Raises `Forbidden` where nobody is signed in."""
    return unsettled_user(request) or signed_in_user(request)


def act_as(request: HttpRequest, user: User, *, via: str) -> None:
    """Let this one request be the user's, whatever its session says: for those who show an API token."""
    setattr(request, _VIA, via)
    _become(request, user)


def _become(request: HttpRequest, user: User | Anonymous) -> None:
    setattr(request, _KNOWN, user)
    cast("Any", request).user = user
