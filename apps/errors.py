"""The five kinds of error that Rungs raises on purpose, and nothing else.

Whatever goes wrong is raised deep in the house as one of these and translated once at each edge (page, API, socket,
command). Anything that is not a `DomainError` is a bug: it is logged with its traceback and never swallowed.
"""

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """Something the person who asked can be told.

    `message` is one plain sentence for that person, saying what to do where something can be done. `code` names the
    error for machines; `field` names the input it belongs to, if one does. `retryable` says whether doing the same
    again, unchanged, may succeed; single errors may differ from their kind. `others` are what the same attempt met
    beside this one.
    """

    code = "error"
    retryable: bool = False
    others: tuple["DomainError", ...] = ()

    def __init__(self, message: str, *, code: str | None = None, field: str | None = None) -> None:
        """Keep the sentence, and the narrower code and the field where there are any."""
        super().__init__(message)
        self.message = message
        self.field = field
        if code is not None:
            self.code = code

    @property
    def public_message(self) -> str:
        """The sentence for pages, API and sockets; commands and logs use `message`, which may name inner parts."""
        return self.message

    def details(self) -> Sequence[Mapping[str, object]]:
        """Single findings behind this error, each at least `{"message": str}`; empty where the sentence says it all."""
        return ()


class NotFound(DomainError):
    """It does not exist, or this person may not know that it does (404)."""

    code = "not_found"


class Conflict(DomainError):
    """It was changed, taken or finished by somebody else in the meantime (409)."""

    code = "conflict"


class Invalid(DomainError):
    """What was given cannot be accepted as it is (422)."""

    code = "invalid"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        findings: Sequence[Mapping[str, object]] = (),
    ) -> None:
        """`findings` lists every fault found, for example `{"line": 3, "value": "AB", "message": "..."}`."""
        super().__init__(message, code=code, field=field)
        self.findings = tuple(findings)

    def details(self) -> Sequence[Mapping[str, object]]:
        """Every single fault found in the input."""
        return self.findings


class Forbidden(DomainError):
    """This person may see it, but may not do that (403)."""

    code = "forbidden"


class Unavailable(DomainError):
    """A store, host or service does not answer as it should; trying again later may help (503)."""

    code = "unavailable"
    retryable = True

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        """`retry_after_seconds` is a wait in seconds that makes a new try worthwhile, where one is known."""
        super().__init__(message, code=code, field=field)
        self.retry_after_seconds = retry_after_seconds
