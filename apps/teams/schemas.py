"""What the API of teams says and takes."""

from datetime import datetime

from pydantic import Field

from apps.accounts.entities import LONGEST_EMAIL, LONGEST_NAME, User
from apps.api_shapes import Camel, Count
from apps.teams.access import LONGEST_ID
from apps.teams.entities import LONGEST_DESCRIPTION, MOST_MEMBERS, Team


class TeamIn(Camel):
    """A team to make; members are added afterwards."""

    team_name: str = Field(min_length=1, max_length=LONGEST_NAME)
    manager_id: str = Field(min_length=1, max_length=LONGEST_ID, description="Somebody active with the role manager.")
    description: str = Field(default="", max_length=LONGEST_DESCRIPTION, description="Markdown.")


class TeamChangeIn(Camel):
    """What is to be different; what is left out stays. `version` is the one that was read: another one answers 409."""

    version: Count
    team_name: str | None = Field(default=None, min_length=1, max_length=LONGEST_NAME)
    description: str | None = Field(default=None, max_length=LONGEST_DESCRIPTION)
    manager_id: str | None = Field(
        default=None, min_length=1, max_length=LONGEST_ID, description="For administrators: who leads it from now on."
    )
    is_active: bool | None = Field(default=None, strict=True, description="For administrators.")


class TeamMembersIn(Camel):
    """People to add; who is in the team already stays in it."""

    user_ids: list[str] = Field(min_length=1, max_length=MOST_MEMBERS)


class TeamOut(Camel):
    """A team in a list."""

    team_id: str
    team_name: str
    description: str
    manager_id: str
    member_count: int
    is_active: bool


class TeamDetailOut(TeamOut):
    """A team with the ids of its members."""

    member_ids: list[str]
    version: int
    created_at: datetime | None
    updated_at: datetime | None


class TeamPageOut(Camel):
    """Teams by name, and cursors to the pages around them."""

    items: list[TeamOut]
    next: str | None
    previous: str | None


class TeamMemberOut(Camel):
    """Somebody in a team; the address only for who may edit the team."""

    user_id: str
    name: str
    email: str | None = Field(max_length=LONGEST_EMAIL)
    is_active: bool


class TeamMembersOut(Camel):
    """All members of a team, by name."""

    items: list[TeamMemberOut]


def team_out(team: Team) -> TeamOut:
    """The team as a list shows it."""
    return TeamOut(**{name: getattr(team, name) for name in TeamOut.model_fields})


def team_detail_out(team: Team) -> TeamDetailOut:
    """The whole team."""
    return TeamDetailOut(
        **team_out(team).model_dump(),
        member_ids=sorted(team.member_ids),
        version=team.version,
        created_at=team.created_at,
        updated_at=team.updated_at,
    )


def member_out(user: User, *, with_email: bool) -> TeamMemberOut:
    """A member, with the address for who may know it."""
    email = user.email if with_email else None
    return TeamMemberOut(user_id=user.user_id, name=user.name, email=email, is_active=user.is_active)
