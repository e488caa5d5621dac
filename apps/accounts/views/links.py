"""Choosing a password by a link in a mail, and asking for such a link."""

from datetime import UTC, datetime

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts import services, wiring
from apps.accounts.addresses import counted_as
from apps.accounts.entities import Invitation, User
from apps.accounts.errors import LinkVoid, TooManyAttempts
from apps.accounts.forms import ChosenPasswordForm, ForgottenForm
from apps.accounts.mail import LinkMailer
from apps.accounts.middleware import address_of, user_of
from apps.accounts.tokens import token_hash
from apps.accounts.views._page import TOO_MANY, UNAVAILABLE, UNPROCESSABLE, page
from apps.accounts.views.arriving import arrive
from apps.errors import Conflict, Invalid, Unavailable

LINK = "password_link"
GONE = 410


def mailer_of(request: HttpRequest) -> LinkMailer:
    """What sends links to this site, by its configured address, or by the host that was asked (`ALLOWED_HOSTS`)."""
    return LinkMailer(site=settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}")


@never_cache
@require_http_methods(["GET", "POST"])
def forgot(request: HttpRequest) -> HttpResponse:
    """Take an address to send a link to. The answer is the same, as soon, whether anybody has it.

    Who it is is looked up, and the mail sent, off this request's path.
    """
    form = ForgottenForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        return _forgot_page(request, form, status=200 if request.method == "GET" else UNPROCESSABLE)
    email, address, now = form.cleaned_data["email"], address_of(request), datetime.now(UTC)
    try:
        may_be_sent = wiring.throttle().admit_reset(email=email, address=counted_as(address), now=now)
    except TooManyAttempts as error:
        form.add_error(None, error.public_message)
        return _forgot_page(request, form, status=TOO_MANY, wait_seconds=error.wait_seconds)
    if may_be_sent:
        users, invitations, audit, mailer = wiring.users(), wiring.invitations(), wiring.audit_log(), mailer_of(request)
        wiring.later().do(
            lambda: services.send_reset(
                users, invitations, email=email, address=address, mailer=mailer, now=now, audit=audit
            )
        )
    return page(request, "accounts/link_sent.html", {"email": email}, status=200, wait_seconds=None)


@never_cache
@require_GET
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address, where browsers and proxies would keep it, and go on to the form."""
    hashed = token_hash(token)
    try:
        services.whose_link(wiring.users(), wiring.invitations(), hashed=hashed)
    except LinkVoid:
        return _void_page(request)
    request.session[LINK] = hashed
    if request.session.session_key:  # whoever planted that key would choose the password instead
        request.session.cycle_key()
    return redirect("accounts:choose_password")


@never_cache
@sensitive_post_parameters("new_password", "repeated_password")
@require_http_methods(["GET", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """Show whose password it is, take a new one, and sign this browser in."""
    hashed = request.session.get(LINK, "")
    if not hashed:
        return _void_page(request)
    try:
        user, invitation = services.whose_link(wiring.users(), wiring.invitations(), hashed=hashed)
        if request.method == "GET":
            return _choose_page(request, ChosenPasswordForm(), user, invitation)
        form = ChosenPasswordForm(request.POST)
        if not form.is_valid():
            return _choose_page(request, form, user, invitation, status=UNPROCESSABLE)
        return _chosen(request, form, user, invitation)
    except LinkVoid:
        return _void_page(request)


def _chosen(request: HttpRequest, form: ChosenPasswordForm, user: User, invitation: Invitation) -> HttpResponse:
    try:
        stored = services.choose_password(
            wiring.users(),
            wiring.invitations(),
            hashed=invitation.token_hash,
            password=form.cleaned_data["new_password"],
            address=address_of(request),
            now=datetime.now(UTC),
            passwords=wiring.passwords(),
            throttle=wiring.throttle(),
            audit=wiring.audit_log(),
            end_sessions=wiring.web_sessions().end_all_of,
        )
    except (Invalid, Conflict) as error:
        form.add_error(error.field, error.public_message)
        return _choose_page(request, form, user, invitation, status=UNPROCESSABLE)
    except Unavailable as error:
        form.add_error(None, error.public_message)
        return _choose_page(request, form, user, invitation, status=UNAVAILABLE)
    del request.session[LINK]
    messages.success(request, "Your password is set.")
    return arrive(request, stored, wanted="", by="link")


def _choose_page(
    request: HttpRequest, form: ChosenPasswordForm, user: User, invitation: Invitation, *, status: int = 200
) -> HttpResponse:
    signed_in = user_of(request)
    other = signed_in.name if signed_in.user_id not in {"", user.user_id} else ""
    context = {"form": form, "person": user, "invitation": invitation, "other": other}
    return page(request, "accounts/choose_password.html", context, status=status, wait_seconds=None)


def _void_page(request: HttpRequest) -> HttpResponse:
    request.session.pop(LINK, None)
    return page(request, "accounts/link_void.html", {}, status=GONE, wait_seconds=None)


def _forgot_page(
    request: HttpRequest, form: ForgottenForm, *, status: int, wait_seconds: int | None = None
) -> HttpResponse:
    context = {"form": form, "wait_seconds": wait_seconds}
    return page(request, "accounts/forgot_password.html", context, status=status, wait_seconds=wait_seconds)
