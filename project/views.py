"""Error pages for what Django itself refuses."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.errors import DomainError, Forbidden, NotFound
from project.errors import error_body
from project.middleware import error_response, is_for_api, reference_of, without_store


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  (Django names it)
    """400 for a request that Django refuses to read: too large, too many fields, a forged host."""
    error = DomainError("This request cannot be read. It may be too large: 1 MB is the most.", code="bad_request")
    if is_for_api(request):
        return JsonResponse(error_body(error, reference=reference_of(request)), status=400)
    context = {
        "status": 400,
        "title": "This cannot be read",
        "what_happened": error.message,
        "what_was_kept": "Nothing was changed.",
        "what_to_do": "Go back and send less.",
        "reference": reference_of(request),
    }
    return without_store(request, "errors/page.html", context, status=400)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  (Django names it)
    """404 for an address that does not exist."""
    return error_response(request, NotFound("There is nothing at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    """500 with the reference to quote; needs neither store nor session."""
    if is_for_api(request):
        error = DomainError("Something went wrong on our side.", code="bug")
        return JsonResponse(error_body(error, reference=reference_of(request)), status=500)
    return without_store(request, "500.html", {"reference": reference_of(request)}, status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose token is missing or old."""
    if is_for_api(request):
        error = Forbidden("The CSRF token is missing or old. Send it in the X-CSRFToken header.", code="csrf")
        return JsonResponse(error_body(error, reference=reference_of(request)), status=403)
    context = {"reason": reason, "reference": reference_of(request)}
    return without_store(request, "403_csrf.html", context, status=403)
