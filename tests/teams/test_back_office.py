"""Teams and memberships in the back office."""

import re

import pytest

from apps.audit.repository import AuditLog
from apps.teams.repository import Memberships, Teams
from tests.policy_runs.web import browser
from tests.seasons import admin, manager, team_member, team_of


@pytest.fixture
def adas(store):
    return browser(admin(store))


@pytest.fixture
def mona(store):
    return manager(store)


@pytest.fixture
def team(store, mona):
    return team_of(store, mona, team_member(store))


def stored(store, team):
    return Teams(store).get(team.team_id, consistent=True)


def actions(store, team):
    return [entry.action for entry in AuditLog(store).of(f"Teams#{team.team_id}").items]


def form_of(page):
    """What the page's form would send unchanged."""
    html = page.content.decode()
    return {"read_version": re.search(r'name="read_version" value="(\d+)"', html)[1]}


def test_teams_stand_by_name_with_their_managers_and_are_searched(store, adas, mona):
    team_of(store, mona, name="Yard")
    team_of(store, manager(store, "Max Manager"), name="Harbour")
    page = adas.get("/admin/teams/team/").content.decode()
    assert page.index("Harbour") < page.index("Yard")
    assert "Max Manager" in page
    assert "Yard" not in adas.get("/admin/teams/team/?q=har").content.decode()
    assert "Harbour" not in adas.get(f"/admin/teams/team/?manager_id={mona.user_id}").content.decode()


def test_a_team_is_added_and_changed_through_the_services(store, adas, mona):
    typed = {"team_name": "Yard", "manager_id": mona.user_id, "description": "Ships."}
    assert adas.post("/admin/teams/team/add/", typed).status_code == 302
    (team,) = Teams(store).listed().items
    assert actions(store, team) == ["team.created"]
    refused = adas.post("/admin/teams/team/add/", {**typed, "team_name": "yard"})
    assert refused.status_code == 422
    assert "has a team of this name already" in refused.content.decode()
    address = f"/admin/teams/team/{team.team_id}/change/"
    sent = {**typed, **form_of(adas.get(address)), "team_name": "Dock"}  # “active” is left unticked
    assert adas.post(address, sent).status_code == 302
    assert (stored(store, team).team_name, stored(store, team).is_active) == ("Dock", False)
    assert actions(store, team)[0] == "team.deactivated"


def test_a_team_is_not_deleted_but_put_away_in_the_list(store, adas, team):
    assert adas.get(f"/admin/teams/team/{team.team_id}/delete/").status_code == 403
    chosen = {"action": "deactivate", "row": team.team_id}
    assert "what was assessed stay" in adas.post("/admin/teams/team/", chosen).content.decode()
    assert stored(store, team).is_active, "it asks first"
    adas.post("/admin/teams/team/", {**chosen, "confirmed": "1", "version": str(team.version)})
    assert not stored(store, team).is_active
    adas.post("/admin/teams/team/", {**chosen, "action": "reactivate"})
    assert stored(store, team).is_active


def test_members_are_on_the_teams_page_and_added_and_removed_as_rows(store, adas, team):
    (timo_id,) = team.member_ids
    bea = team_member(store, "Bea Member")
    page = adas.get(f"/admin/teams/team/{team.team_id}/change/").content.decode()
    assert "<h1>Harbour</h1>" in page
    assert "Timo Member" in page
    rows = f"/admin/teams/team/{team.team_id}/rows/0/"
    assert ">Timo Member</legend>" in adas.get(rows).content.decode()
    key = re.search(r'name="row-0-key" value="([^"]+)"', adas.get(rows).content.decode())[1]
    version = Memberships(store).get((team.team_id, timo_id)).version
    sent = {
        "rows": "2",
        "row-0-key": key,
        "row-0-read_version": str(version),
        "row-0-remove": "on",
        "row-1-key": "",
        "row-1-user_id": bea.user_id,
    }
    assert adas.post(rows, sent).status_code == 302
    assert stored(store, team).member_ids == {bea.user_id}
    assert set(actions(store, team)) == {"team.members_added", "team.members_removed"}


def test_who_cannot_be_a_member_is_refused_with_the_reason(store, adas, mona, team):
    refused = adas.post("/admin/teams/teammembership/add/", {"team_id": team.team_id, "user_id": mona.user_id})
    assert refused.status_code == 422
    assert "leads this team" in refused.content.decode()


def test_a_membership_is_removed_and_the_team_follows(store, adas, team):
    (timo_id,) = team.member_ids
    membership = Memberships(store).get((team.team_id, timo_id))
    page = adas.get(f"/admin/teams/teammembership/?user_id={timo_id}").content.decode()
    address = re.search(r'href="(/admin/teams/teammembership/[^"?]+/change/)', page)[1].replace("change", "delete")
    asked = adas.get(address)
    assert asked.status_code == 200
    adas.post(address, {"post": "yes", "read_version": str(membership.version)})
    assert stored(store, team).member_ids == frozenset()
    assert Memberships(store).find((team.team_id, timo_id), consistent=True) is None
