"""Teams and their people as pages show them, in as few requests as the answer needs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from apps.accounts.entities import Role, User
from apps.accounts.permissions import Permission, allowed
from apps.teams.entities import Team
from apps.teams.repository import MOST_OF_ONE_PERSON
from apps.teams.stores import Stores

MOST_SUGGESTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTeam:
    """A row of a list: a team and its manager's name, empty where the list does not tell it."""

    team: Team
    manager_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTeams:
    """The teams that somebody leads and those they are in, by name; `is_cut` where they have more than are read."""

    led: Sequence[ShownTeam] = ()
    joined: Sequence[ShownTeam] = ()
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """A team's manager, None where the account is gone, and its members by name."""

    manager: User | None
    members: Sequence[User]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Somebody who may be added to a team: chosen already, or why they cannot be chosen."""

    person: User
    is_chosen: bool = False
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picker:
    """What was searched for, whether anybody was found, and whom one may choose now.

    `has_more` says that a longer beginning would tell more people apart.
    """

    prefix: str = ""
    choices: Sequence[Choice] = ()
    found: bool = False
    has_more: bool = False


def with_managers(stores: Stores, teams: Iterable[Team]) -> list[ShownTeam]:
    """The teams with their managers' names, in one batch."""
    teams = list(teams)
    names = _names(stores, {team.manager_id for team in teams})
    return [ShownTeam(team=team, manager_name=names.get(team.manager_id, "")) for team in teams]


def own_teams(stores: Stores, user: User) -> OwnTeams:
    """The teams of this person, as far as their roles let them see these: at most three requests.

    Managers' names are one of them, and left out for who leads teams besides.
    """
    leads, joins = Role.MANAGER in user.roles, Role.TEAM_MEMBER in user.roles
    led = stores.teams.managed_by(user.user_id) if leads else []
    memberships = stores.memberships.of(user.user_id) if joins else []
    found = stores.teams.get_many([one.team_id for one in memberships])
    joined = sorted(
        (team for team in found if allowed(user, Permission.TEAM_SEE, team)), key=lambda team: team.name_key
    )
    return OwnTeams(
        led=[ShownTeam(team=team) for team in led],
        joined=[ShownTeam(team=team) for team in joined] if leads else with_managers(stores, joined),
        is_cut=MOST_OF_ONE_PERSON in {len(led), len(memberships)},
    )


def people_of(stores: Stores, team: Team, *, reader: User) -> People:
    """Manager and members, in one batch of keys; the reader is known already."""
    wanted = {team.manager_id, *team.member_ids} - {reader.user_id}
    found = {user.user_id: user for user in stores.users.get_many(sorted(wanted))} | {reader.user_id: reader}
    members = [found[user_id] for user_id in team.member_ids if user_id in found]
    return People(
        manager=found.get(team.manager_id),
        members=sorted(members, key=lambda user: (user.name_key, user.email)),
    )


def picker_for(stores: Stores, team: Team, *, prefix: str, chosen: Sequence[str]) -> Picker:
    """Whom one may add: those chosen already first, then whose name begins as was typed; at most two requests."""
    wanted = [user_id for user_id in dict.fromkeys(chosen) if user_id not in team.member_ids]
    found = stores.users.get_many(wanted)
    people = [user for user in found if user.is_active and Role.TEAM_MEMBER in user.roles]  # whom the search finds
    kept = [Choice(person=user, is_chosen=True) for user in people]
    if not prefix:
        return Picker(choices=kept)
    page = stores.users.with_role(Role.TEAM_MEMBER, prefix, limit=MOST_SUGGESTED)
    known = {choice.person.user_id for choice in kept}
    more = [Choice(person=user, why_not=_why_not(user, team)) for user in page.items if user.user_id not in known]
    return Picker(prefix=prefix, choices=[*kept, *more], found=bool(page.items), has_more=page.next is not None)


def _why_not(user: User, team: Team) -> str:
    if user.user_id in team.member_ids:
        return "in this team"
    return "leads this team" if user.user_id == team.manager_id else ""


def _names(stores: Stores, user_ids: Iterable[str]) -> Mapping[str, str]:
    return {user.user_id: user.name for user in stores.users.get_many(sorted(user_ids))}
