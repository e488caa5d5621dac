"""Where teams are stored, and who is in them."""

from apps.storage.table import Index, Key, Table

TEAMS = Table(
    name="Teams",
    partition_key=Key("teamId"),
    indexes=(
        Index(name="managerId-index", partition_key=Key("managerId"), question="Which teams does this person lead?"),
        Index(
            name="directory-index",
            partition_key=Key("directory"),
            sort_key=Key("name_key"),
            include=("teamName", "description", "managerId", "memberCount", "isActive"),
            question="Which teams are there, by name?",
        ),
        Index(
            name="unsettled-index",
            partition_key=Key("unsettled"),
            sort_key=Key("teamId"),
            include=(),
            question="Which teams changed so that plans under way have yet to follow?",
        ),
    ),
    description="Teams, their managers and their members.",
)
TEAM_MEMBERSHIPS = Table(
    name="TeamMemberships",
    partition_key=Key("teamId"),
    sort_key=Key("userId"),
    indexes=(
        Index(
            name="userId-index",
            partition_key=Key("userId"),
            sort_key=Key("teamId"),
            include=("createdAt",),
            question="Which teams is this person in?",
        ),
    ),
    description="Who is in which team: the same as the members of the teams, the other way round.",
)

TABLES = (TEAMS, TEAM_MEMBERSHIPS)
