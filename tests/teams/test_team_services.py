"""Teams made, changed, given away and put away, and who may."""

from datetime import UTC, datetime

import pytest

from apps.accounts.entities import Role
from apps.accounts.repository import Users
from apps.audit.repository import AuditLog
from apps.errors import Forbidden, NotFound
from apps.storage.errors import AlreadyExists, Duplicate, StaleVersion
from apps.teams import services
from apps.teams.errors import InvalidTeam, TeamNotFound
from apps.teams.stores import stores_on
from tests.policy_runs.web import member
from tests.seasons import admin, manager, team_member, team_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def stores(store):
    return stores_on(store)


def done_by(user):
    return {"by": user, "actor": user.acting("192.0.2.1"), "now": NOW}


def test_an_administrator_makes_a_team_for_a_manager(store, stores):
    ada, mona = admin(store), manager(store)
    team = services.create_team(
        stores, team_name="  Harbour ", description="Boats.", manager_id=mona.user_id, **done_by(ada)
    )
    stored = stores.teams.get(team.team_id, consistent=True)
    assert stored == team
    assert (stored.team_name, stored.description, stored.manager_id) == ("Harbour", "Boats.", mona.user_id)
    assert (stored.member_ids, stored.member_count, stored.created_by) == (frozenset(), 0, ada.user_id)
    assert stored.unsettled is None, "nobody is in it, so nobody has anything to follow"
    (entry,) = AuditLog(store).of(f"Teams#{team.team_id}").items
    assert (entry.action, entry.after["manager_id"]) == ("team.created", mona.user_id)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN}))
def test_nobody_else_makes_one(store, stores, role):
    mona = manager(store)
    with pytest.raises(NotFound):
        services.create_team(stores, team_name="X", manager_id=mona.user_id, **done_by(member(store, role)))


def test_a_team_without_a_name_or_with_an_endless_description_is_refused_beside_its_field(store, stores):
    by = done_by(admin(store))
    mona = manager(store)
    with pytest.raises(InvalidTeam) as nameless:
        services.create_team(stores, team_name=" ", manager_id=mona.user_id, **by)
    assert (nameless.value.field, nameless.value.message) == ("team_name", "Enter a name of at most 100 characters.")
    with pytest.raises(InvalidTeam) as endless:
        services.create_team(stores, team_name="X", description="x" * 2001, manager_id=mona.user_id, **by)
    assert endless.value.field == "description"


def test_who_leads_a_team_is_active_and_a_manager_and_the_refusal_says_what_to_do(store, stores):
    ada = admin(store)
    gone = Users(store).save(manager(store, "Gus Gone").evolve(is_active=False))
    told = {
        team_member(store).user_id: "Timo Member does not have the role manager. An administrator can give it.",
        gone.user_id: "Gus Gone is deactivated. An administrator can reactivate the account.",
        "nobody": "There is no such person.",
        "": "There is no such person.",
    }
    for user_id, sentence in told.items():
        with pytest.raises(InvalidTeam, match=sentence) as refused:
            services.create_team(stores, team_name="X", manager_id=user_id, **done_by(ada))
        assert refused.value.field == "manager_id"
    assert not stores.teams.listed().items


def test_a_manager_has_each_team_name_once_whatever_its_case_and_another_manager_may_have_it_too(store, stores):
    ada, mona, max_ = admin(store), manager(store), manager(store, "Max Manager")
    services.create_team(stores, team_name="Harbour", manager_id=mona.user_id, **done_by(ada))
    with pytest.raises(Duplicate) as taken:
        services.create_team(stores, team_name="HARBOUR", manager_id=mona.user_id, **done_by(ada))
    assert taken.value.field == "team_name"
    other = services.create_team(stores, team_name="Harbour", manager_id=max_.user_id, **done_by(ada))
    with pytest.raises(Duplicate):
        services.give_to(stores, team_id=other.team_id, manager_id=mona.user_id, **done_by(ada))


def test_an_id_that_is_taken_makes_no_second_team(store, stores):
    ada, mona = admin(store), manager(store)
    services.create_team(stores, team_name="Harbour", manager_id=mona.user_id, team_id="t-1", **done_by(ada))
    with pytest.raises(AlreadyExists):
        services.create_team(stores, team_name="Yard", manager_id=mona.user_id, team_id="t-1", **done_by(ada))


def test_the_manager_changes_name_and_description_and_the_entry_says_what(store, stores):
    mona = manager(store)
    team = team_of(store, mona, team_member(store))
    after = team.evolve(team_name="Shipyard", description="Ships.", member_ids=frozenset())
    saved = services.change_team(stores, before=team, after=after, **done_by(mona))
    assert (saved.team_name, saved.description, saved.updated_at) == ("Shipyard", "Ships.", NOW)
    assert saved.member_ids == team.member_ids, "who is in it is none of this service's business"
    assert saved.unsettled is None, "a name is nothing to follow"
    entry = AuditLog(store).of(f"Teams#{team.team_id}").items[0]
    assert entry.action == "team.changed"
    assert entry.before == {"team_name": "Harbour", "description": ""}
    assert entry.after == {"team_name": "Shipyard", "description": "Ships."}


