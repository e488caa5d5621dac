"""Who is in a team: added and removed in steps, by several at once, and never half."""

from datetime import UTC, datetime

import pytest

from apps.accounts.entities import Role
from apps.accounts.repository import Users
from apps.audit.repository import AuditLog
from apps.errors import Forbidden
from apps.storage.conditions import Query
from apps.storage.errors import StoreUnavailable
from apps.storage.metering import metering
from apps.teams import services
from apps.teams.entities import MOST_MEMBERS
from apps.teams.errors import InvalidTeam
from apps.teams.services.members import STEP
from apps.teams.stores import stores_on
from apps.teams.wiring import after_change
from tests.policy_runs.conftest import person
from tests.policy_runs.web import member
from tests.seasons import admin, manager, team_member, team_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def stores(store):
    return stores_on(store)


def done_by(user):
    return {"by": user, "actor": user.acting("192.0.2.1"), "now": NOW}


def people(store, number):
    users = [person(Role.TEAM_MEMBER, name=f"Person {at:03}") for at in range(number)]
    return [Users(store).add(user) for user in users]


def ids(users):
    return [user.user_id for user in users]


def memberships(stores, team):
    return {one.user_id for one in stores.memberships.stream(Query(partition=team.team_id), consistent=True)}


def expect_equal(stores, team):
    """The team as stored, once its members and its memberships say the same."""
    stored = stores.teams.get(team.team_id, consistent=True)
    assert memberships(stores, team) == stored.member_ids
    assert stored.member_count == len(stored.member_ids)
    return stored


def test_people_are_in_the_team_and_the_team_is_among_theirs(store, stores):
    mona = manager(store)
    team, (bea, carl) = team_of(store, mona), people(store, 2)
    saved = services.add_members(stores, team_id=team.team_id, user_ids=ids([bea, carl]), **done_by(mona))
    assert expect_equal(stores, team) == saved
    assert (saved.member_ids, saved.unsettled) == ({bea.user_id, carl.user_id}, "yes")
    (membership,) = stores.memberships.of(bea.user_id)
    found = stores.memberships.get((team.team_id, bea.user_id))
    assert (membership.team_id, found.created_at, found.created_by) == (team.team_id, NOW, mona.user_id)
    (entry,) = AuditLog(store).of(f"Teams#{team.team_id}").items
    assert (entry.action, entry.after) == ("team.members_added", {"members": ids([bea, carl])})


def test_adding_again_changes_nothing(store, stores, costs):
    mona = manager(store)
    team, new = team_of(store, mona), people(store, 3)
    once = services.add_members(stores, team_id=team.team_id, user_ids=ids(new), **done_by(mona))
    with costs(writes=0):
        again = services.add_members(stores, team_id=team.team_id, user_ids=ids([*new, *new]), **done_by(mona))
    assert again == once


def test_many_come_in_steps_each_of_one_transaction(store, stores):
    mona = manager(store)
    team, new = team_of(store, mona), people(store, 2 * STEP + 5)
    with metering() as cost:
        saved = services.add_members(stores, team_id=team.team_id, user_ids=ids(new), **done_by(mona))
    writes = [number for (operation, _), number in cost.requests.items() if "write" in operation]
    assert sum(writes) == 3
    assert len(expect_equal(stores, team).member_ids) == saved.member_count == 2 * STEP + 5
    assert len(AuditLog(store).of(f"Teams#{team.team_id}").items) == 3


def test_a_step_that_breaks_leaves_a_whole_team_and_the_same_again_does_the_rest(store, stores, monkeypatch):
    mona = manager(store)
    team, new = team_of(store, mona), people(store, STEP + 3)
    real, calls = type(store).call, []

    def breaking(self, operation, **request):
        if operation == "transact_write_items":
            calls.append(operation)
            if len(calls) == 2:
                raise StoreUnavailable("The store does not answer.")
        return real(self, operation, **request)

    monkeypatch.setattr(type(store), "call", breaking)
    with pytest.raises(StoreUnavailable):
        services.add_members(stores, team_id=team.team_id, user_ids=ids(new), **done_by(mona))
    assert len(expect_equal(stores, team).member_ids) == STEP
    services.add_members(stores, team_id=team.team_id, user_ids=ids(new), **done_by(mona))
    assert len(expect_equal(stores, team).member_ids) == STEP + 3


def test_two_who_add_at_once_both_succeed_and_none_is_lost(store, stores, in_threads):
    ada, mona = admin(store), manager(store)
    team, new = team_of(store, mona), people(store, 40)

    def add(at):
        half = ids(new)[at * 20 : at * 20 + 25]  # some of them by both
        services.add_members(stores, team_id=team.team_id, user_ids=half, **done_by((ada, mona)[at]))

    in_threads(2, add)
    assert expect_equal(stores, team).member_ids == set(ids(new))


def test_six_who_add_and_remove_one_by_one_leave_the_two_sides_equal(store, stores, in_threads):
    mona = manager(store)
    stay = people(store, 3)
    team, new = team_of(store, mona, *stay), people(store, 3)

    def change(at):
        if at < 3:
            services.add_members(stores, team_id=team.team_id, user_ids=[new[at].user_id], **done_by(mona))
        else:
            services.remove_members(stores, team_id=team.team_id, user_ids=[stay[at - 3].user_id], **done_by(mona))

    in_threads(6, change)
    assert expect_equal(stores, team).member_ids == set(ids(new))


