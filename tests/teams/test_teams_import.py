"""Teams out of a spreadsheet: read, shown, and then done exactly so, however often."""

import re
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from apps.accounts.entities import Role, User
from apps.accounts.repository import Users
from apps.audit.repository import AuditLog
from apps.errors import NotFound
from apps.storage.errors import StoreUnavailable
from apps.storage.metering import metering
from apps.teams import services
from apps.teams.repository import Teams
from apps.teams.stores import stores_on
from apps.teams.team_sheet import MOST_ROWS, read_teams
from tests.policy_runs.web import browser, member
from tests.seasons import admin, team_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TEAMS = """team,manager_email,member_email,description
Harbour,mona@example.org,bea@example.org,Boats.
harbour,MONA@example.org,carl@example.org,
Yard,mona@example.org,,
"""


def somebody(store, name, *roles):
    first = name.split()[0].lower()
    return Users(store).add(User(user_id=f"u-{first}", email=f"{first}@example.org", name=name, roles=set(roles)))


@pytest.fixture
def ada(store):
    return admin(store)


@pytest.fixture
def mona(store):
    return somebody(store, "Mona Manager", Role.MANAGER)


@pytest.fixture
def people(store, mona):
    return [somebody(store, name, Role.TEAM_MEMBER) for name in ("Bea Member", "Carl Member")]


@pytest.fixture
def stores(store):
    return stores_on(store)


def planned(stores, text):
    plan, findings = services.plan_teams(stores, read_teams(text).rows)
    assert not findings, findings
    return plan


def done(stores, user, plan, followed=lambda _: None):
    actor = user.acting("192.0.2.1")
    return services.import_teams(stores, plan=plan, by=user, actor=actor, now=NOW, followed=followed)


def all_teams(store):
    return {team.team_name: Teams(store).get(team.team_id, consistent=True) for team in Teams(store).listed().items}


def uploaded(client, text):
    return client.post("/teams/import/", {"sheet": SimpleUploadedFile("teams.csv", text.encode())})


def sealed_in(page):
    return re.search(r'name="plan" value="([^"]+)"', page.content.decode())[1]


def test_teams_are_made_and_filled_and_those_who_follow_hear_of_it(store, stores, ada, mona, people):
    told = []
    result = done(stores, ada, planned(stores, TEAMS), told.append)
    assert (result.teams, result.members, result.left_out) == (2, 2, [])
    found = all_teams(store)
    assert set(found) == {"Harbour", "Yard"}
    harbour = found["Harbour"]
    assert (harbour.description, harbour.manager_id) == ("Boats.", mona.user_id)
    assert harbour.member_ids == {user.user_id for user in people}
    assert told == [harbour.team_id]
    actions = [entry.action for entry in AuditLog(store).of(f"Teams#{harbour.team_id}").items]
    assert sorted(actions) == ["team.created", "team.members_added"]


def test_the_same_plan_again_does_nothing_twice(store, stores, ada, people):
    plan = planned(stores, TEAMS)
    done(stores, ada, plan)
    before = all_teams(store)
    again = done(stores, ada, plan)
    assert (again.teams, again.members, again.left_out) == (0, 0, [])
    assert all_teams(store) == before
    nothing = planned(stores, TEAMS)
    assert (nothing.teams, nothing.left, nothing.members_left) == ((), 2, 2)


def test_imports_at_once_of_one_file_shown_once_or_twice_make_everything_once(store, stores, ada, people, in_threads):
    shown = planned(stores, TEAMS)
    plans, results = [shown, shown, planned(stores, TEAMS)], []
    in_threads(3, lambda position: results.append(done(stores, ada, plans[position])))
    assert sum(result.teams for result in results) == 2
    found = all_teams(store)
    assert set(found) == {"Harbour", "Yard"}
    ids = sorted(user.user_id for user in people)
    assert sorted(found["Harbour"].member_ids) == ids
    entries = AuditLog(store).of(f"Teams#{found['Harbour'].team_id}").items
    assert sorted(one for entry in entries for one in entry.after.get("members", ())) == ids


