"""Signing in and out."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts import middleware, services, wiring
from apps.accounts.addresses import counted_as
from apps.accounts.decorators import HOME, safe_next
from apps.accounts.entities import Anonymous
from apps.accounts.errors import TooManyAttempts
from apps.accounts.forms import SignInForm
from apps.accounts.middleware import address_of, unsettled_user, user_of
from apps.accounts.views._page import TOO_MANY, UNAVAILABLE, UNPROCESSABLE, page
from apps.accounts.views.arriving import arrive, with_next
from apps.errors import Invalid, Unavailable


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for e-mail and password, and go where the person wanted to go."""
    given = request.POST if request.method == "POST" else request.GET
    wanted = given.get("next", "")
    if request.method == "GET":
        if not isinstance(user_of(request), Anonymous):
            return redirect(safe_next(request, wanted))
        if unsettled_user(request):
            return redirect(with_next(request, "accounts:second_factor", wanted))
        return _sign_in_page(request, SignInForm(), wanted=wanted)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _sign_in_page(request, form, wanted=wanted, status=UNPROCESSABLE)
    try:
        user = services.authenticate(
            wiring.users(),
            email=form.cleaned_data["email"],
            password=form.cleaned_data["password"],
            address=counted_as(address_of(request)),
            now=datetime.now(UTC),
            throttle=wiring.throttle(),
            passwords=wiring.passwords(),
        )
    except TooManyAttempts as error:
        return _sign_in_page(request, form, wanted=wanted, status=TOO_MANY, wait_seconds=error.wait_seconds)
    except Invalid as error:
        form.add_error(None, error.public_message)
        return _sign_in_page(request, form, wanted=wanted, status=UNPROCESSABLE)
    except Unavailable as error:
        form.add_error(None, error.public_message)
        return _sign_in_page(request, form, wanted=wanted, status=UNAVAILABLE)
    return arrive(request, user, wanted=wanted, by="password")


@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this browser's session."""
    middleware.sign_out(request)
    return redirect("accounts:sign_in")


def _sign_in_page(
    request: HttpRequest, form: SignInForm, *, wanted: str, status: int = 200, wait_seconds: int | None = None
) -> HttpResponse:
    safe = safe_next(request, wanted)
    context = {"form": form, "next": "" if safe == HOME else safe, "wait_seconds": wait_seconds}
    return page(request, "accounts/sign_in.html", context, status=status, wait_seconds=wait_seconds)
