"""The API of teams and their members."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from apps.accounts.entities import LONGEST_NAME, User, folded
from apps.accounts.middleware import done_by, signed_in_user
from apps.accounts.permissions import Permission, allowed
from apps.api_shapes import CHANGING, READING, CursorText
from apps.errors import NotFound
from apps.storage.errors import StaleVersion
from apps.teams import services
from apps.teams.access import MAY_HAVE_TEAMS, editable_team, visible_team
from apps.teams.entities import Team
from apps.teams.schemas import (
    TeamChangeIn,
    TeamDetailOut,
    TeamIn,
    TeamMembersIn,
    TeamMembersOut,
    TeamPageOut,
    member_out,
    team_detail_out,
    team_out,
)
from apps.teams.showing import own_teams, people_of
from apps.teams.wiring import after_change, default_stores

router = Router(tags=["teams"], by_alias=True)

Prefix = Annotated[str, Field(max_length=LONGEST_NAME)]


@router.get("", response={200: TeamPageOut, **READING}, summary="List teams by name")
def list_teams(
    request: HttpRequest,
    prefix: Prefix = "",
    mine: bool = False,  # noqa: FBT001, FBT002  (a query parameter)
    cursor: CursorText = None,
) -> TeamPageOut:
    """Those whose name begins with `prefix`: all for administrators, for others (or with `mine`) their own.

    One's own are the teams one leads and those one is in, on one page.
    """
    reader = signed_in_user(request)
    if reader.roles.isdisjoint(MAY_HAVE_TEAMS):
        raise NotFound("There is no such page, or you may not see it.")
    if mine or not allowed(reader, Permission.TEAM_SEE):
        return _own(reader, prefix)
    page = default_stores().teams.listed(prefix, cursor=cursor)
    return TeamPageOut(items=[team_out(team) for team in page.items], next=page.next, previous=page.previous)


@router.post("", response={201: TeamDetailOut, **CHANGING}, summary="Make a team")
def create_team(request: HttpRequest, body: TeamIn) -> Status[TeamDetailOut]:
    """For administrators. A manager has each name once (409)."""
    team = services.create_team(default_stores(), **body.model_dump(), **done_by(request))
    return Status(201, team_detail_out(team))


@router.get("/{team_id}", response={200: TeamDetailOut, **READING}, summary="Get a team")
def get_team(request: HttpRequest, team_id: str) -> TeamDetailOut:
    """The team as it is now."""
    return team_detail_out(visible_team(default_stores().teams, team_id=team_id, by=signed_in_user(request)))


@router.patch("/{team_id}", response={200: TeamDetailOut, **CHANGING}, summary="Change a team")
def change_team(request: HttpRequest, team_id: str, body: TeamChangeIn) -> TeamDetailOut:
    """Name and description; for administrators also who leads it and whether it is active."""
    stores, done = default_stores(), done_by(request)
    before = editable_team(stores.teams, team_id=team_id, by=done["by"])
    if before.version != body.version:
        raise StaleVersion("Somebody changed this team in the meantime. Read it again, then repeat your change.")
    changes = {name: value for name, value in body.model_dump(exclude={"version"}).items() if value is not None}
    stored = services.change_team(stores, before=before, after=services.changed(before, **changes), **done)
    return team_detail_out(_followed(stored, done) if stored.unsettled else stored)


@router.delete("/{team_id}", response={204: None, **CHANGING}, summary="Deactivate a team")
def delete_team(request: HttpRequest, team_id: str) -> Status[None]:
    """For administrators. A team is never lost: it is inactive from now on, and `isActive` brings it back."""
    services.deactivate_team(default_stores(), team_id=team_id, **done_by(request))
    return Status(204, None)


@router.get("/{team_id}/members", response={200: TeamMembersOut, **READING}, summary="List a team's members")
def list_members(request: HttpRequest, team_id: str) -> TeamMembersOut:
    """All of them, by name; addresses only for who may edit the team."""
    stores, reader = default_stores(), signed_in_user(request)
    team = visible_team(stores.teams, team_id=team_id, by=reader)
    with_email = allowed(reader, Permission.TEAM_EDIT, team)
    members = people_of(stores, team, reader=reader).members
    return TeamMembersOut(items=[member_out(user, with_email=with_email) for user in members])


@router.post("/{team_id}/members", response={200: TeamDetailOut, **CHANGING}, summary="Add members")
def add_members(request: HttpRequest, team_id: str, body: TeamMembersIn) -> TeamDetailOut:
    """Active people with the role team member. Where one of them cannot be added, nobody is (422)."""
    done = done_by(request)
    stored = services.add_members(default_stores(), team_id=team_id, user_ids=body.user_ids, **done)
    return team_detail_out(_followed(stored, done))


@router.delete("/{team_id}/members/{user_id}", response={204: None, **CHANGING}, summary="Remove a member")
def remove_member(request: HttpRequest, team_id: str, user_id: str) -> Status[None]:
    """204 also where they are not in it."""
    done = done_by(request)
    services.remove_members(default_stores(), team_id=team_id, user_ids=[user_id], **done)
    after_change(team_id, now=done["now"])
    return Status(204, None)


def _own(reader: User, prefix: str) -> TeamPageOut:
    own = own_teams(default_stores(), reader)
    begins = folded(prefix)
    teams = [row.team for row in (*own.led, *own.joined) if row.team.name_key.startswith(begins)]
    teams.sort(key=lambda team: team.name_key)
    return TeamPageOut(items=[team_out(team) for team in teams], next=None, previous=None)


def _followed(team: Team, done: dict[str, Any]) -> Team:
    """The team once those have followed who stand above: that makes another version of it."""
    after_change(team.team_id, now=done["now"])
    return default_stores().teams.get(team.team_id, consistent=True)
