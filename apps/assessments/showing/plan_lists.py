"""Plans for somebody, by team, season and state: which index answers, and what the teams are called."""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.accounts.entities import Role, User
from apps.assessments.entities import Plan, PlanStatus
from apps.assessments.services.managed import may_manage, require_planner
from apps.assessments.stores import Stores
from apps.storage.page import Page
from apps.teams.entities import Team
from apps.teams.errors import TeamNotFound

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanList:
    """A page of plans and their teams by id; one that is gone is missing."""

    page: Page[Plan]
    teams: Mapping[str, Team]
    status: PlanStatus | None


def listed_plans(
    stores: Stores,
    *,
    user: User,
    team_id: str = "",
    season: str = "",
    status: PlanStatus | None = None,
    cursor: str | None = None,
) -> PlanList:
    """A page of the plans that this person manages, in two requests.

    Of a team the newest season first; for a manager those of their teams, the last to end first; for an administrator
    those of a season, or those in a state: under way where nothing is asked for, the first due first. Raises `NotFound`
    for who has no part in plans, `TeamNotFound`, `BadCursor`.
    """
    require_planner(user)
    if team_id:
        return _of_team(stores, user=user, team_id=team_id, season=season, status=status)
    if Role.ADMIN in user.roles:
        if season:
            page = stores.plans.of_season(season, status=status, limit=PAGE, cursor=cursor)
        elif status in {None, PlanStatus.ACTIVE}:
            status = PlanStatus.ACTIVE
            page = stores.plans.under_way(limit=PAGE, cursor=cursor)
        else:
            page = stores.plans.in_state(status, limit=PAGE, cursor=cursor)
        found = stores.teams.get_many(sorted({plan.team_id for plan in page.items}))
        return PlanList(page=page, teams={team.team_id: team for team in found}, status=status)
    page = stores.plans.of_manager(user.user_id, season=season, status=status, limit=PAGE, cursor=cursor)
    led = {team.team_id: team for team in stores.teams.managed_by(user.user_id)}
    kept = [plan for plan in page.items if plan.team_id in led]  # the plans' index may lag behind the teams'
    return PlanList(page=Page(items=kept, next=page.next, previous=page.previous), teams=led, status=status)


def _of_team(stores: Stores, *, user: User, team_id: str, season: str, status: PlanStatus | None) -> PlanList:
    team = stores.teams.find(team_id)
    if team is None or not may_manage(user, team):
        raise TeamNotFound
    plans = [
        plan
        for plan in stores.plans.of_team(team_id)
        if (not season or plan.season == season) and status in {None, plan.status}
    ]
    return PlanList(page=Page(items=plans), teams={team_id: team}, status=status)
