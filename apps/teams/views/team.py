"""One team: its people, and what is done to it."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.decorators import sign_in_required
from apps.accounts.entities import LONGEST_NAME
from apps.accounts.middleware import done_by, signed_in_user
from apps.accounts.permissions import Permission, allowed
from apps.errors import Conflict, DomainError, Invalid
from apps.teams import services
from apps.teams.access import LONGEST_ID, editable_team, visible_team
from apps.teams.entities import MOST_MEMBERS, Team
from apps.teams.showing import Picker, people_of, picker_for
from apps.teams.wiring import after_change, default_stores

UNPROCESSABLE, CONFLICT = 422, 409


@never_cache
@sign_in_required
@require_GET
def team_page(request: HttpRequest, team_id: str) -> HttpResponse:
    """A team with its members."""
    team = visible_team(default_stores().teams, team_id=team_id, by=signed_in_user(request))
    return _page(request, team)


@never_cache
@sign_in_required
@require_GET
def suggestions(request: HttpRequest, team_id: str) -> HttpResponse:
    """Whom one may add, as one types: those chosen so far, and whose name begins so."""
    team = editable_team(default_stores().teams, team_id=team_id, by=signed_in_user(request))
    return render(request, "teams/_choices.html", {"picker": _picker(team, request.GET), "team": team})


@never_cache
@sign_in_required
@require_POST
def add(request: HttpRequest, team_id: str) -> HttpResponse:
    """Add who was chosen; without a script also the search for them."""
    stores, by = default_stores(), signed_in_user(request)
    team = editable_team(stores.teams, team_id=team_id, by=by)
    chosen = _chosen(request.POST)
    if "search" in request.POST:
        return _page(request, team, picker=_picker(team, request.POST))
    if not chosen:
        told = Invalid("Choose who is to be added: type the beginning of a name, then tick the person.")
        return _page(request, team, picker=_picker(team, request.POST), error=told)
    done = done_by(request)
    try:
        stored = services.add_members(stores, team_id=team_id, user_ids=chosen, **done)
    except (Invalid, Conflict) as error:
        return _page(request, team, picker=_picker(team, request.POST), error=error)
    after_change(team_id, now=done["now"])
    added = len(stored.member_ids.intersection(chosen) - team.member_ids)
    messages.success(request, _told_added(added))
    return redirect("teams:team", team_id)


@never_cache
@sign_in_required
@require_POST
def remove(request: HttpRequest, team_id: str) -> HttpResponse:
    """Ask whether those chosen should leave; once that is confirmed, take them out."""
    stores, by = default_stores(), signed_in_user(request)
    team = editable_team(stores.teams, team_id=team_id, by=by)
    chosen = [user_id for user_id in _chosen(request.POST) if user_id in team.member_ids]
    if not chosen:
        messages.warning(request, "Nobody was removed: tick who is to leave the team first.")
        return redirect("teams:team", team_id)
    if "confirmed" not in request.POST:
        leaving = sorted(stores.users.get_many(chosen), key=lambda user: user.name_key)
        return render(request, "teams/remove.html", {"team": team, "leaving": leaving, "chosen": chosen})
    done = done_by(request)
    services.remove_members(stores, team_id=team_id, user_ids=chosen, **done)
    after_change(team_id, now=done["now"])
    messages.success(request, "One person has left the team." if len(chosen) == 1 else f"{len(chosen)} have left.")
    return redirect("teams:team", team_id)


@never_cache
@sign_in_required
@require_POST
def deactivate(request: HttpRequest, team_id: str) -> HttpResponse:
    """Put the team away."""
    done = done_by(request)
    team = services.deactivate_team(default_stores(), team_id=team_id, **done)
    messages.success(request, f"{team.team_name} is deactivated.")
    return redirect("teams:team", team_id)


@never_cache
@sign_in_required
@require_POST
def reactivate(request: HttpRequest, team_id: str) -> HttpResponse:
    """Take the team out again; why that cannot be is told on its page."""
    done = done_by(request)
    try:
        team = services.reactivate_team(default_stores(), team_id=team_id, **done)
    except Invalid as error:
        messages.error(request, f"{error.public_message} Or give the team to another manager: choose Edit.")
    else:
        after_change(team_id, now=done["now"])
        messages.success(request, f"{team.team_name} is active again.")
    return redirect("teams:team", team_id)


def _page(
    request: HttpRequest, team: Team, *, picker: Picker | None = None, error: DomainError | None = None
) -> HttpResponse:
    reader = signed_in_user(request)
    people = people_of(default_stores(), team, reader=reader)
    context = {
        "team": team,
        "manager": people.manager,
        "members": people.members,
        "gone": len(team.member_ids) - len(people.members),
        "most": MOST_MEMBERS,
        "may_edit": allowed(reader, Permission.TEAM_EDIT, team),
        "may_delete": allowed(reader, Permission.TEAM_DELETE, team),
        "may_plan": allowed(reader, Permission.PLAN_MANAGE, team),
        "sees_people": allowed(reader, Permission.USERS_SEE),
        "picker": picker or Picker(),
        "error": error,
    }
    status = 200 if error is None else CONFLICT if isinstance(error, Conflict) else UNPROCESSABLE
    return render(request, "teams/team.html", context, status=status)


def _picker(team: Team, given: Any) -> Picker:
    prefix = given.get("q", "").strip()[:LONGEST_NAME]
    return picker_for(default_stores(), team, prefix=prefix, chosen=_chosen(given))


def _chosen(given: Any) -> Sequence[str]:
    """The ids that were ticked. Raises `Invalid` for more than any team holds."""
    chosen = list(dict.fromkeys(user_id for user_id in given.getlist("user_id") if 0 < len(user_id) <= LONGEST_ID))
    if len(chosen) > MOST_MEMBERS:
        raise Invalid(f"Choose at most {MOST_MEMBERS} people at once.", field="user_id")
    return chosen


def _told_added(number: int) -> str:
    if number == 0:
        return "They were in the team already."
    return "One person is added to the team." if number == 1 else f"{number} people are added to the team."
