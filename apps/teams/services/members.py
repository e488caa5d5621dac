"""Who is in a team: added and removed in steps, each of which is whole and can be repeated.

A step writes the team with its new members, their memberships and the audit entry in one transaction. Where something
breaks between two steps, what was done is consistent, and the same call again does the rest.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from apps.accounts.entities import Role, User
from apps.audit.entities import Actor
from apps.storage.errors import Contention, StaleVersion
from apps.storage.writes import Write
from apps.teams.access import editable_team
from apps.teams.entities import MOST_MEMBERS, Team, TeamMembership
from apps.teams.errors import InvalidTeam
from apps.teams.services._rules import TOO_MANY, TRIES, members_to_be, object_of
from apps.teams.stores import Stores

STEP: Final = 40
"""People in a step: a membership and a check of the account for each, the team and the entry are below 100 items."""


def add_members(
    stores: Stores, *, team_id: str, user_ids: Iterable[str], by: User, actor: Actor, now: datetime
) -> Team:
    """Put these people into the team; who is in it already stays. Returns the team as stored.

    Raises `TeamNotFound` and `Forbidden`, and before anything is written `InvalidTeam`, with a finding for each person
    who cannot be in it, or past `MOST_MEMBERS`; `StaleVersion` or `Contention` where others never stop changing it.
    """
    wanted = list(dict.fromkeys(user_ids))
    team = editable_team(stores.teams, team_id=team_id, by=by)
    new = [user_id for user_id in wanted if user_id not in team.member_ids]
    if not new:
        return team
    if not team.is_active:
        raise InvalidTeam("This team is deactivated. An administrator can reactivate it.", field="user_ids")
    if len(team.member_ids) + len(new) > MOST_MEMBERS:
        raise InvalidTeam(TOO_MANY, field="user_ids")
    people = members_to_be(stores.users, new, manager_id=team.manager_id)

    def adding(team: Team, step: Sequence[str]) -> Team:
        new = [user_id for user_id in step if user_id not in team.member_ids]
        return _added(stores, team=team, people=[people[user_id] for user_id in new], actor=actor, now=now)

    return _in_steps(stores, new, adding, team=team, by=by)


def remove_members(
    stores: Stores, *, team_id: str, user_ids: Iterable[str], by: User, actor: Actor, now: datetime
) -> Team:
    """Take these people out of the team; who is not in it is passed over. Returns the team as stored.

    Raises `TeamNotFound` and `Forbidden`; `StaleVersion` or `Contention` where others never stop changing it.
    """
    wanted = list(dict.fromkeys(user_ids))
    team = editable_team(stores.teams, team_id=team_id, by=by)
    leaving = [user_id for user_id in wanted if user_id in team.member_ids]

    def removing(team: Team, step: Sequence[str]) -> Team:
        gone = [user_id for user_id in step if user_id in team.member_ids]
        return _removed(stores, team=team, user_ids=gone, actor=actor, now=now)

    return _in_steps(stores, leaving, removing, team=team, by=by)


def _in_steps(
    stores: Stores,
    user_ids: Sequence[str],
    change: Callable[[Team, Sequence[str]], Team],
    *,
    team: Team,
    by: User,
) -> Team:
    """Do it for `STEP` people at a time; where somebody else changed the team meanwhile, to the team as it is then."""
    for step in _slices(user_ids):
        lost: StaleVersion | Contention | None = None
        for _ in range(TRIES):
            try:
                team, lost = change(team, step), None
                break
            except (StaleVersion, Contention) as error:
                lost = error
                team = editable_team(stores.teams, team_id=team.team_id, by=by)
        if lost is not None:
            raise lost
    return team


def _added(stores: Stores, *, team: Team, people: Sequence[User], actor: Actor, now: datetime) -> Team:
    if not people:
        return team
    new = [user.user_id for user in people]
    if team.manager_id in new or not team.is_active:  # given to one of them, or put away, since this began
        raise InvalidTeam("The team was changed just now. Look at it, then try again.", field="user_ids")
    if len(team.member_ids) + len(new) > MOST_MEMBERS:
        raise InvalidTeam(TOO_MANY, field="user_ids")
    return stores.teams.save(
        team.with_members({*team.member_ids, *new}).evolve(updated_at=now),
        stores.audit.recording(
            object_of(team), action="team.members_added", actor=actor, at=now, after={"members": new}
        ),
        *(_membership(stores, team=team, user_id=user_id, actor=actor, now=now) for user_id in new),
        *(_demanding_member(stores, user) for user in people),
    )


def _removed(stores: Stores, *, team: Team, user_ids: Sequence[str], actor: Actor, now: datetime) -> Team:
    if not user_ids:
        return team
    left = team.member_ids.difference(user_ids)
    return stores.teams.save(
        team.with_members(left).evolve(updated_at=now),
        stores.audit.recording(
            object_of(team), action="team.members_removed", actor=actor, at=now, before={"members": list(user_ids)}
        ),
        *(stores.memberships.deleting((team.team_id, user_id)) for user_id in user_ids),
    )


def _membership(stores: Stores, *, team: Team, user_id: str, actor: Actor, now: datetime) -> Write:
    """Put over whatever is there: the team says who is in it, and a membership that it does not know is none."""
    return stores.memberships.putting(
        TeamMembership(team_id=team.team_id, user_id=user_id, created_at=now, updated_at=now, created_by=actor.actor_id)
    )


def _demanding_member(stores: Stores, user: User) -> Write:
    changed = InvalidTeam(f"The account of {user.name} was changed just now. Look at it, then try again.")
    return stores.users.demanding(user.user_id, Role.TEAM_MEMBER).otherwise(changed)


def _slices(user_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (user_ids[start : start + STEP] for start in range(0, len(user_ids), STEP))
