"""One's second factor: set up, its recovery codes, switched off.

Those whose role asks for one that they have not yet see these pages, and no others, outside the frame.
"""

from datetime import UTC, datetime
from typing import Any

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.accounts import middleware, services, wiring
from apps.accounts.addresses import counted_as
from apps.accounts.decorators import for_settling, safe_next, sign_in_required
from apps.accounts.entities import SecondFactor, User
from apps.accounts.forms import BothFactorsForm, CodeForm, ConfirmingForm
from apps.accounts.middleware import (
    actor_of,
    address_of,
    lacks_second_factor,
    settling_user,
    signed_in_user,
    unsettled_user,
)
from apps.accounts.one_time_codes import grouped, setup_uri
from apps.accounts.views._page import REFUSALS, UNPROCESSABLE, page, refused
from apps.accounts.views.arriving import with_next
from apps.errors import NotFound

SETUP = "second_factor_setup"


@never_cache
@sensitive_post_parameters("password")
@for_settling
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Whether there is one, and what can be done about it; asks for the password before one is set up."""
    user = settling_user(request)
    wanted = _wanted(request)
    form = ConfirmingForm(request.POST if request.method == "POST" else None)
    context = {**_frame(request), "person": user, "form": form, "factor": None, "next": wanted}
    template = "accounts/second_factor.html"
    if request.method == "GET":
        context["factor"] = wiring.second_factors().in_use_by(user.user_id) if user.has_second_factor else None
        return render(request, template, context)
    if not form.is_valid():
        return page(request, template, context, status=UNPROCESSABLE, wait_seconds=None)
    try:
        factor = services.begin_second_factor(
            wiring.second_factors(),
            user=user,
            password=form.cleaned_data["password"],
            address=counted_as(address_of(request)),
            now=datetime.now(UTC),
            throttle=wiring.throttle(),
            passwords=wiring.passwords(),
        )
    except REFUSALS as error:
        return refused(request, template, context, form=form, error=error)
    request.session[SETUP] = factor.setup
    return redirect(with_next(request, "accounts:confirm_second_factor", wanted))


@never_cache
@sensitive_post_parameters("code")
@for_settling
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Show the key to the app, and ask for a code that proves it is there; the answer shows the recovery codes once."""
    user, wanted = settling_user(request), _wanted(request)
    setup, factors = str(request.session.get(SETUP, "")), wiring.second_factors()
    template = "accounts/second_factor_confirm.html"
    form = CodeForm(request.POST if request.method == "POST" else None)
    try:
        pending = services.second_factor_to_confirm(factors, user=user, setup=setup)
        context = {**_frame(request), "form": form, "next": wanted, **_shown_key(pending, user)}
        if request.method == "GET" or not form.is_valid():
            status = 200 if request.method == "GET" else UNPROCESSABLE
            return page(request, template, context, status=status, wait_seconds=None)
        user, codes = services.confirm_second_factor(
            wiring.users(),
            factors,
            user=user,
            setup=setup,
            code=form.cleaned_data["code"],
            actor=user.acting(address_of(request)),
            now=datetime.now(UTC),
            audit=wiring.audit_log(),
            sessions=wiring.web_sessions(),
        )
    except NotFound as error:
        messages.warning(request, error.public_message)
        return redirect(with_next(request, "accounts:second_factor", wanted))
    except REFUSALS as error:
        return refused(request, template, context, form=form, error=error)
    del request.session[SETUP]
    middleware.sign_in(request, user)
    messages.success(request, "Your second factor is on. All other browsers are signed out.")
    return _codes_page(request, codes, wanted=wanted)


@never_cache
@sensitive_post_parameters("password", "code")
@sign_in_required
@require_http_methods(["GET", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes, which the answer to the form shows once."""
    user = signed_in_user(request)
    if not user.has_second_factor:
        return redirect("accounts:second_factor")
    form = BothFactorsForm(request.POST if request.method == "POST" else None)
    context, template = {**_frame(request), "form": form}, "accounts/recovery_codes_renew.html"
    if request.method == "GET" or not form.is_valid():
        return page(
            request, template, context, status=200 if request.method == "GET" else UNPROCESSABLE, wait_seconds=None
        )
    try:
        codes = services.renew_recovery_codes(
            wiring.second_factors(),
            **_proofs(request, user, form),
            actor=actor_of(request),
            audit=wiring.audit_log(),
        )
    except REFUSALS as error:
        return refused(request, template, context, form=form, error=error)
    return _codes_page(request, codes, wanted="")


@never_cache
@sensitive_post_parameters("password", "code")
@sign_in_required
@require_http_methods(["GET", "POST"])
def switch_off(request: HttpRequest) -> HttpResponse:
    """Go back to the password alone, where the person's roles allow it."""
    user = signed_in_user(request)
    if not user.has_second_factor:
        return redirect("accounts:second_factor")
    form = BothFactorsForm(request.POST if request.method == "POST" else None)
    asked_for = lacks_second_factor(user.evolve(has_second_factor=False))
    context = {**_frame(request), "form": form, "asked_for": asked_for}
    template = "accounts/second_factor_off.html"
    if request.method == "GET" or not form.is_valid():
        return page(
            request, template, context, status=200 if request.method == "GET" else UNPROCESSABLE, wait_seconds=None
        )
    try:
        services.switch_off_second_factor(
            wiring.users(),
            wiring.second_factors(),
            **_proofs(request, user, form),
            actor=actor_of(request),
            audit=wiring.audit_log(),
        )
    except REFUSALS as error:
        return refused(request, template, context, form=form, error=error)
    messages.success(request, "Your second factor is switched off. Your password alone signs you in now.")
    return redirect("accounts:second_factor")


def _proofs(request: HttpRequest, user: User, form: BothFactorsForm) -> dict[str, Any]:
    return {
        "user": user,
        "password": form.cleaned_data["password"],
        "code": form.cleaned_data["code"],
        "address": counted_as(address_of(request)),
        "now": datetime.now(UTC),
        "throttle": wiring.throttle(),
        "code_throttle": wiring.code_throttle(),
        "passwords": wiring.passwords(),
    }


def _frame(request: HttpRequest) -> dict[str, Any]:
    """The account's own frame, or none for those who may see nothing else yet."""
    unsettled = unsettled_user(request)
    return {"layout": "accounts/settling.html" if unsettled else "accounts/section.html", "unsettled": unsettled}


def _wanted(request: HttpRequest) -> str:
    given = request.POST if request.method == "POST" else request.GET
    return safe_next(request, given.get("next", ""))


def _shown_key(pending: SecondFactor, user: User) -> dict[str, str]:
    key = pending.key.reveal()
    code = segno.make(setup_uri(key, account=user.email), error="m")
    # Black on white in both themes: not every camera reads it the other way round.
    return {"qr": code.svg_data_uri(scale=5, dark="#000", light="#fff", border=4), "key": grouped(key)}


def _codes_page(request: HttpRequest, codes: tuple[str, ...], *, wanted: str) -> HttpResponse:
    # Not kept for a page to come: then they would have to be stored somewhere.
    context = {**_frame(request), "codes": codes, "text": "\n".join(codes), "next": wanted}
    return render(request, "accounts/recovery_codes.html", context)