def test_who_cannot_be_a_member_is_named_and_nobody_is_added(store, stores):
    mona = manager(store)
    team, (bea, *_) = team_of(store, mona), people(store, 1)
    olga = member(store, Role.OPERATOR)
    gone = Users(store).save(team_member(store, "Gus Gone").evolve(is_active=False))
    wanted = [bea.user_id, olga.user_id, gone.user_id, "nobody", mona.user_id]
    with pytest.raises(InvalidTeam) as refused:
        services.add_members(stores, team_id=team.team_id, user_ids=wanted, **done_by(mona))
    told = {finding["value"]: finding["message"] for finding in refused.value.details()}
    assert told == {
        olga.user_id: "Olga Operator does not have the role team member. An administrator can give it.",
        gone.user_id: "Gus Gone is deactivated. An administrator can reactivate the account.",
        "nobody": "There is no such person. Choose somebody who is here already, or ask an administrator to add them.",
        mona.user_id: "Mona Manager leads this team, and so cannot be in it. Give the team to another manager first.",
    }
    assert "3 more" in refused.value.message
    assert expect_equal(stores, team).member_ids == set()


def test_an_account_that_is_deactivated_at_that_moment_is_not_added(store, stores, monkeypatch):
    mona = manager(store)
    team, (bea,) = team_of(store, mona), people(store, 1)
    real = services.members.members_to_be

    def slow(users, user_ids, **more):
        found = real(users, user_ids, **more)
        users.save(users.get(bea.user_id, consistent=True).evolve(is_active=False))
        return found

    monkeypatch.setattr(services.members, "members_to_be", slow)
    with pytest.raises(InvalidTeam, match="Person 000 was changed just now"):
        services.add_members(stores, team_id=team.team_id, user_ids=[bea.user_id], **done_by(mona))
    assert expect_equal(stores, team).member_ids == set()


def test_a_team_is_never_larger_than_it_may_be(store, stores):
    mona = manager(store)
    team, new = team_of(store, mona, *people(store, 3)), people(store, 1)
    too_many = [*ids(new), *(f"u-{number}" for number in range(MOST_MEMBERS - 3))]
    with pytest.raises(InvalidTeam, match=f"at most {MOST_MEMBERS} members"):
        services.add_members(stores, team_id=team.team_id, user_ids=too_many, **done_by(mona))
    assert expect_equal(stores, team).member_count == 3


def test_nobody_is_added_to_a_team_that_was_put_away_but_somebody_may_leave_it(store, stores):
    ada, mona = admin(store), manager(store)
    timo, (bea,) = team_member(store), people(store, 1)
    team = team_of(store, mona, timo)
    services.deactivate_team(stores, team_id=team.team_id, **done_by(ada))
    with pytest.raises(InvalidTeam, match="deactivated"):
        services.add_members(stores, team_id=team.team_id, user_ids=[bea.user_id], **done_by(mona))
    services.remove_members(stores, team_id=team.team_id, user_ids=[timo.user_id], **done_by(mona))
    assert expect_equal(stores, team).member_ids == set()


def test_who_leaves_is_on_neither_side_even_if_their_account_is_gone(store, stores, costs):
    mona, timo, bea = manager(store), team_member(store), team_member(store, "Bea Member")
    team = team_of(store, mona, timo, bea)
    Users(store).delete(Users(store).get(timo.user_id))
    left = services.remove_members(stores, team_id=team.team_id, user_ids=[timo.user_id, "nobody"], **done_by(mona))
    assert (expect_equal(stores, team).member_ids, left.unsettled) == ({bea.user_id}, "yes")
    (entry,) = AuditLog(store).of(f"Teams#{team.team_id}").items
    assert (entry.action, entry.before) == ("team.members_removed", {"members": [timo.user_id]})
    with costs(writes=0):
        services.remove_members(stores, team_id=team.team_id, user_ids=[timo.user_id], **done_by(mona))


def test_a_member_sees_the_team_and_changes_nobody(store, stores):
    timo, (bea,) = team_member(store), people(store, 1)
    team = team_of(store, manager(store), timo)
    for service in (services.add_members, services.remove_members):
        with pytest.raises(Forbidden):
            service(stores, team_id=team.team_id, user_ids=[bea.user_id], **done_by(timo))


FOLLOWED = []


def follow(team_id, *, now):
    FOLLOWED.append((team_id, now))


def unable(team_id, *, now):
    raise StoreUnavailable(f"Not now: {team_id} at {now}.")


def test_who_follows_a_change_hears_of_it_and_what_they_cannot_do_is_logged(settings, caplog):
    here = f"{__name__}"
    settings.TEAMS = {"AFTER_CHANGE": [f"{here}.unable", f"{here}.follow"]}
    FOLLOWED.clear()
    after_change("t-1", now=NOW)
    assert FOLLOWED == [("t-1", NOW)]
    assert "could not follow team t-1 yet: Not now" in caplog.text