def test_an_import_that_broke_off_goes_on_where_it_was(store, stores, ada, people, monkeypatch):
    plan = planned(stores, TEAMS)
    real, calls = type(store).call, []

    def breaking(self, operation, **request):
        if operation == "transact_write_items":
            calls.append(operation)
            if len(calls) == 2:  # the team is made, and its members are not in it yet
                raise StoreUnavailable("The store does not answer.")
        return real(self, operation, **request)

    monkeypatch.setattr(type(store), "call", breaking)
    with pytest.raises(StoreUnavailable):
        done(stores, ada, plan)
    assert all_teams(store)["Harbour"].member_ids == frozenset()
    rest = done(stores, ada, plan)
    assert (rest.teams, rest.members) == (1, 2)
    assert len(all_teams(store)) == 2


def test_who_is_there_stays_and_only_what_is_new_is_done(store, stores, ada, mona, people):
    bea, carl = people
    team = team_of(store, mona, bea)
    plan = planned(stores, TEAMS)
    harbour = plan.teams[0]
    assert (harbour.is_new, harbour.team_id, harbour.member_ids) == (False, team.team_id, (carl.user_id,))
    assert (harbour.description, plan.descriptions, plan.members_left) == ("Boats.", 1, 1)
    done(stores, ada, plan)
    assert all_teams(store)["Harbour"].description == "Boats."
    assert all_teams(store)["Harbour"].member_ids == {bea.user_id, carl.user_id}


def test_every_bad_line_is_told_at_once(store, stores, mona, people):
    away = somebody(store, "Gus Gone", Role.TEAM_MEMBER)
    Users(store).save(away.evolve(is_active=False))
    somebody(store, "Olga Operator", Role.OPERATOR)
    text = (
        "team;manager_email;member_email;description\n"
        ";mona@example.org;nonsense;\n"
        "Harbour;nobody@example.org;bea@example.org;\n"
        "Harbour;bea@example.org;carl@example.org;\n"
        "Yard;mona@example.org;gus@example.org;Ships.\n"
        "Yard;mona@example.org;olga@example.org;Boats.\n"
        "Yard;mona@example.org;mona@example.org;\n"
        "Yard;mona@example.org;stranger@example.org;\n"
    )
    sheet = read_teams(text)
    _, more = services.plan_teams(stores, sheet.rows)
    found = [(one.line, one.value) for one in [*sheet.findings, *more]]
    assert sorted(found) == [
        (2, ""),
        (2, "nonsense"),
        (3, "nobody@example.org"),
        (4, "bea@example.org"),
        (5, "gus@example.org"),
        (6, "Yard"),
        (6, "olga@example.org"),
        (7, "mona@example.org"),
        (8, "stranger@example.org"),
    ]
    told = {one.value: one.message for one in more}
    assert told["bea@example.org"].startswith("Bea Member does not have the role manager")
    assert told["mona@example.org"].startswith("Mona Manager leads this team")
    assert told["Yard"] == "line 5 describes this team otherwise"


def test_a_deactivated_team_and_one_too_large_are_refused(store, stores, mona, people):
    team = team_of(store, mona)
    Teams(store).save(team.evolve(is_active=False))
    crowd = [
        Users(store).add(User(user_id=f"p{at}", email=f"p{at}@example.org", name="P", roles={Role.TEAM_MEMBER}))
        for at in range(151)
    ]
    text = TEAMS + "".join(f"Yard,mona@example.org,{user.email},\n" for user in crowd)
    _, findings = services.plan_teams(stores, read_teams(text).rows)
    assert [(one.line, one.value, one.message.partition(";")[0]) for one in findings] == [
        (2, "Harbour", "this team is deactivated"),
        (4, "Yard", "a team has at most 150 members"),
    ]


