"""From a kind of domain error to an HTTP status and the words around it: the one place for all edges."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.accounts.errors import TooManyAttempts
from apps.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unavailable


@dataclass(frozen=True, slots=True)
class Rendering:
    """How a kind of error is told: its HTTP status, a title, what was kept and what to do."""

    status: int
    title: str
    kept: str
    advice: str


_RENDERINGS: tuple[tuple[type[DomainError], Rendering], ...] = (
    (
        NotFound,
        Rendering(404, "Not found", "Nothing was changed.", "Check the address, or start from the home page."),
    ),
    (
        Conflict,
        Rendering(409, "Changed in the meantime", "What is stored stayed as it was.", "Look again and repeat it."),
    ),
    (
        Invalid,
        Rendering(422, "This cannot be accepted", "Nothing was changed.", "Correct it and try again."),
    ),
    (
        Forbidden,
        Rendering(403, "Not allowed", "Nothing was changed.", "Ask an administrator if you should be able to do this."),
    ),
    (
        TooManyAttempts,
        Rendering(429, "Too many attempts", "Nothing was changed.", "Wait as long as it says, then try again."),
    ),
    (
        Unavailable,
        Rendering(503, "Not available right now", "What was stored before is safe.", "Try again in a moment."),
    ),
)
_OTHER = Rendering(500, "Something went wrong", "What was stored before is safe.", "Try again, or quote the reference.")


def rendering(error: DomainError) -> Rendering:
    """How to tell this error."""
    for kind, found in _RENDERINGS:
        if isinstance(error, kind):
            return found
    return _OTHER


def error_body(error: DomainError, *, reference: str) -> dict[str, Any]:
    """The one JSON shape of every error: `{"error": {code, message, field, details, reference}}`.

    Fields are named as requests name them: in camelCase.
    """
    return {
        "error": {
            "code": error.code,
            "message": error.public_message,
            "field": _as_sent(error.field),
            "details": [_named(detail) for detail in error.details()],
            "reference": reference,
        }
    }


def _named(detail: Mapping[str, object]) -> dict[str, object]:
    field = detail.get("field")
    return {**detail, "field": _as_sent(field)} if isinstance(field, str) else dict(detail)


def _as_sent(field: str | None) -> str | None:
    return re.sub("_([a-z])", lambda found: found[1].upper(), field) if field else None
