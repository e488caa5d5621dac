"""Single sign-on: to the provider and back, and connecting one's account with it."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts import services, wiring
from apps.accounts.addresses import counted_as
from apps.accounts.decorators import safe_next, sign_in_required
from apps.accounts.entities import Anonymous, User
from apps.accounts.errors import NoAccount, ProviderUnavailable, SignInRefused
from apps.accounts.forms import ConfirmForm
from apps.accounts.middleware import actor_of, address_of, signed_in_user, user_of
from apps.accounts.oidc import flows
from apps.accounts.oidc.config import Claims, SingleSignOn
from apps.accounts.oidc.flows import Flow
from apps.accounts.views import _single_sign_on_failures as failures
from apps.accounts.views._page import REFUSALS, UNPROCESSABLE, refused
from apps.accounts.views.arriving import arrive
from apps.errors import Conflict, NotFound

CONNECTION = "accounts/single_sign_on.html"


def behind_setting(view: Callable[[HttpRequest, SingleSignOn], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give the view the provider that is set; where none is, its address does not exist, for anybody."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        chosen = wiring.single_sign_on()
        if chosen is None:
            raise Http404
        return view(request, chosen)

    return guarded


@behind_setting
@never_cache
@require_GET
def start(request: HttpRequest, chosen: SingleSignOn) -> HttpResponse:
    """Go to the provider to sign in, and from there to the page wanted. A GET: a form may only lead to ourselves."""
    wanted = safe_next(request, request.GET.get("next", ""))
    if not isinstance(user_of(request), Anonymous):
        return redirect(wanted)
    holds_nothing = request.session.is_empty()
    try:
        address = _address_at_provider(request, chosen, wanted=wanted)
    except ProviderUnavailable as error:
        return failures.refused(request, chosen, error)
    if holds_nothing:  # whoever never comes back leaves nothing for long
        request.session.set_expiry(int(flows.LIFETIME.total_seconds()))
    return redirect(address)


@behind_setting
@never_cache
@require_GET
def callback(request: HttpRequest, chosen: SingleSignOn) -> HttpResponse:
    """Where the provider sends people back to; what it says is believed once, in the browser that left for it."""
    now = datetime.now(UTC)
    flow = flows.take(request.session, state=request.GET.get("state", ""), now=now)
    if flow is None or not wiring.throttle().first_use(flow.state, now=now, kept=2 * flows.LIFETIME):
        return failures.lost(request, chosen)
    if "error" in request.GET:
        return failures.declined(request, chosen, flow)
    try:
        claims = wiring.identity_provider(chosen).who_came_back(
            flow,
            code=request.GET.get("code", ""),
            issuer=request.GET.get("iss"),
            redirect_uri=_redirect_uri(request),
            now=now,
        )
        if flow.connects:
            return _connected(request, chosen, flow, claims)
        user = services.sign_in_with_identity(
            wiring.users(),
            wiring.identities(),
            claims=claims,
            chosen=chosen,
            address=address_of(request),
            now=now,
            audit=wiring.audit_log(),
        )
    except (ProviderUnavailable, SignInRefused, NoAccount) as error:
        return failures.refused(request, chosen, error, flow)
    # No code of ours is asked for: what it takes to be believed is the provider's to decide.
    return arrive(request, user, wanted=flow.next, by="single sign-on", asks_code=False)


@behind_setting
@never_cache
@sensitive_post_parameters("current_password")
@sign_in_required
@require_http_methods(["GET", "POST"])
def connection(request: HttpRequest, chosen: SingleSignOn) -> HttpResponse:
    """Whether one's account is connected, and the form to connect or disconnect it, with the password."""
    if request.method == "GET":
        return render(request, CONNECTION, _connection(request, chosen, ConfirmForm()))
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        return render(request, CONNECTION, _connection(request, chosen, form), status=UNPROCESSABLE)
    user = signed_in_user(request)
    try:
        services.confirm_password(
            user=user,
            password=form.cleaned_data["current_password"],
            address=counted_as(address_of(request)),
            now=datetime.now(UTC),
            throttle=wiring.throttle(),
            passwords=wiring.passwords(),
        )
        if "disconnect" in request.POST:
            return _disconnected(request, chosen, user)
        here = reverse("accounts:single_sign_on")
        address = _address_at_provider(request, chosen, wanted=here, user_id=user.user_id)
    except ProviderUnavailable as error:
        return failures.refused(request, chosen, error)
    except (*REFUSALS, NotFound) as error:
        return refused(request, CONNECTION, _connection(request, chosen, form), form=form, error=error)
    # A page that leads on by itself: as the answer to a form, a redirect to another site is not followed.
    return render(request, "accounts/single_sign_on_leave.html", {"label": chosen.label, "address": address})


def _redirect_uri(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("accounts:single_sign_on_callback"))


def _address_at_provider(request: HttpRequest, chosen: SingleSignOn, *, wanted: str, user_id: str = "") -> str:
    provider = wiring.identity_provider(chosen)
    provider.metadata.get()  # before the session remembers anything: without a provider there is nothing to remember
    flow = flows.begin(request.session, wanted=wanted, connects=user_id, now=datetime.now(UTC))
    return provider.address_for(flow, redirect_uri=_redirect_uri(request))


def _connected(request: HttpRequest, chosen: SingleSignOn, flow: Flow, claims: Claims) -> HttpResponse:
    user = user_of(request)
    if isinstance(user, Anonymous) or user.user_id != flow.connects:
        return failures.lost(request, chosen)
    try:
        services.connect(
            wiring.users(),
            wiring.identities(),
            user=user,
            claims=claims,
            chosen=chosen,
            actor=actor_of(request),
            now=datetime.now(UTC),
            audit=wiring.audit_log(),
        )
    except Conflict as error:
        messages.error(request, error.public_message)
    else:
        messages.success(request, f"Connected. From now on you can sign in with {chosen.label}.")
    return redirect(flow.next)


def _disconnected(request: HttpRequest, chosen: SingleSignOn, user: User) -> HttpResponse:
    services.disconnect(
        wiring.users(),
        wiring.identities(),
        user=user,
        chosen=chosen,
        actor=actor_of(request),
        now=datetime.now(UTC),
        audit=wiring.audit_log(),
    )
    messages.success(request, f"Disconnected. {chosen.label} does not sign you in here any more; your password does.")
    return redirect("accounts:single_sign_on")


def _connection(request: HttpRequest, chosen: SingleSignOn, form: ConfirmForm) -> dict[str, Any]:
    user = signed_in_user(request)
    identity = wiring.identities().held_by(user.user_id, issuer=chosen.issuer)
    return {"form": form, "label": chosen.label, "identity": identity, "has_password": user.has_password}
