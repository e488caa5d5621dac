"""Views for those who have signed in."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlencode, urlsplit

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from apps.accounts.entities import Anonymous
from apps.accounts.middleware import unsettled_user, user_of
from apps.accounts.permissions import require
from apps.accounts.time_zone_middleware import see_times_in
from apps.storage.connection import off_loop

View = TypeVar("View", bound=Callable[..., Any])

HOME = "/"


def sign_in_required(view: View) -> View:
    """Send whoever has not signed in to the sign-in page, and back afterwards; works for sync and async views.

    An htmx request is answered with `HX-Redirect`, so that the whole page goes there and not a fragment of it.
    """
    return _guarded(view, lambda request: to_sign_in(request) if isinstance(user_of(request), Anonymous) else None)


def for_settling(view: View) -> View:
    """Like `sign_in_required`, and open to those too who have yet to set up the second factor their role asks for."""

    def check(request: HttpRequest) -> HttpResponse | None:
        nobody = isinstance(user_of(request), Anonymous) and unsettled_user(request) is None
        return to_sign_in(request) if nobody else None

    return _guarded(view, check)


def permission_required(permission: str) -> Callable[[View], View]:
    """Like `sign_in_required`, and raise `Forbidden` or `NotFound` where no role of the user allows it."""

    def check(request: HttpRequest) -> HttpResponse | None:
        user = user_of(request)
        if isinstance(user, Anonymous):
            return to_sign_in(request)
        require(user, permission)
        return None

    return lambda view: _guarded(view, check)


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """The way to the sign-in page, and from there back to the page that was asked for, or that sent the request.

    Whoever signed in but has yet to set up the second factor that their role asks for is led there instead.
    """
    is_htmx = request.headers.get("HX-Request") == "true"
    back = request.get_full_path() if request.method in {"GET", "HEAD"} and not is_htmx else ""
    if is_htmx:
        back = _path_of(request.headers.get("HX-Current-URL", ""))
    address = resolve_url("accounts:second_factor" if unsettled_user(request) else settings.LOGIN_URL)
    if back and back != HOME:
        address = f"{address}?{urlencode({'next': back})}"
    if is_htmx:
        return HttpResponse(status=401, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def safe_next(request: HttpRequest, wanted: str) -> str:
    """Where to go after signing in: the path wanted where it is one of ours, else home."""
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return HOME


def _path_of(address: str) -> str:
    """Path and query of an address; nothing of what can be none."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _guarded(view: View, refusal: Callable[[HttpRequest], HttpResponse | None]) -> View:
    if iscoroutinefunction(view):

        @wraps(view)
        async def guarded_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            refused = await off_loop(refusal, request)
            see_times_in(user_of(request).time_zone)  # a thread's context, where it was done as well, is not this one's
            return refused or await cast("Awaitable[Any]", view(request, *args, **kwargs))

        return cast("View", guarded_async)

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return refusal(request) or view(request, *args, **kwargs)

    return cast("View", guarded)