def test_what_changed_since_it_was_shown_is_left_out_and_named(store, stores, ada, mona, people):
    team = team_of(store, mona)
    plan = planned(stores, TEAMS)
    Teams(store).save(Teams(store).get(team.team_id).evolve(description="Others were faster."))
    team_of(store, mona, name="Yard")
    result = done(stores, ada, plan)
    assert [one.partition(":")[0] for one in result.left_out] == ["Harbour", "Yard"]
    assert all_teams(store)["Harbour"].description == "Others were faster."


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN}))
def test_only_administrators_import(store, stores, people, role):
    plan = planned(stores, TEAMS)
    with pytest.raises(NotFound):
        done(stores, member(store, role), plan)
    assert all_teams(store) == {}


def test_people_and_teams_are_looked_up_by_the_hundred(store, stores, mona):
    rows = "".join(f"Team {at},mona@example.org,\n" for at in range(250))
    with metering() as cost:
        plan = planned(stores, f"team,manager_email,member_email\n{rows}")
    assert plan.new_teams == 250
    assert cost.total_requests == 2 + 3
    assert cost.scans == 0


def test_a_file_is_shown_first_and_done_once_it_is_confirmed(store, ada, people):
    client = browser(ada)
    shown = uploaded(client, TEAMS)
    assert shown.status_code == 200
    html = shown.content.decode()
    for words in ("Nothing is imported yet", "Mona Manager", "The team is made. Added: Bea Member, Carl Member."):
        assert words in html
    assert all_teams(store) == {}
    confirmed = client.post("/teams/import/", {"plan": sealed_in(shown)})
    assert "Teams are imported" in confirmed.content.decode()
    assert len(all_teams(store)) == 2
    assert "there already" in uploaded(client, TEAMS).content.decode()


def test_bad_lines_are_told_and_what_was_not_shown_is_not_done(store, ada, people):
    client = browser(ada)
    refused = uploaded(client, TEAMS + "Dock,nobody@example.org,,\n")
    assert refused.status_code == 422
    assert "Line 5" in refused.content.decode()
    assert 'name="plan"' not in refused.content.decode()
    assert uploaded(client, "team\nx\n").status_code == 422
    assert client.post("/teams/import/", {"plan": "made up"}).status_code == 422
    assert all_teams(store) == {}


def test_too_many_rows_are_refused(store, ada):
    text = "team,manager_email\n" + "T,m@example.org\n" * (MOST_ROWS + 1)
    assert "more than 10,000 rows" in uploaded(browser(ada), text).content.decode()


def test_the_command_tells_what_it_would_do_does_it_and_does_it_once(store, people, tmp_path):
    path = tmp_path / "teams.csv"
    path.write_text(TEAMS)

    def run(*arguments):
        out = StringIO()
        call_command("import_teams", str(path), *arguments, stdout=out)
        return out.getvalue()

    told = run("--dry-run")
    assert "make    Harbour (Mona Manager)\n          + Bea Member\n" in told
    assert "Would make 2 teams and 2 memberships" in told
    assert all_teams(store) == {}
    assert run() == "Made 2 teams and 2 memberships, changed 0 descriptions.\n"
    assert run() == "Made 0 teams and 0 memberships, changed 0 descriptions.\n"
    path.write_text(TEAMS.replace("Boats.", "Ships."))
    told = run("--dry-run")
    assert "change  Harbour (Mona Manager)\n          another description\n" in told
    assert "and change 1 descriptions; 1 teams and 2 memberships are there already." in told
    assert run() == "Made 0 teams and 0 memberships, changed 1 descriptions.\n"
    path.write_text(TEAMS)
    harbour = all_teams(store)["Harbour"]
    assert AuditLog(store).of(f"Teams#{harbour.team_id}").items[0].actor_id == "command:import_teams"
    path.write_text(TEAMS + "Dock,nobody@example.org,,\n")
    with pytest.raises(CommandError, match=r"line 5: nobody@example\.org: nobody here"):
        run()
