"""The forms of a new team and of one that is changed."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts.decorators import permission_required, sign_in_required
from apps.accounts.entities import LONGEST_NAME, Role
from apps.accounts.middleware import done_by, signed_in_user
from apps.accounts.permissions import Permission, allowed
from apps.errors import Conflict, DomainError, Invalid
from apps.storage.errors import StaleVersion
from apps.teams import services
from apps.teams.access import editable_team
from apps.teams.entities import Team
from apps.teams.forms import LedTeamForm, TeamForm
from apps.teams.showing import MOST_SUGGESTED
from apps.teams.views.team import CONFLICT, UNPROCESSABLE
from apps.teams.wiring import after_change, default_stores


@never_cache
@permission_required(Permission.TEAM_CREATE)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form of a new team, and its making."""
    stores = default_stores()
    form = LedTeamForm(request.POST if request.method == "POST" else None, users=stores.users)
    if request.method == "GET":
        return render(request, "teams/new.html", {"form": form})
    if form.is_valid() and form.manager is not None:
        try:
            team = services.create_team(
                stores,
                team_name=form.cleaned_data["team_name"],
                description=form.cleaned_data["description"],
                manager_id=form.manager.user_id,
                **done_by(request),
            )
        except (Invalid, Conflict) as error:
            _tell(form, error)
        else:
            messages.success(request, f"{team.team_name} is there. Now add its members.")
            return redirect("teams:team", team.team_id)
    return render(request, "teams/new.html", {"form": form}, status=UNPROCESSABLE)


@never_cache
@permission_required(Permission.TEAM_CREATE)
@require_GET
def managers(request: HttpRequest) -> HttpResponse:
    """Managers whose name begins as was typed, for the box of the form."""
    prefix = request.GET.get("manager_email", "").strip()[:LONGEST_NAME]
    found = default_stores().users.with_role(Role.MANAGER, prefix, limit=MOST_SUGGESTED).items if prefix else []
    return render(request, "teams/_managers.html", {"managers": found})


@never_cache
@sign_in_required
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, team_id: str) -> HttpResponse:
    """The form of a team, and its change; for administrators also who leads it."""
    team = editable_team(default_stores().teams, team_id=team_id, by=signed_in_user(request))
    if request.method == "GET":
        return _edit_page(request, team, _form(request, team, None), status=200)
    form = _form(request, team, request.POST)
    if not form.is_valid():
        return _edit_page(request, team, form, status=UNPROCESSABLE)
    done = done_by(request)
    try:
        stored = _change(team, form, done=done)
    except StaleVersion as error:
        return _stale_page(request, error.stored or team)
    except (Invalid, Conflict) as error:
        _tell(form, error)
        return _edit_page(request, team, form, status=UNPROCESSABLE)
    if stored.unsettled:
        after_change(team_id, now=done["now"])
    messages.success(request, f"{stored.team_name} is saved.")
    return redirect("teams:team", team_id)


def _change(team: Team, form: TeamForm, *, done: dict[str, Any]) -> Team:
    """Store it over the version that the form was made of."""
    if form.cleaned_data["version"] != team.version:
        stale = StaleVersion("Somebody changed this team in the meantime.")
        stale.stored = team
        raise stale
    after = services.changed(team, **form.of(team))
    return services.change_team(default_stores(), before=team, after=after, **done)


def _form(request: HttpRequest, team: Team, typed: Any) -> TeamForm:
    initial = {"team_name": team.team_name, "description": team.description, "version": team.version}
    if not allowed(signed_in_user(request), Permission.TEAM_DELETE, team):
        return TeamForm(typed, initial=initial)
    users = default_stores().users
    if typed is None:
        manager = users.find(team.manager_id)
        initial["manager_email"] = manager.email if manager else ""
    return LedTeamForm(typed, initial=initial, users=users)


def _stale_page(request: HttpRequest, stored: Team) -> HttpResponse:
    """What was typed, beside what is stored by now; saved again it goes over that."""
    typed = request.POST.copy()
    typed["version"] = str(stored.version)
    form = _form(request, stored, typed)
    form.is_valid()
    return _edit_page(request, stored, form, status=CONFLICT, is_stale=True)


def _edit_page(
    request: HttpRequest, team: Team, form: TeamForm, *, status: int, is_stale: bool = False
) -> HttpResponse:
    return render(request, "teams/edit.html", {"team": team, "form": form, "is_stale": is_stale}, status=status)


def _tell(form: TeamForm, error: DomainError) -> None:
    field = "manager_email" if error.field == "manager_id" else error.field
    form.add_error(field if field in form.fields else None, error.public_message)
