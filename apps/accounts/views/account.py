"""One's own account."""

from datetime import UTC, datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts import middleware, services, wiring
from apps.accounts.addresses import counted_as
from apps.accounts.decorators import sign_in_required
from apps.accounts.errors import TooManyAttempts
from apps.accounts.forms import PasswordForm
from apps.accounts.middleware import actor_of, address_of, signed_in_user
from apps.accounts.views._page import TOO_MANY, UNAVAILABLE, UNPROCESSABLE, page
from apps.errors import Conflict, Invalid, Unavailable
from apps.storage.sessions import session_hash


@never_cache
@sign_in_required
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """The password, where one is signed in, and the theme."""
    return _account_page(request, PasswordForm())


@never_cache
@sensitive_post_parameters("current_password", "new_password", "repeated_password")
@sign_in_required
@require_http_methods(["GET", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """Take a new password; this browser stays signed in and all others are signed out."""
    if request.method == "GET":
        return redirect("accounts:account")
    form = PasswordForm(request.POST)
    if not form.is_valid():
        return _account_page(request, form, status=UNPROCESSABLE)
    address = address_of(request)
    try:
        user = services.change_password(
            wiring.users(),
            user=signed_in_user(request),
            current=form.cleaned_data["current_password"],
            new=form.cleaned_data["new_password"],
            actor=actor_of(request),
            address=counted_as(address),
            now=datetime.now(UTC),
            throttle=wiring.throttle(),
            passwords=wiring.passwords(),
            audit=wiring.audit_log(),
            sessions=wiring.web_sessions(),
        )
    except TooManyAttempts as error:
        form.add_error(None, error.public_message)
        return _account_page(request, form, status=TOO_MANY, wait_seconds=error.wait_seconds)
    except (Invalid, Conflict) as error:
        form.add_error(error.field, error.public_message)
        return _account_page(request, form, status=UNPROCESSABLE)
    except Unavailable as error:
        form.add_error(None, error.public_message)
        return _account_page(request, form, status=UNAVAILABLE)
    middleware.sign_in(request, user)
    messages.success(request, "Your password is changed. All other browsers are signed out.")
    return redirect("accounts:account")


@never_cache
@sign_in_required
@require_POST
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """End all sessions of this person, this one too."""
    services.sign_out_everywhere(
        wiring.users(),
        user=signed_in_user(request),
        actor=actor_of(request),
        now=datetime.now(UTC),
        audit=wiring.audit_log(),
        sessions=wiring.web_sessions(),
    )
    middleware.sign_out(request)
    return redirect("accounts:sign_in")


def _account_page(
    request: HttpRequest, form: PasswordForm, *, status: int = 200, wait_seconds: int | None = None
) -> HttpResponse:
    here = session_hash(request.session.session_key or "")
    listed = [
        {
            "device": session.device or "Unknown browser",
            "created_at": session.created_at,
            "last_seen_at": session.last_seen_at,
            "current": session.session_hash == here,
        }
        for session in wiring.web_sessions().of(signed_in_user(request).user_id)
    ]
    context = {"form": form, "web_sessions": listed}
    return page(request, "accounts/account.html", context, status=status, wait_seconds=wait_seconds)
