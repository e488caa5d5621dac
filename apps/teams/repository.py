"""The questions that are asked of teams."""

from collections.abc import Iterable

from apps.accounts.entities import display_name, folded
from apps.storage.conditions import Query, begins_with
from apps.storage.page import Page
from apps.storage.repository import Repository
from apps.storage.unique import Guards, place
from apps.teams.entities import Team, TeamMembership
from apps.teams.tables import TEAM_MEMBERSHIPS, TEAMS

MOST_OF_ONE_PERSON = 100


class Teams(Repository[Team]):
    """The teams; a manager's team names are unique."""

    entity = Team
    table = TEAMS
    noun = "team"

    def listed(self, prefix: str = "", *, limit: int = 50, cursor: str | None = None) -> Page[Team]:
        """Teams by name, those whose name begins so, without their members. Raises `BadCursor`."""
        start = folded(prefix)
        query = Query(partition="teams", index="directory-index", sort=begins_with(start) if start else None)
        return self.page(query, limit=limit, cursor=cursor)

    def managed_by(self, user_id: str) -> list[Team]:
        """The teams that this person leads, by name, whole; the index lags."""
        page = self.page(Query(partition=user_id, index="managerId-index"), limit=MOST_OF_ONE_PERSON)
        return sorted(page.items, key=lambda team: team.name_key)

    def named(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Team]:
        """Teams by their managers' ids and their names (which come back folded), whole and read consistently.

        Through the guards of the names: two batches of keys for each hundred.
        """
        (unique,) = self.entity.unique
        taken = [
            place(self.table, unique, {"team_name": display_name(name), "manager_id": manager_id})
            for manager_id, name in wanted
        ]
        guards = Guards(self.store).get_many(["#".join(one) for one in taken if one is not None], consistent=True)
        found = self.get_many([guard.owner for guard in guards], consistent=True)
        return {(team.manager_id, folded(team.team_name)): team for team in found}

    def unsettled(self, *, limit: int) -> list[str]:
        """Ids of teams that plans under way have yet to follow."""
        return [str(key) for key in self.keys(Query(partition="yes", index="unsettled-index"), limit=limit)]


class Memberships(Repository[TeamMembership]):
    """Who is in which team."""

    entity = TeamMembership
    table = TEAM_MEMBERSHIPS
    noun = "membership"

    def of(self, user_id: str) -> list[TeamMembership]:
        """The teams that this person is in; the index lags."""
        return list(self.page(Query(partition=user_id, index="userId-index"), limit=MOST_OF_ONE_PERSON).items)