def test_nothing_changed_writes_nothing(store, stores, costs):
    mona = manager(store)
    team = team_of(store, mona)
    with costs(writes=0):
        assert services.change_team(stores, before=team, after=team, **done_by(mona)) == team


def test_the_second_of_two_who_edit_a_name_is_told_and_nothing_is_lost(store, stores):
    mona = manager(store)
    team = team_of(store, mona)
    first = services.change_team(stores, before=team, after=team.evolve(team_name="First"), **done_by(mona))
    with pytest.raises(StaleVersion) as stale:
        services.change_team(stores, before=team, after=team.evolve(team_name="Second"), **done_by(mona))
    assert stale.value.stored == first


def test_only_an_administrator_gives_a_team_away_or_puts_it_away(store, stores):
    mona, timo = manager(store), team_member(store)
    team = team_of(store, mona, timo)
    other = manager(store, "Max Manager")
    deeds = (
        lambda who: services.give_to(stores, team_id=team.team_id, manager_id=other.user_id, **done_by(who)),
        lambda who: services.deactivate_team(stores, team_id=team.team_id, **done_by(who)),
        lambda who: services.change_team(
            stores, before=team, after=team.evolve(team_name="N", manager_id=other.user_id), **done_by(who)
        ),
    )
    for deed in deeds:
        for who in (mona, timo):
            with pytest.raises(Forbidden):
                deed(who)
        with pytest.raises(NotFound):
            deed(other)
    assert stores.teams.get(team.team_id, consistent=True) == team


def test_a_team_that_is_given_away_has_to_be_followed(store, stores):
    ada, mona, max_ = admin(store), manager(store), manager(store, "Max Manager")
    team = team_of(store, mona, team_member(store))
    given = services.give_to(stores, team_id=team.team_id, manager_id=max_.user_id, **done_by(ada))
    assert (given.manager_id, given.unsettled) == (max_.user_id, "yes")
    assert stores.teams.unsettled(limit=10) == [team.team_id]
    entry = AuditLog(store).of(f"Teams#{team.team_id}").items[0]
    assert (entry.action, entry.before, entry.after) == (
        "team.given",
        {"manager_id": mona.user_id},
        {"manager_id": max_.user_id},
    )
    again = services.give_to(stores, team_id=team.team_id, manager_id=max_.user_id, **done_by(ada))
    assert again.version == given.version


def test_nobody_leads_a_team_they_are_in(store, stores):
    ada, both = admin(store), member(store, Role.MANAGER, Role.TEAM_MEMBER, name="Bo Both")
    team = team_of(store, manager(store), both)
    with pytest.raises(InvalidTeam, match="Remove them from the team first") as refused:
        services.give_to(stores, team_id=team.team_id, manager_id=both.user_id, **done_by(ada))
    assert refused.value.field == "manager_id"


def test_a_team_is_put_away_and_taken_out_again_and_keeps_its_members(store, stores):
    ada, mona = admin(store), manager(store)
    team = team_of(store, mona, team_member(store))
    away = services.deactivate_team(stores, team_id=team.team_id, **done_by(ada))
    assert (away.is_active, away.member_ids) == (False, team.member_ids)
    Users(store).save(mona.evolve(is_active=False))
    with pytest.raises(InvalidTeam, match="Mona Manager is deactivated"):
        services.reactivate_team(stores, team_id=team.team_id, **done_by(ada))
    max_ = manager(store, "Max Manager")
    services.give_to(stores, team_id=team.team_id, manager_id=max_.user_id, **done_by(ada))
    back = services.reactivate_team(stores, team_id=team.team_id, **done_by(ada))
    assert (back.is_active, back.manager_id, back.member_ids) == (True, max_.user_id, team.member_ids)
    actions = [entry.action for entry in AuditLog(store).of(f"Teams#{team.team_id}").items]
    assert actions == ["team.reactivated", "team.given", "team.deactivated"]


def test_giving_a_team_away_is_not_in_the_way_of_who_changes_it_meanwhile(store, stores, in_threads):
    ada, mona, max_ = admin(store), manager(store), manager(store, "Max Manager")
    people = [team_member(store, f"Person {number}") for number in range(4)]
    team = team_of(store, mona)

    def change(at):
        if at == 0:
            services.give_to(stores, team_id=team.team_id, manager_id=max_.user_id, **done_by(ada))
        else:
            services.add_members(stores, team_id=team.team_id, user_ids=[people[at].user_id], **done_by(ada))

    in_threads(4, change)
    found = stores.teams.get(team.team_id, consistent=True)
    assert found.manager_id == max_.user_id
    assert found.member_ids == {person.user_id for person in people[1:]}


def test_a_team_that_is_not_there_and_one_that_is_hidden_are_the_same(store, stores):
    team = team_of(store, manager(store))
    stranger = manager(store, "Stan Stranger")
    for team_id in (team.team_id, "nothing", "", "x" * 100):
        with pytest.raises(TeamNotFound):
            services.add_members(stores, team_id=team_id, user_ids=["x"], **done_by(stranger))
