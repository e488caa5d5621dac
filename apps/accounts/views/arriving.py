"""The last steps of signing in, however somebody showed who they are: a second factor where they have one, then in."""

from datetime import UTC, datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.accounts import middleware, services, wiring
from apps.accounts.addresses import counted_as
from apps.accounts.decorators import HOME, safe_next
from apps.accounts.entities import User
from apps.accounts.forms import CodeForm, RecoveryCodeForm
from apps.accounts.middleware import address_of, device_of
from apps.accounts.views._page import REFUSALS, UNPROCESSABLE, page, refused

TEMPLATE = "accounts/code.html"
FEW_CODES = 3


def arrive(request: HttpRequest, user: User, *, wanted: str, by: str, asks_code: bool = True) -> HttpResponse:
    """Sign in somebody who showed who they are, and lead them where they wanted to go; a second factor is asked first.

    `by` is what they showed it with, for the audit log; without `asks_code` that is all it takes.
    """
    now = datetime.now(UTC)
    if asks_code and user.has_second_factor:
        middleware.half_sign_in(request, user, now=now)
        return redirect(with_next(request, "accounts:code", wanted))
    services.note_signed_in(
        wiring.sign_ins(),
        user=user,
        by=by,
        actor=user.acting(address_of(request)),
        device=device_of(request),
        now=now,
        audit=wiring.audit_log(),
    )
    middleware.sign_in(request, user)
    return redirect(safe_next(request, wanted))


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Ask whoever showed their password for a code of their app, or for a recovery code."""
    given = request.POST if request.method == "POST" else request.GET
    wanted, by_recovery = given.get("next", ""), given.get("with") == "recovery"
    now = datetime.now(UTC)
    user = middleware.half_signed_in(request, now=now)
    if user is None:
        if request.method == "POST":
            messages.warning(request, "That took too long. Sign in again.")
        return redirect(with_next(request, "accounts:sign_in", wanted))
    kind = RecoveryCodeForm if by_recovery else CodeForm
    form = kind(request.POST if request.method == "POST" else None)
    safe = safe_next(request, wanted)
    context = {"form": form, "next": "" if safe == HOME else safe, "by_recovery": by_recovery}
    if request.method == "GET" or not form.is_valid():
        status = 200 if request.method == "GET" else UNPROCESSABLE
        return page(request, TEMPLATE, context, status=status, wait_seconds=None)
    try:
        left = services.pass_second_factor(
            wiring.second_factors(),
            wiring.sign_ins(),
            user=user,
            code=form.cleaned_data["code"],
            actor=user.acting(address_of(request)),
            address=counted_as(address_of(request)),
            device=device_of(request),
            now=now,
            throttle=wiring.code_throttle(),
            audit=wiring.audit_log(),
        )
    except REFUSALS as error:
        return refused(request, TEMPLATE, context, form=form, error=error)
    middleware.sign_in(request, user)
    if left is not None:
        messages.warning(request, _said_of_codes(left))
    return redirect(safe)


def _said_of_codes(left: int) -> str:
    if left == 0:
        return "That was your last recovery code. Make new ones under Account, Second factor."
    are = "code is" if left == 1 else "codes are"
    more = " Make new ones under Account, Second factor." if left <= FEW_CODES else ""
    return f"You used a recovery code, which does not work again. {left} {are} left.{more}"


def with_next(request: HttpRequest, name: str, wanted: str) -> str:
    """The address of one of these pages, which leads on to the page wanted."""
    safe = safe_next(request, wanted)
    return resolve_url(name) + (f"?{urlencode({'next': safe})}" if safe != HOME else "")
