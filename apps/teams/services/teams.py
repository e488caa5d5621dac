"""Teams made, changed, given to another manager, deactivated and reactivated."""

import uuid
from datetime import datetime

from pydantic import ValidationError

from apps.accounts.entities import User
from apps.accounts.permissions import Permission, require
from apps.audit.entities import Actor
from apps.storage.errors import Contention, StaleVersion
from apps.teams.access import visible_team
from apps.teams.entities import Team
from apps.teams.errors import InvalidTeam
from apps.teams.services._rules import TRIES, changed, demanding_manager, object_of, told
from apps.teams.stores import Stores

CHANGEABLE = ("team_name", "description", "manager_id", "is_active")
FOR_ADMINISTRATORS = frozenset({"manager_id", "is_active"})


def create_team(
    stores: Stores,
    *,
    team_name: str,
    manager_id: str,
    by: User,
    actor: Actor,
    now: datetime,
    description: str = "",
    team_id: str | None = None,
) -> Team:
    """Store a new team, nobody in it yet.

    Raises `NotFound` and `Forbidden`, `InvalidTeam` (with its field), `Duplicate` (field `team_name`) where this
    manager has a team of this name, `AlreadyExists` for a `team_id` that is taken.
    """
    require(by, Permission.TEAM_CREATE)
    try:
        team = Team(
            team_id=team_id or str(uuid.uuid4()),
            team_name=team_name,
            description=description,
            manager_id=manager_id,
            created_at=now,
            updated_at=now,
            created_by=actor.actor_id,
        )
    except ValidationError as error:
        raise told(error) from None
    demand = demanding_manager(stores.users, user_id=manager_id)
    after = {"team_name": team.team_name, "description": team.description, "manager_id": manager_id}
    entry = stores.audit.recording(object_of(team), action="team.created", actor=actor, at=now, after=after)
    return stores.teams.add(team, entry, demand)


def change_team(stores: Stores, *, before: Team, after: Team, by: User, actor: Actor, now: datetime) -> Team:
    """Store name, description, manager and activity as they are in `after`; nothing else of it is looked at.

    `before` is the whole team as whoever changes it saw it. Manager and activity are for administrators. Raises
    `NotFound` and `Forbidden`, `InvalidTeam` and `Duplicate` (with their fields), `StaleVersion`.
    """
    require(by, Permission.TEAM_EDIT, before)
    changes = {name: getattr(after, name) for name in CHANGEABLE if getattr(after, name) != getattr(before, name)}
    if not changes:
        return before
    if FOR_ADMINISTRATORS & changes.keys():
        require(by, Permission.TEAM_DELETE, before)
    team = changed(before, **changes, updated_at=now)
    demands = []
    if "manager_id" in changes or changes.get("is_active"):
        if team.manager_id in team.member_ids:
            leaves = "Remove them from the team first: nobody leads a team they are in."
            raise InvalidTeam(f"The new manager is a member of this team. {leaves}", field="manager_id")
        demands.append(demanding_manager(stores.users, user_id=team.manager_id))
        team = team.evolve(unsettled="yes")
    entry = stores.audit.recording(
        object_of(team),
        action=_action(before, team),
        actor=actor,
        at=now,
        before={name: getattr(before, name) for name in changes},
        after=changes,
    )
    return stores.teams.save(team, entry, *demands)


def give_to(stores: Stores, *, team_id: str, manager_id: str, by: User, actor: Actor, now: datetime) -> Team:
    """Let another manager lead the team. Raises what `change_team` raises, but for `StaleVersion`: it tries again."""
    return _changed_whatever_else(stores, team_id=team_id, manager_id=manager_id, by=by, actor=actor, now=now)


def deactivate_team(stores: Stores, *, team_id: str, by: User, actor: Actor, now: datetime) -> Team:
    """Put the team away: nobody is added and no plan begun any more. Raises what `give_to` raises."""
    return _changed_whatever_else(stores, team_id=team_id, is_active=False, by=by, actor=actor, now=now)


def reactivate_team(stores: Stores, *, team_id: str, by: User, actor: Actor, now: datetime) -> Team:
    """Take the team out again, where its manager may still lead one. Raises what `give_to` raises."""
    return _changed_whatever_else(stores, team_id=team_id, is_active=True, by=by, actor=actor, now=now)


def _changed_whatever_else(
    stores: Stores, *, team_id: str, by: User, actor: Actor, now: datetime, **changes: object
) -> Team:
    lost: StaleVersion | Contention
    for _ in range(TRIES):
        before = visible_team(stores.teams, team_id=team_id, by=by)
        try:
            return change_team(stores, before=before, after=changed(before, **changes), by=by, actor=actor, now=now)
        except (StaleVersion, Contention) as error:
            lost = error
    raise lost


def _action(before: Team, after: Team) -> str:
    if before.is_active != after.is_active:
        return "team.reactivated" if after.is_active else "team.deactivated"
    return "team.changed" if before.manager_id == after.manager_id else "team.given"
