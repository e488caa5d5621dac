"""People out of a spreadsheet: read, shown, and then done exactly so, however often."""

import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from apps.accounts import services
from apps.accounts.entities import Role
from apps.accounts.people_sheet import MOST_ROWS, read_people
from apps.accounts.repository import Users
from apps.accounts.services.importing import STEP
from apps.audit.repository import AuditLog
from apps.errors import NotFound
from apps.storage.errors import StoreUnavailable
from apps.storage.metering import metering
from apps.storage.sessions import WebSessions
from tests.policy_runs.web import browser, member

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PEOPLE = "name,email,roles\nBea Member,bea@example.org,team_member\nMona,MONA@example.org,manager; team-member\n"


@pytest.fixture(autouse=True)
def small_site():
    """The whole site, not the small one of this folder."""
    assert django_settings.ROOT_URLCONF == "project.urls"


@pytest.fixture
def ada(store):
    return member(store, Role.ADMIN, name="Ada Admin")


def done_by(store, user):
    return {
        "by": user,
        "actor": user.acting("192.0.2.1"),
        "now": NOW,
        "audit": AuditLog(store),
        "sessions": WebSessions(store),
    }


def planned(store, text):
    plan, findings = services.plan_people(Users(store), read_people(text).people)
    assert not findings
    return plan


def imported(store, user, text):
    return services.import_people(Users(store), plan=planned(store, text), **done_by(store, user))


def uploaded(client, text, **more):
    content = text if isinstance(text, bytes) else text.encode()
    return client.post("/people/import/", {"sheet": SimpleUploadedFile("people.csv", content), **more})


def sealed_in(page):
    return re.search(r'name="plan" value="([^"]+)"', page.content.decode())[1]


# --- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        PEOPLE,
        "\ufeff" + PEOPLE.replace("\n", "\r\n"),
        "E-Mail;Roles;Name\nbea@example.org;team_member;Bea Member\nmona@example.org;manager team_member;Mona\n",
        """ ;
"Name";"Phone, e-mail";"E-mail";"Roles";
Bea Member;1;bea@example.org;"Team
member";
;;;;
Mona;2;mona@example.org;Manager,team-member;
Mona;;MONA@example.org;"TEAM member; Manager";
""",
        'name\temail\troles\n"Bea Member"\tbea@example.org\tTEAM_MEMBER\n\nMona\tmona@example.org\tmanager team_member',
    ],
    ids=["plain", "bom", "semicolons", "as the pages say it", "tabs"],
)
def test_people_are_read_as_spreadsheets_write_them(text):
    bea, mona = read_people(text).people
    assert (bea.name, bea.email, bea.roles) == ("Bea Member", "bea@example.org", {Role.TEAM_MEMBER})
    assert (mona.name, mona.email, mona.roles) == ("Mona", "mona@example.org", {Role.MANAGER, Role.TEAM_MEMBER})


def test_roles_may_be_left_out_and_other_columns_are_named():
    sheet = read_people("name,phone,email\nBea,0800,bea@example.org\nBea,0900,bea@example.org\n")
    assert [(one.name, one.roles) for one in sheet.people] == [("Bea", frozenset())]
    assert sheet.unused == ["phone"]


def test_every_bad_line_is_told_at_once_with_its_number():
    text = (
        "name,email,roles\n"
        "Good,good@example.org,\n"
        ",nobody@example.org,\n"
        '"Two\nlines",two@example.org,boss admin\n'
        "Bad,not-an-address,chief\n"
        "Other,good@example.org,\n"
        "Much,much@example.org,admin,more\n"
    )
    found = [(one.line, one.value, one.message.partition(";")[0]) for one in read_people(text).findings]
    assert found == [
        (3, "", "enter a name of at most 100 characters"),
        (4, "Two\nlines", "enter a name of at most 100 characters"),
        (4, "boss", "no role"),
        (6, "not-an-address", "enter an e-mail address such as name@example.org"),
        (6, "chief", "no role"),
        (7, "good@example.org", "line 2 says something else of this address"),
        (8, "more", "more cells than there are columns"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "name, email is missing"),
        ("name;roles\nBea;admin\n", "email is missing"),
        ("name,email,E-mail\n", "names the column email twice"),
        ('name,email\n"Bea,bea@example.org\n', "check the quotation marks"),
        ("name,email\n" + "B,b@example.org\n" * (MOST_ROWS + 1), "more than 10,000 rows"),
    ],
    ids=["nothing", "no column", "twice", "quotes", "long"],
)
def test_a_file_that_cannot_be_read_says_why(text, told):
    with pytest.raises(ValueError, match=told):
        read_people(text)


