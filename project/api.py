"""The API: one NinjaAPI, one shape for errors, one router for each domain."""

from collections.abc import Sequence
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser

from apps.accounts.api import session_auth, token_auth
from apps.accounts.decorators import sign_in_required
from apps.accounts.errors import WrongToken
from apps.accounts.users_api import router as users
from apps.assessments.api.assessments import router as assessments
from apps.assessments.api.plans import router as plans
from apps.errors import DomainError, Invalid
from apps.ladders.api import router as ladders
from apps.policy_runs.api import router as policy_runs
from apps.reports.api import router as reports
from apps.teams.api import router as teams
from project.errors import error_body
from project.health import router as health
from project.middleware import error_response, reference_of
from project.views import csrf_failure


class Json(Parser):
    """What a body holds. Half of a surrogate pair is no text, and answers 400 like all that is no JSON."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Raises `ValueError`, which ninja tells as 400."""
        return orjson.loads(request.body)


api = NinjaAPI(
    title="Rungs",
    version="1",
    description=(
        "People, teams, the career ladder, plans, assessments, reports and policy runs. Sign in with an API token "
        "(`Authorization: Bearer`), or with the session cookie of the pages and, for changes, its CSRF token.\n\n"
        "Every error has the shape of `ErrorBody`: `code` is for programs, `message` for people, `field` and `details` "
        "name what was wrong as the request names it. What one may not see answers 404, as what does not exist.\n\n"
        "Lists are pages: `next` and `previous` are the `cursor` of the page after and before, null at the ends. "
        "Times are UTC, texts Markdown as it was typed.\n\n"
        "Who changes something sends the `version` that was read (of a part of it, an answer or notes, the "
        "`revision`). What was changed since stays as it is stored, and the answer is 409: read it again."
    ),
    auth=[token_auth, session_auth],
    openapi_url="/api/openapi.json",
    docs_url=None,
    docs_decorator=sign_in_required,
    parser=Json(),
)
api.add_router("/api/users", users)
api.add_router("/api/teams", teams)
api.add_router("/api/ladders", ladders)
api.add_router("/api/plans", plans)
api.add_router("/api/assessments", assessments)
api.add_router("/api/reports", reports)
api.add_router("/api/policy-runs", policy_runs)
api.add_router("", health, auth=None)


@api.exception_handler(DomainError)
def domain_error(request: HttpRequest, error: DomainError | type[DomainError]) -> HttpResponse:
    """Every domain error, translated once."""
    assert isinstance(error, DomainError)  # noqa: S101  (ninja hands over what was raised)
    return error_response(request, error)


@api.exception_handler(ValidationError)
def malformed(request: HttpRequest, error: Any) -> HttpResponse:
    """A body or query that does not fit its schema."""
    findings = [{"field": _place(finding["loc"]), "message": finding["msg"]} for finding in error.errors]
    message = "; ".join(f"{finding['field']}: {finding['message']}".removeprefix(": ") for finding in findings)
    field = findings[0]["field"] if findings else ""
    told = Invalid(message or "This request is malformed.", field=field or None, findings=findings)
    return error_response(request, told)


def _place(loc: Sequence[Any]) -> str:
    """Where something is wrong: `answers.0.level` of a body, or the name of a parameter; empty for the whole body."""
    inside = loc[2:] if loc[0] == "body" else loc[1:]  # the body itself has the name of the view's parameter
    return ".".join(str(part) for part in inside)


@api.exception_handler(AuthenticationError)
def not_signed_in(request: HttpRequest, _error: Any) -> HttpResponse:
    """Nobody is signed in."""
    error = DomainError("Sign in first.", code="not_signed_in")
    return api.create_response(request, error_body(error, reference=reference_of(request)), status=401)


@api.exception_handler(WrongToken)
def wrong_token(request: HttpRequest, error: Any) -> HttpResponse:
    """A token was shown, and is not valid."""
    response = api.create_response(request, error_body(error, reference=reference_of(request)), status=401)
    response["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return response


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: Any) -> HttpResponse:
    """What ninja itself refuses: a body that is no JSON, a change without the CSRF token."""
    if error.status_code == 403:  # noqa: PLR2004  (ninja's only one)
        return csrf_failure(request)
    told = DomainError(str(error), code="bad_request")
    return api.create_response(request, error_body(told, reference=reference_of(request)), status=error.status_code)


@api.exception_handler(RequestDataTooBig)
def too_large(request: HttpRequest, _error: Any) -> HttpResponse:
    """A body beyond what one request may hold."""
    told = DomainError(f"A request holds at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024} KB.", code="too_large")
    return api.create_response(request, error_body(told, reference=reference_of(request)), status=413)
