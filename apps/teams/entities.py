"""Teams and who is in them."""

from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field

from apps.accounts.entities import display_name, folded
from apps.storage.entity import Naming, Stamped, TimeForm, Unique

LONGEST_DESCRIPTION = 2000
MOST_MEMBERS = 150
"""A team of these is read with its manager in two batches of keys."""


class Team(Stamped):
    """People whom one manager leads.

    `member_ids` are kept equal to the team's memberships in the same transactions. `unsettled` is set by every change
    of members or manager and taken away once plans under way follow it. `active_plan_ids` are those plans, kept in the
    transactions that activate and complete them: an index would lag. A team read from a list has no members.
    """

    naming = Naming.CAMEL
    times = TimeForm.MILLISECONDS
    derived: ClassVar[Mapping[str, str]] = {"directory": "teams", "name_key": "{name_key}"}
    unique: ClassVar[tuple[Unique, ...]] = (
        Unique("team_name", within="manager_id", folded=True, message="This manager has a team of this name already."),
    )

    team_id: str
    team_name: Annotated[str, AfterValidator(display_name)]
    description: str = Field(default="", max_length=LONGEST_DESCRIPTION)
    manager_id: str
    member_ids: frozenset[str] = Field(default=frozenset(), max_length=MOST_MEMBERS)
    member_count: int = 0
    is_active: bool = True
    active_plan_ids: frozenset[str] = frozenset()
    unsettled: Literal["yes"] | None = None

    @property
    def name(self) -> str:
        """What it is called wherever things of many kinds stand side by side."""
        return self.team_name

    @property
    def name_key(self) -> str:
        """The name as the directory sorts it."""
        return folded(self.team_name)

    def with_members(self, member_ids: Iterable[str]) -> Self:
        """The team with exactly these people in it. Raises pydantic's `ValidationError` past `MOST_MEMBERS`."""
        members = frozenset(member_ids)
        return self.evolve(member_ids=members, member_count=len(members), unsettled="yes")

    def __str__(self) -> str:
        return self.team_name


class TeamMembership(Stamped):
    """That somebody is in a team, since `created_at`."""

    naming = Naming.CAMEL
    times = TimeForm.MILLISECONDS

    team_id: str
    user_id: str
