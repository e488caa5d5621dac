"""The page of one's API tokens."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts import services, wiring
from apps.accounts.addresses import counted_as
from apps.accounts.decorators import sign_in_required
from apps.accounts.forms import TokenForm
from apps.accounts.middleware import actor_of, address_of, signed_in_user
from apps.accounts.services import NewToken
from apps.accounts.views._page import REFUSALS, UNPROCESSABLE, refused
from apps.errors import NotFound

TEMPLATE = "accounts/tokens.html"


@never_cache
@sensitive_post_parameters("password")
@sign_in_required
@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """This person's API tokens, and a new one, which the answer to its form shows once."""
    if request.method == "GET":
        return _page(request, TokenForm())
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=UNPROCESSABLE)
    try:
        made = services.create_token(
            wiring.api_tokens(),
            user=signed_in_user(request),
            password=form.cleaned_data["password"],
            name=form.cleaned_data["name"],
            valid_for=form.valid_for,
            actor=actor_of(request),
            address=counted_as(address_of(request)),
            now=datetime.now(UTC),
            throttle=wiring.throttle(),
            passwords=wiring.passwords(),
            audit=wiring.audit_log(),
        )
    except REFUSALS as error:
        return refused(request, TEMPLATE, _context(request, form), form=form, error=error)
    # Not kept for a page to come: then the text would have to be stored somewhere.
    return _page(request, TokenForm(), made=made)


@never_cache
@sign_in_required
@require_POST
def revoke(request: HttpRequest) -> HttpResponse:
    """End one of these tokens."""
    try:
        token = services.revoke_token(
            wiring.api_tokens(),
            user=signed_in_user(request),
            token_hash=request.POST.get("token", ""),
            actor=actor_of(request),
            now=datetime.now(UTC),
            audit=wiring.audit_log(),
        )
    except NotFound as error:
        messages.warning(request, error.public_message)
    else:
        messages.success(request, f"“{token.name}” is revoked: nothing can use it any more.")
    return redirect("accounts:tokens")


def _page(request: HttpRequest, form: TokenForm, *, made: NewToken | None = None, status: int = 200) -> HttpResponse:
    return render(request, TEMPLATE, _context(request, form, made=made), status=status)


def _context(request: HttpRequest, form: TokenForm, *, made: NewToken | None = None) -> dict[str, Any]:
    listed = wiring.api_tokens().of(signed_in_user(request).user_id)
    if made is not None:  # the index that the list is read from may not know it yet
        listed = [made.token, *(token for token in listed if token.token_hash != made.token.token_hash)]
    return {"form": form, "tokens": listed, "made": made}
