"""A team for somebody: found as far as the table of permissions lets them."""

from apps.accounts.entities import Role, User
from apps.accounts.permissions import Permission, allowed, require
from apps.teams.entities import Team
from apps.teams.errors import TeamNotFound
from apps.teams.repository import Teams

MAY_HAVE_TEAMS = frozenset({Role.ADMIN, Role.MANAGER, Role.TEAM_MEMBER})
LONGEST_ID = 64


def visible_team(teams: Teams, *, team_id: str, by: User) -> Team:
    """The team as it is now, if this person may see it. Raises `TeamNotFound` for a missing and a hidden one."""
    team = teams.find(team_id, consistent=True)
    if team is None or not allowed(by, Permission.TEAM_SEE, team):
        raise TeamNotFound
    return team


def editable_team(teams: Teams, *, team_id: str, by: User) -> Team:
    """The team as it is now, if this person may edit it. Raises `TeamNotFound` and `Forbidden`."""
    team = visible_team(teams, team_id=team_id, by=by)
    require(by, Permission.TEAM_EDIT, team)
    return team
