"""A page as an answer, and what a service refused as a form tells it."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.entities import Role
from apps.accounts.errors import TooManyAttempts
from apps.console.forms.editors import words
from apps.errors import Conflict, DomainError, Invalid, Unavailable

UNPROCESSABLE, TOO_MANY, UNAVAILABLE = 422, 429, 503
REFUSALS = (Invalid, Conflict, Unavailable)


def role_words(roles: Iterable[Role]) -> str:
    """Roles as the back office calls them too: `Operator, Shop operator`."""
    return ", ".join(words(role) for role in sorted(roles))


def page(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int, wait_seconds: int | None
) -> HttpResponse:
    """The page; `wait_seconds` is told in a header too."""
    response = render(request, template, context, status=status)
    if wait_seconds is not None:
        response["Retry-After"] = str(wait_seconds)
    return response


def refused(
    request: HttpRequest, template: str, context: dict[str, Any], *, form: forms.Form, error: DomainError
) -> HttpResponse:
    """The page with its form again, which says what was refused beside its field; `form` is in `context`."""
    form.add_error(error.field if error.field in form.fields else None, error.public_message)
    status, wait = UNPROCESSABLE, None
    if isinstance(error, TooManyAttempts):
        status, wait = TOO_MANY, error.wait_seconds
    elif isinstance(error, Unavailable):
        status = UNAVAILABLE
    return page(request, template, context, status=status, wait_seconds=wait)
