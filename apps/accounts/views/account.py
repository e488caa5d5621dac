"""One's own account: the profile, the password, where one is signed in."""

from datetime import UTC, datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts import middleware, services, wiring
from apps.accounts.addresses import counted_as
from apps.accounts.decorators import sign_in_required
from apps.accounts.forms import PasswordForm, ProfileForm
from apps.accounts.middleware import actor_of, address_of, signed_in_user
from apps.accounts.views._page import REFUSALS, UNPROCESSABLE, page, refused, role_words
from apps.errors import NotFound
from apps.storage.sessions import session_hash


@never_cache
@sign_in_required
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """The name, what else is known of the person, and the theme."""
    user = signed_in_user(request)
    template = "accounts/profile.html"
    known = {"name": user.name, "time_zone": user.time_zone}
    form = ProfileForm(request.POST if request.method == "POST" else None, initial=known)
    context = {"form": form, "roles": role_words(user.roles)}
    if request.method == "GET" or not form.is_valid():
        status = 200 if request.method == "GET" else UNPROCESSABLE
        return page(request, template, context, status=status, wait_seconds=None)
    try:
        services.change_profile(
            wiring.users(),
            user=user,
            name=form.cleaned_data["name"],
            time_zone=form.cleaned_data["time_zone"],
            actor=actor_of(request),
            now=datetime.now(UTC),
            audit=wiring.audit_log(),
        )
    except REFUSALS as error:
        return refused(request, template, context, form=form, error=error)
    messages.success(request, "Saved.")
    return redirect("accounts:account")


@never_cache
@sensitive_post_parameters("current_password", "new_password", "repeated_password")
@sign_in_required
@require_http_methods(["GET", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """Take a new password; this browser stays signed in and all others are signed out."""
    template = "accounts/password.html"
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "GET" or not form.is_valid():
        status = 200 if request.method == "GET" else UNPROCESSABLE
        return page(request, template, {"form": form}, status=status, wait_seconds=None)
    try:
        user = services.change_password(
            wiring.users(),
            user=signed_in_user(request),
            current=form.cleaned_data["current_password"],
            new=form.cleaned_data["new_password"],
            actor=actor_of(request),
            address=counted_as(address_of(request)),
            now=datetime.now(UTC),
            throttle=wiring.throttle(),
            passwords=wiring.passwords(),
            audit=wiring.audit_log(),
            sessions=wiring.web_sessions(),
        )
    except REFUSALS as error:
        return refused(request, template, {"form": form}, form=form, error=error)
    middleware.sign_in(request, user)
    messages.success(request, "Your password is changed. All other browsers are signed out.")
    return redirect("accounts:change_password")


@never_cache
@sign_in_required
@require_GET
def sessions(request: HttpRequest) -> HttpResponse:
    """Where one is signed in, the latest seen first; each is named by the hash that it is stored under."""
    here = session_hash(request.session.session_key or "")
    listed = [
        {
            "device": session.device or "Unknown browser",
            "created_at": session.created_at,
            "last_seen_at": session.last_seen_at,
            "session_hash": session.session_hash,
            "current": session.session_hash == here,
        }
        for session in wiring.web_sessions().of(signed_in_user(request).user_id)
    ]
    return render(request, "accounts/sessions.html", {"web_sessions": listed})


@never_cache
@sign_in_required
@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    """Sign one browser out."""
    try:
        ended = services.end_session(
            wiring.web_sessions(),
            user=signed_in_user(request),
            session_hash=request.POST.get("session", ""),
            actor=actor_of(request),
            now=datetime.now(UTC),
            audit=wiring.audit_log(),
        )
    except NotFound as error:
        messages.warning(request, error.public_message)
        return redirect("accounts:sessions")
    if ended.session_hash == session_hash(request.session.session_key or ""):
        middleware.sign_out(request)
        return redirect("accounts:sign_in")
    messages.success(request, f"{ended.device or 'The browser'} is signed out.")
    return redirect("accounts:sessions")


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
