"""What wraps every request: a reference to quote, and domain errors told as pages, fragments or JSON."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from structlog.contextvars import bound_contextvars

from apps.errors import DomainError, Unavailable
from apps.storage.metering import Cost, metering
from project.errors import error_body, rendering
from project.frame import theme_of

log = structlog.get_logger(__name__)

Handler = Callable[[HttpRequest], HttpResponse]


class CostMiddleware:
    """In dev, tells in each response what it asked of the store: `Server-Timing: store;desc="3 requests, ..."`.

    Browsers show it beside the request. What a streaming response asks later, while it is sent, is not in it.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """`get_response` is the rest of the site, sync or async. Raises `MiddlewareNotUsed` outside dev."""
        if settings.STORAGE["ENVIRONMENT"] != "dev":
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer the request and say what that took."""
        if self.is_async:
            return self._answer_later(request)
        with metering() as cost:
            response = self.get_response(request)
        return _with_cost(response, cost)

    async def _answer_later(self, request: HttpRequest) -> HttpResponseBase:
        with metering() as cost:
            response = await cast("Awaitable[HttpResponseBase]", self.get_response(request))
        return _with_cost(response, cost)


class RequestContextMiddleware:
    """Gives each request a reference that stands in its log lines, in its error page and in a response header."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request under a reference of its own."""
        request.reference = secrets.token_hex(6)  # type: ignore[attr-defined]
        with bound_contextvars(reference=reference_of(request), path=request.path):
            response = self.get_response(request)
        response["X-Request-Reference"] = reference_of(request)
        return response


class DomainErrorMiddleware:
    """Turns a domain error that a view raised into the answer it means; anything else is a bug and goes on.

    The API's 405, which comes as plain text, gets the one shape of errors.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request; errors come through `process_exception`."""
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and is_for_api(request):
            told = DomainError(f"{request.method} is not possible here.", code="method_not_allowed")
            body = error_body(told, reference=reference_of(request))
            return JsonResponse(body, status=response.status_code, headers={"Allow": response["Allow"]})
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Django calls this with what a view raised."""
        return error_response(request, exception) if isinstance(exception, DomainError) else None


def _with_cost(response: HttpResponseBase, cost: Cost) -> HttpResponseBase:
    told = f'store;desc="{cost}";dur={cost.seconds * 1000:.1f}'
    others = response.headers.get("Server-Timing")
    response.headers["Server-Timing"] = f"{others}, {told}" if others else told
    return response


def reference_of(request: HttpRequest) -> str:
    """What somebody can quote to have this request found in the logs."""
    return str(getattr(request, "reference", ""))


def is_for_api(request: HttpRequest) -> bool:
    """Whether a program asked, which wants its errors as JSON."""
    return request.path.startswith("/api/")


def without_store(request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int) -> HttpResponse:
    """A page that asks neither session nor user, so that it can also tell that the store does not answer."""
    return HttpResponse(render_to_string(template, {**context, "theme": theme_of(request)}), status=status)


def error_response(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The error as JSON for the API, as a fragment for htmx, as a page otherwise."""
    told = rendering(error)
    if told.status >= 500:  # noqa: PLR2004  (HTTP)
        log.error("request failed", error=error.message, code=error.code, exc_info=error)
    if is_for_api(request):
        response: HttpResponse = JsonResponse(error_body(error, reference=reference_of(request)), status=told.status)
    else:
        template = "errors/_fragment.html" if getattr(request, "htmx", False) else "errors/page.html"
        context = {
            "status": told.status,
            "title": told.title,
            "what_happened": error.public_message,
            "what_was_kept": told.kept,
            "what_to_do": told.advice,
            "reference": reference_of(request),
        }
        response = without_store(request, template, context, status=told.status)
    if isinstance(error, Unavailable) and error.retry_after_seconds:
        response["Retry-After"] = str(max(1, round(error.retry_after_seconds)))
    return response
