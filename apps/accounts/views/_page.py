"""A page as an answer."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

UNPROCESSABLE, TOO_MANY, UNAVAILABLE = 422, 429, 503


def page(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int, wait_seconds: int | None
) -> HttpResponse:
    """The page; `wait_seconds` is told in a header too."""
    response = render(request, template, context, status=status)
    if wait_seconds is not None:
        response["Retry-After"] = str(wait_seconds)
    return response
