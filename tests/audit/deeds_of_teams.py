"""What is done to teams."""

from typing import Any

from apps.accounts.entities import Role
from apps.teams import services
from apps.teams.entities import Team
from apps.teams.stores import Stores, stores_on
from apps.teams.team_sheet import MembershipRow
from tests.audit.deeds import Deed, World
from tests.policy_runs.conftest import person
from tests.seasons import manager, team_member, team_of


def teams_of(world: World) -> Stores:
    return stores_on(world.stores.store)


def by(world: World) -> dict[str, Any]:
    return {**world.by, "by": world.ada}


def the_team(world: World) -> Team:
    """The only one there is."""
    (team,) = teams_of(world).teams.listed().items
    return teams_of(world).teams.get(team.team_id, consistent=True)


def of_team(world: World) -> str:
    return f"Teams#{the_team(world).team_id}"


def made(w: World) -> None:
    services.create_team(teams_of(w), team_name="Harbour", manager_id=manager(w.stores.store).user_id, **by(w))


def there(w: World) -> Team:
    store = w.stores.store
    return team_of(store, manager(store), team_member(store))


def changed(w: World) -> None:
    team = there(w)
    services.change_team(teams_of(w), before=team, after=team.evolve(team_name="Yard"), **by(w))


def given(w: World) -> None:
    other = w.users.add(person(Role.MANAGER, name="Max Manager"))
    services.give_to(teams_of(w), team_id=there(w).team_id, manager_id=other.user_id, **by(w))


def put_away(w: World) -> None:
    services.deactivate_team(teams_of(w), team_id=there(w).team_id, **by(w))


def taken_out(w: World) -> None:
    put_away(w)
    services.reactivate_team(teams_of(w), team_id=the_team(w).team_id, **by(w))


def joined(w: World) -> None:
    bea = w.users.add(person(Role.TEAM_MEMBER, name="Bea Member"))
    services.add_members(teams_of(w), team_id=there(w).team_id, user_ids=[bea.user_id], **by(w))


def left(w: World) -> None:
    team = there(w)
    services.remove_members(teams_of(w), team_id=team.team_id, user_ids=team.member_ids, **by(w))


def imported(w: World) -> None:
    mona = manager(w.stores.store)
    row = MembershipRow(line=2, team_name="Yard", manager_email=mona.email, member_email="", description="")
    plan, _ = services.plan_teams(teams_of(w), [row])
    services.import_teams(teams_of(w), plan=plan, followed=lambda _: None, **by(w))


DEEDS = [
    Deed(services.import_teams, imported, of_team, "team.created", {}, {"team_name": "Yard"}),
    Deed(services.create_team, made, of_team, "team.created", {}, {"team_name": "Harbour"}),
    Deed(services.change_team, changed, of_team, "team.changed", {"team_name": "Harbour"}, {"team_name": "Yard"}),
    Deed(services.give_to, given, of_team, "team.given"),
    Deed(services.deactivate_team, put_away, of_team, "team.deactivated", {"is_active": True}, {"is_active": False}),
    Deed(services.reactivate_team, taken_out, of_team, "team.reactivated", {"is_active": False}, {"is_active": True}),
    Deed(services.add_members, joined, of_team, "team.members_added", {}),
    Deed(services.remove_members, left, of_team, "team.members_removed", None, {}),
]