# --- planning and doing ----------------------------------------------------------------------------------------------


def test_new_people_are_added_without_a_password_and_the_log_says_so(store, ada):
    done = imported(store, ada, PEOPLE)
    assert (done.added, done.changed, done.left_out) == (2, 0, [])
    mona = Users(store).by_email("mona@example.org")
    assert (mona.name, mona.roles, mona.has_password) == ("Mona", {Role.MANAGER, Role.TEAM_MEMBER}, False)
    (entry,) = AuditLog(store).of(f"Users#{mona.user_id}").items
    assert (entry.action, entry.actor_id, entry.after["email"]) == ("user.created", ada.user_id, "mona@example.org")


def test_who_is_here_is_renamed_and_gets_roles_and_loses_none(store, ada):
    imported(store, ada, PEOPLE)
    text = "name,email,roles\nBea Married,bea@example.org,operator\nMona,mona@example.org,\n"
    plan = planned(store, text)
    (change,) = plan.change
    assert (change.before_name, change.name, change.new_roles) == ("Bea Member", "Bea Married", {Role.OPERATOR})
    assert (plan.add, plan.left) == ((), 1)
    done = imported(store, ada, text)
    assert (done.added, done.changed) == (0, 1)
    bea = Users(store).by_email("bea@example.org")
    assert (bea.name, bea.roles) == ("Bea Married", {Role.TEAM_MEMBER, Role.OPERATOR})
    assert AuditLog(store).of(f"Users#{bea.user_id}").items[0].action == "user.changed"


def test_whoever_is_deactivated_is_named_and_not_brought_back(store, ada):
    imported(store, ada, PEOPLE)
    Users(store).save(Users(store).by_email("bea@example.org").evolve(is_active=False))
    plan, (finding,) = services.plan_people(Users(store), read_people(PEOPLE).people)
    assert (finding.line, finding.value) == (2, "bea@example.org")
    assert "deactivated" in finding.message
    assert plan.left == 1


def many(number):
    return "name,email\n" + "".join(f"Person {at:05},p{at}@example.org\n" for at in range(number))


def test_the_same_plan_again_adds_nobody_twice(store, ada):
    plan = planned(store, many(STEP + 5))
    once = services.import_people(Users(store), plan=plan, **done_by(store, ada))
    again = services.import_people(Users(store), plan=plan, **done_by(store, ada))
    assert (once.added, again.added, again.done_before, again.left_out) == (STEP + 5, 0, STEP + 5, [])


def test_an_import_that_broke_off_goes_on_where_it_was(store, ada, monkeypatch):
    plan = planned(store, many(3 * STEP))
    real, calls = type(store).call, []

    def breaking(self, operation, **request):
        if operation == "transact_write_items":
            calls.append(operation)
            if len(calls) == 2:
                raise StoreUnavailable("The store does not answer.")
        return real(self, operation, **request)

    monkeypatch.setattr(type(store), "call", breaking)
    with pytest.raises(StoreUnavailable):
        services.import_people(Users(store), plan=plan, **done_by(store, ada))
    assert len(planned(store, many(3 * STEP)).add) == 2 * STEP
    done = services.import_people(Users(store), plan=plan, **done_by(store, ada))
    assert (done.added, done.done_before) == (2 * STEP, STEP)
    assert planned(store, many(3 * STEP)).add == ()


def test_what_changed_since_it_was_shown_is_left_out_and_named(store, ada):
    imported(store, ada, PEOPLE)
    text = "name,email\nBea Married,bea@example.org\nNew,new@example.org\nOther,other@example.org\n"
    plan = planned(store, text)
    users = Users(store)
    users.save(users.by_email("bea@example.org").evolve(name="Bea Elsewhere"))
    imported(store, ada, "name,email\nFaster,new@example.org\n")
    done = services.import_people(users, plan=plan, **done_by(store, ada))
    assert (done.added, done.changed) == (1, 0)
    assert [one.partition(":")[0] for one in done.left_out] == ["new@example.org", "bea@example.org"]
    assert users.by_email("bea@example.org").name == "Bea Elsewhere"
    assert users.by_email("new@example.org").name == "Faster"


