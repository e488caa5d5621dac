"""The list of teams, by role."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.accounts.decorators import sign_in_required
from apps.accounts.entities import LONGEST_NAME, Role, User
from apps.accounts.middleware import signed_in_user
from apps.accounts.permissions import Permission, allowed
from apps.errors import NotFound
from apps.teams.access import MAY_HAVE_TEAMS
from apps.teams.repository import MOST_OF_ONE_PERSON
from apps.teams.showing import own_teams, with_managers
from apps.teams.wiring import default_stores

HAVE_OWN = frozenset({Role.MANAGER, Role.TEAM_MEMBER})


@never_cache
@sign_in_required
@require_GET
def team_list(request: HttpRequest) -> HttpResponse:
    """All teams by name for administrators; for others those that they lead, and those they are in."""
    reader = signed_in_user(request)
    if reader.roles.isdisjoint(MAY_HAVE_TEAMS):
        raise NotFound("There is no such page, or you may not see it.")
    sees_all = allowed(reader, Permission.TEAM_SEE)
    shows_all = sees_all and request.GET.get("of") != "mine"
    context = {
        "sees_all": sees_all,
        "shows_all": shows_all,
        "has_own": not reader.roles.isdisjoint(HAVE_OWN),
        "may_create": allowed(reader, Permission.TEAM_CREATE),
        **(_all_teams(request) if shows_all else _own(reader)),
    }
    return render(request, "teams/list.html", context)


def _all_teams(request: HttpRequest) -> dict[str, Any]:
    stores = default_stores()
    prefix = request.GET.get("q", "").strip()[:LONGEST_NAME]
    page = stores.teams.listed(prefix, cursor=request.GET.get("cursor") or None)
    shown = with_managers(stores, page.items)
    return {"teams": shown, "prefix": prefix, "next_cursor": page.next, "previous_cursor": page.previous}


def _own(reader: User) -> dict[str, Any]:
    own = own_teams(default_stores(), reader)
    return {
        "own": own,
        "leads": Role.MANAGER in reader.roles,
        "joins": Role.TEAM_MEMBER in reader.roles,
        "tells_managers": Role.MANAGER not in reader.roles,
        "most": MOST_OF_ONE_PERSON,
    }
