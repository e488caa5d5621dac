"""Who may lead a team and who may be in one, and how the audit log names a team."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from apps.accounts.entities import Role, User
from apps.accounts.repository import Users
from apps.storage.writes import Write
from apps.teams.entities import MOST_MEMBERS, Team
from apps.teams.errors import InvalidTeam

TRIES = 12
"""How often a change begins anew that does not depend on what others change about the team meanwhile."""

TOO_MANY = f"A team has at most {MOST_MEMBERS} members. Make another team for the others."


def object_of(team: Team) -> str:
    """The team in the audit log."""
    return f"Teams#{team.team_id}"


def why_no_manager(user: User | None) -> str:
    """Why this person cannot lead a team, and what to do; empty where they can."""
    return _lack(user, Role.MANAGER, "manager")


def why_no_member(user: User | None, *, manager_id: str) -> str:
    """Why this person cannot be in a team of this manager, and what to do; empty where they can."""
    if user is not None and user.user_id == manager_id:
        return f"{user.name} leads this team, and so cannot be in it. Give the team to another manager first."
    return _lack(user, Role.TEAM_MEMBER, "team member")


def demanding_manager(users: Users, *, user_id: str) -> Write:
    """The check, for a transaction, that this person may lead a team at that very moment.

    Raises `InvalidTeam` where they may not already now.
    """
    user = users.find(user_id, consistent=True) if user_id else None
    if why := why_no_manager(user):
        raise InvalidTeam(why, field="manager_id")
    changed = InvalidTeam("The manager's account was changed just now. Look at it, then try again.", field="manager_id")
    return users.demanding(user_id, Role.MANAGER).otherwise(changed)


def members_to_be(users: Users, user_ids: Sequence[str], *, manager_id: str) -> Mapping[str, User]:
    """These people by id, once all of them may be in a team of this manager. Raises `InvalidTeam` naming who may not.

    One batch of keys, a hundred a request, read consistently.
    """
    found = {user.user_id: user for user in users.get_many(user_ids, consistent=True)}
    findings = [
        {"value": user_id, "message": why}
        for user_id in user_ids
        if (why := why_no_member(found.get(user_id), manager_id=manager_id))
    ]
    if findings:
        more = f" So it is with {len(findings) - 1} more." if len(findings) > 1 else ""
        raise InvalidTeam(f"{findings[0]['message']}{more}", field="user_ids", findings=findings)
    return found


def told(error: ValidationError) -> InvalidTeam:
    """What Pydantic found wrong first, beside its field."""
    first = error.errors(include_url=False, include_input=False)[0]
    cause = first.get("ctx", {}).get("error")
    return InvalidTeam(str(cause or first["msg"]), field=str(first["loc"][0]))


def changed(team: Team, **changes: Any) -> Team:
    """The team with these fields changed. Raises `InvalidTeam` with the field."""
    try:
        return team.evolve(**changes)
    except ValidationError as error:
        raise told(error) from None


def _lack(user: User | None, role: Role, words: str) -> str:
    if user is None:
        return "There is no such person. Choose somebody who is here already, or ask an administrator to add them."
    if not user.is_active:
        return f"{user.name} is deactivated. An administrator can reactivate the account."
    if role not in user.roles:
        return f"{user.name} does not have the role {words}. An administrator can give it."
    return ""
