"""What can be done with teams; each change is written together with its audit entry, or not at all.

Whoever calls these tells `apps.teams.wiring.after_change` afterwards, so that plans under way follow at once.
"""

from apps.teams.services._rules import changed
from apps.teams.services.importing import TeamsImported, TeamsPlan, import_teams, plan_teams
from apps.teams.services.members import add_members, remove_members
from apps.teams.services.teams import change_team, create_team, deactivate_team, give_to, reactivate_team

__all__ = [
    "TeamsImported",
    "TeamsPlan",
    "add_members",
    "change_team",
    "changed",
    "create_team",
    "deactivate_team",
    "give_to",
    "import_teams",
    "plan_teams",
    "reactivate_team",
    "remove_members",
]
