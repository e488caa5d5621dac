"""The list of reports, by who reads: one's own, those of one's teams, or all of a season."""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.accounts.decorators import sign_in_required
from apps.accounts.entities import Role, User
from apps.accounts.middleware import signed_in_user
from apps.accounts.permissions import Permission, require
from apps.assessments.stores import Stores
from apps.assessments.wiring import default_stores
from apps.errors import NotFound

A_PAGE: Final = 50

Part = Callable[[HttpRequest, Stores, User], dict[str, Any]]


@never_cache
@sign_in_required
@require_GET
def report_list(request: HttpRequest) -> HttpResponse:
    """The reports there are for this reader; who has several roles chooses. Raises `NotFound` for who has none."""
    user = signed_in_user(request)
    offered = [name for name, role in ROLES.items() if role in user.roles]
    chosen = request.GET.get("show") or (offered[0] if offered else "")
    if chosen not in offered:
        raise NotFound("There is no such page, or you may not see it.")
    context = {"show": chosen, "offered": [(name, WORDS[name]) for name in offered]}
    return render(request, "reports/list.html", context | PARTS[chosen](request, default_stores(), user))


def _of_organisation(request: HttpRequest, stores: Stores, user: User) -> dict[str, Any]:
    """The plans of a season: three requests."""
    require(user, Permission.ORGANISATION_SEE)
    seasons = stores.seasons.names()
    season = request.GET.get("season") or (seasons[0] if seasons else "")
    if season and season not in seasons:
        raise NotFound("There is no plan of such a season.")
    if not season:
        return {"plans": [], "seasons": [], "season": ""}
    page = stores.plans.of_season(season, limit=A_PAGE, cursor=request.GET.get("cursor") or None)
    teams = stores.teams.get_many({plan.team_id for plan in page.items}) if page.items else []
    return {
        "seasons": seasons,
        "season": season,
        "plans": page.items,
        "teams": {team.team_id: team.team_name for team in teams},
        "next_cursor": page.next,
        "previous_cursor": page.previous,
    }


def _of_my_teams(request: HttpRequest, stores: Stores, user: User) -> dict[str, Any]:
    """The plans of one of the teams that somebody leads: two requests."""
    teams = stores.teams.managed_by(user.user_id)
    team_id = request.GET.get("team") or (teams[0].team_id if teams else "")
    team = next((one for one in teams if one.team_id == team_id), None)
    if team is None:
        if team_id:
            raise NotFound("There is no such team, or you do not lead it.")
        return {"plans": [], "my_teams": [], "team": None}
    return {"my_teams": teams, "team": team, "plans": stores.plans.of_team(team.team_id)}


def _of_mine(_: HttpRequest, stores: Stores, user: User) -> dict[str, Any]:
    """The reports on oneself: two requests."""
    reports = list(reversed(stores.reports.of_member(user.user_id)))
    teams = stores.teams.get_many({report.team_id for report in reports}) if reports else []
    return {"reports": reports, "teams": {team.team_id: team.team_name for team in teams}}


# By what is offered first to who has several.
ROLES: Final = {"all": Role.ADMIN, "teams": Role.MANAGER, "mine": Role.TEAM_MEMBER}
WORDS: Final = {"all": "All teams", "teams": "My teams", "mine": "About me"}
PARTS: Final[dict[str, Part]] = {"all": _of_organisation, "teams": _of_my_teams, "mine": _of_mine}
