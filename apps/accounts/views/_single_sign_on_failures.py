"""What people are told when single sign-on did not work, and what they can do; the log has the reason."""

from dataclasses import dataclass
from typing import Final

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode

from apps.accounts.errors import NoAccount, ProviderUnavailable, SignInRefused
from apps.accounts.oidc.config import SingleSignOn
from apps.accounts.oidc.flows import Flow
from apps.accounts.views._page import UNAVAILABLE

log = structlog.get_logger(__name__)

BAD_REQUEST: Final = 400
FORBIDDEN: Final = 403
# What a provider may answer instead of a code; anything else in that place could be anybody's text.
KNOWN_ERRORS: Final = frozenset(
    {
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_request",
        "invalid_scope",
        "login_required",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The sentences of the page, and whether trying again is the first thing to do."""

    status: int
    title: str
    happened: str
    advice: str
    again_helps: bool = True


def lost(request: HttpRequest, chosen: SingleSignOn) -> HttpResponse:
    """Somebody came back whom this browser did not send, or sent long ago, or who was here already."""
    told = Told(
        status=BAD_REQUEST,
        title="This sign-in is over",
        happened="It was finished already, took too long, or began in another browser.",
        advice="Begin again.",
    )
    return _page(request, chosen, told, reason="state unknown, old or used", flow=None)


def declined(request: HttpRequest, chosen: SingleSignOn, flow: Flow) -> HttpResponse:
    """The provider sent an error instead of a code."""
    error = request.GET["error"]
    reason = error if error in KNOWN_ERRORS else "an unknown error"
    if error != "access_denied":
        return _page(request, chosen, _unavailable(chosen), reason=f"provider said: {reason}", flow=flow)
    told = Told(
        status=FORBIDDEN,
        title="You were not let in",
        happened=f"You cancelled at {chosen.label}, or it does not let you use Rungs.",
        advice=f"Try again, or ask whoever looks after {chosen.label}.",
    )
    return _page(request, chosen, told, reason=reason, flow=flow)


def refused(
    request: HttpRequest,
    chosen: SingleSignOn,
    error: ProviderUnavailable | SignInRefused | NoAccount,
    flow: Flow | None = None,
) -> HttpResponse:
    """The provider is in trouble, what it said is not believed, or whom it named has no account."""
    if isinstance(error, ProviderUnavailable):
        return _page(request, chosen, _unavailable(chosen), reason=error.reason, flow=flow)
    if isinstance(error, SignInRefused):
        told = Told(
            status=BAD_REQUEST,
            title="You could not be signed in",
            happened=f"What {chosen.label} sent could not be accepted.",
            advice="Try again. If it happens again, tell an administrator the reference.",
        )
        return _page(request, chosen, told, reason=error.reason, flow=flow)
    told = Told(
        status=FORBIDDEN,
        title="No account for you yet",
        happened=error.public_message,
        advice="Ask an administrator for an account. "
        "If you have one with a password, sign in with it and connect it under Account.",
        again_helps=False,
    )
    return _page(request, chosen, told, reason=error.code, flow=flow)


def _unavailable(chosen: SingleSignOn) -> Told:
    return Told(
        status=UNAVAILABLE,
        title="Not available right now",
        happened=f"Signing in with {chosen.label} does not work at the moment.",
        advice="Try again in a minute. If you have a password, you can sign in with that meanwhile.",
    )


def _page(request: HttpRequest, chosen: SingleSignOn, told: Told, *, reason: str, flow: Flow | None) -> HttpResponse:
    log.warning("single sign-on failed", reason=reason, status=told.status)
    connects = bool(flow and flow.connects)
    context = {
        "label": chosen.label,
        "told": told,
        "connects": connects,
        "query": urlencode({"next": flow.next}) if flow and flow.next != "/" and not connects else "",
    }
    return render(request, "accounts/single_sign_on_failed.html", context, status=told.status)
