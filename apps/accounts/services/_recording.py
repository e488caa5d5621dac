"""How the services name users and tokens in the audit log, and tell what Pydantic found."""

from pydantic import ValidationError

from apps.accounts.entities import ApiToken, User
from apps.errors import Invalid


def object_of(user: User) -> str:
    return f"Users#{user.user_id}"


def told(token: ApiToken) -> dict[str, str]:
    """A token as the audit log names it: not by words that are blanked there."""
    return {"name": token.name, "ends_in": token.hint}


def invalid(error: ValidationError) -> Invalid:
    first = error.errors(include_url=False, include_input=False)[0]
    cause = first.get("ctx", {}).get("error")
    return Invalid(str(cause or first["msg"]), field=str(first["loc"][0]))
