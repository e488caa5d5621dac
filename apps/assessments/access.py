"""What the table of permissions is asked about: whose team a thing belongs to, and whom it is about."""

from dataclasses import dataclass

from apps.accounts.entities import Role
from apps.accounts.permissions import Permission
from apps.assessments.entities import Assessment, AssessmentType, Report
from apps.teams.entities import Team

SEEN_BY = {
    AssessmentType.SELF: Permission.SELF_ASSESSMENT_SEE,
    AssessmentType.MANAGER: Permission.MANAGER_ASSESSMENT_SEE,
}
FILLED_IN_BY = {
    AssessmentType.SELF: Permission.SELF_ASSESSMENT_FILL_IN,
    AssessmentType.MANAGER: Permission.MANAGER_ASSESSMENT_FILL_IN,
}

MAY_HAVE_ASSESSMENTS = frozenset({Role.MANAGER, Role.TEAM_MEMBER})
"""Who has any to fill in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfTeam:
    """A plan, an assessment or a report, as permissions see it: `manager_id` leads the team now."""

    manager_id: str
    team_member_id: str = ""


def concerning(team: Team | None, about: Assessment | Report | None = None) -> OfTeam:
    """A thing of this team, about this member; of a team that is gone nobody is the manager.

    Nobody is their own manager: who came to lead the team after being assessed in it learns nothing that way.
    """
    manager_id = team.manager_id if team else ""
    member_id = about.team_member_id if about is not None else ""
    return OfTeam(manager_id="" if manager_id == member_id else manager_id, team_member_id=member_id)