def test_only_administrators_import(store, ada):
    plan = planned(store, PEOPLE)
    for role in set(Role) - {Role.ADMIN, Role.SUPPORT}:
        with pytest.raises(NotFound):
            services.import_people(Users(store), plan=plan, **done_by(store, member(store, role)))
    assert Users(store).by_email("bea@example.org") is None


def test_people_are_looked_up_by_the_hundred(store, ada):
    imported(store, ada, many(250))
    with metering() as cost:
        plan = planned(store, many(250))
    assert plan.left == 250
    assert cost.requests == {("batch_get_item", "Uniques"): 3, ("batch_get_item", "Users"): 3}


# --- the page --------------------------------------------------------------------------------------------------------


def test_a_file_is_shown_first_and_done_once_it_is_confirmed(store, ada):
    client = browser(ada)
    shown = uploaded(client, PEOPLE)
    assert shown.status_code == 200
    html = shown.content.decode()
    assert "Nothing is imported yet" in html
    assert "bea@example.org" in html
    assert "Manager, Team member" in html
    assert Users(store).by_email("bea@example.org") is None
    done = client.post("/people/import/", {"plan": sealed_in(shown)})
    assert "People are imported" in done.content.decode()
    assert Users(store).by_email("bea@example.org") is not None
    again = client.post("/people/import/", {"plan": sealed_in(shown)}).content.decode()
    assert "Done before" in again
    assert "as the file says" in uploaded(client, PEOPLE).content.decode()


def test_bad_lines_are_told_and_nothing_can_be_confirmed(store, ada):
    refused = uploaded(browser(ada), "name,email\n,x@example.org\nBea,nonsense\n")
    assert refused.status_code == 422
    html = refused.content.decode()
    assert ("Line 2" in html, "Line 3" in html, 'name="plan"' in html) == (True, True, False)
    assert uploaded(browser(ada), b"\x00\x01").status_code == 422
    assert "Choose a CSV file." in browser(ada).post("/people/import/").content.decode()


def test_what_was_not_shown_to_this_person_is_not_done(store, ada):
    plan = sealed_in(uploaded(browser(ada), PEOPLE))
    other = browser(member(store, Role.ADMIN, name="Otto Other"))
    for client, text in ((other, plan), (browser(ada), plan[:-1] + "x"), (browser(ada), "made up")):
        refused = client.post("/people/import/", {"plan": text})
        assert refused.status_code == 422
        assert "too old to be confirmed" in refused.content.decode()
    assert Users(store).by_email("bea@example.org") is None


def test_a_file_of_as_many_as_may_be_can_be_shown_and_sent_back(store, ada):
    shown = uploaded(browser(ada), many(MOST_ROWS))
    assert shown.status_code == 200
    assert "10,000" in shown.content.decode()
    assert len(sealed_in(shown)) < 900_000


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def people_csv(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE)
    return path


def run(*arguments):
    out = StringIO()
    call_command("import_people", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_the_command_tells_what_it_would_do_does_it_and_does_it_once(store, people_csv):
    told = run(people_csv, "--dry-run")
    assert "add     bea@example.org  Bea Member  team_member" in told
    assert "Would add 2, change 0, leave 0." in told
    assert Users(store).by_email("bea@example.org") is None
    assert run(people_csv) == "Added 2, changed 0, left 0.\n"
    assert run(people_csv) == "Added 0, changed 0, left 2.\n"
    bea = Users(store).by_email("bea@example.org")
    assert AuditLog(store).of(f"Users#{bea.user_id}").items[0].actor_id == "command:import_people"


def test_the_command_names_every_bad_line_and_a_missing_file(store, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("name,email\n,x@example.org\nBea,nonsense\n")
    with pytest.raises(CommandError, match=r"(?s)line 2: .*line 3: nonsense"):
        run(bad)
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        run(tmp_path / "missing.csv")
