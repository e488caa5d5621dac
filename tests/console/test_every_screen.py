"""Every screen of every registered admin for every role: 200, or the right refusal; redirects are not followed."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.urls import reverse

from apps.accounts.entities import BACK_OFFICE, ApiToken, Identity, Role, identity_key
from apps.accounts.repository import ApiTokens, Identities
from apps.assessments.entities import Assessment, AssessmentType, PlanStatus, Report
from apps.assessments.repository import Assessments, Reports
from apps.assessments.variance import Difference
from apps.audit.repository import AuditLog
from apps.policy_runs.entities import PolicyStatus, Screenshot
from apps.storage.registry import declared_readers, declared_repositories
from apps.storage.sessions import WebSessions
from apps.storage.trash import Deleted, Trash
from apps.storage.upkeep.backfill import Checkpoint, Checkpoints
from apps.teams.repository import Memberships
from project.console import console
from tests.policy_runs.web import browser, member
from tests.seasons import active_ladder, manager, plan_of, team_member, team_of

ADMIN, BOTH = {Role.ADMIN}, {Role.ADMIN, Role.SUPPORT}
NOW = datetime.now(UTC).replace(microsecond=0)
SCREEN, DATA, HASH = "SCREENTEXT", "DATAREAD", "f" * 64


@dataclass(frozen=True)
class Screens:
    """Who sees these screens, changes rows and reads their history; a list with `related` rows shows their names.

    Who adds and deletes is who changes, unless it is said.
    """

    sees: Any
    changes: Any = frozenset()
    history: Any = frozenset()
    related: bool = False
    adds: Any = None
    deletes: Any = None


TABLE = {
    "host": Screens(BOTH, changes=ADMIN, history=ADMIN),
    "astregistration": Screens(BOTH, history=ADMIN),
    "astexecution": Screens(BOTH, history=ADMIN, related=True),
    "policyresult": Screens(BOTH, related=True),  # whose run tells whether a missing result is pending or skipped
    "session": Screens(BOTH, related=True),
    "ladderversion": Screens(BACK_OFFICE, history=ADMIN),
    "user": Screens(BOTH, changes=ADMIN, history=ADMIN, adds=BOTH, deletes=frozenset()),
    "apitoken": Screens(ADMIN, related=True),
    "websession": Screens(ADMIN, related=True),
    "identity": Screens(ADMIN, related=True),
    "team": Screens(ADMIN, changes=ADMIN, history=ADMIN, related=True, deletes=frozenset()),
    "teammembership": Screens(ADMIN, related=True, adds=ADMIN, deletes=ADMIN),
    "plan": Screens(ADMIN, changes=ADMIN, history=ADMIN, related=True),
    "report": Screens(ADMIN, history=ADMIN, related=True),
    "assessment": Screens(ADMIN, history=ADMIN, related=True),
    "auditentry": Screens(ADMIN),
    "deleted": Screens(ADMIN),
    "checkpoint": Screens(BOTH),
}
NOT_REGISTERED = {
    "RunSecrets": "host credentials, encrypted, for as long as a run lives: nobody reads them",
    "Seasons": "names of seasons, written with the first plan of each; the plans have their own screens",
    "SecondFactors": "keys and recovery codes; whether somebody has one is on their own page",
    "Invitations": "what opens an account; that a link was made and used is in the history of the user",
    "SignIns": "one row a user, shown with the user",
    "Guards": "mechanics of unique values; `manage.py repair_guards` mends them",
    "Buckets": "counters of attempts under hashed names; support unlocks the account instead",
    "Pointers": "which ladder is active: shown with the versions, and moved by activating one",
    "HostSlots": "leases of seconds; they let go of themselves",
    "TableHealths": "one row that the worker keeps, shown on the first page",
}
MORE = {
    ("user", "change"): 5,  # and how they get in
    ("astexecution", "change"): 4,  # and its results
    ("team", "change"): 5,  # and its members with their names
    ("teammembership", "changelist"): 5,  # names of teams and of people
}
ASKED = {
    ("policyresult", "changelist"): "?policy_number=ABC123DEF",
    ("teammembership", "changelist"): "?team_id={team_id}",
    ("plan", "changelist"): "?status=draft",
    ("report", "changelist"): "?plan_id=p-1",
}
SUGGESTED = {"user", "team"}
"""Those that fields of other entities can name: an index finds them by the beginning of a name."""
ADMINS = [(model._meta.model_name, admin) for model, admin in console._registry.items()]


def addresses(admin, key):
    """The screens of an admin, by Django's names for them."""
    name = f"admin:{admin.opts.app_label}_{admin.opts.model_name}"
    found = {screen: reverse(f"{name}_{screen}") for screen in ("changelist", "add", "suggestions")}
    return found | {
        screen: reverse(f"{name}_{screen}", args=[quote(key)]) for screen in ("change", "delete", "history")
    }


@pytest.fixture
def rows(store, stores, run, owner, ada, host):
    """Of each kind: a row that exists, and what its pages show of it."""
    client = browser(owner)
    client.get("/account/")
    (session,) = WebSessions(store).of(owner.user_id)
    stores.results.put_many(
        [
            stores.results.get((run.execution_id, "ABC123DEF")).evolve(
                status=PolicyStatus.SUCCESS,
                screenshots=(Screenshot(step="inquiry", captured_at=NOW, text=SCREEN),),
                data={"holder": DATA},
            )
        ]
    )
    token = ApiTokens(store).add(
        ApiToken(
            token_hash=HASH, user_id=owner.user_id, name="nightly", hint="abcd", created_at=NOW,
            expires_at=NOW + timedelta(days=1),
        )
    )  # fmt: skip
    gone = Deleted(
        item="Teams#42", table="Teams", deleted_at=NOW, deleted_by="u-1", expires_at=NOW + timedelta(days=1),
        content={"secret": DATA},
    )  # fmt: skip
    Trash(store).add(gone) if hasattr(Trash, "add") else Trash(store)._send(Trash(store).adding(gone))
    issuer = "https://people.example.org"
    identity = Identity(
        identity=identity_key(issuer, "s-123"), issuer=issuer, subject="s-123", user_id=owner.user_id, created_at=NOW
    )
    timo = team_member(store)
    team = team_of(store, manager(store), timo)
    report = Report(
        report_id="r-1", plan_id="p-1", team_id="t-1", team_member_id=owner.user_id, season="2026-Q1", config_id="c-1",
        self_assessment_id="a-1", manager_assessment_id="a-2", final_level=3, self_assessed_level=4,
        variance={"Craft": {"Design": Difference(self_score=6, manager_score=3, difference=-3)}}, generated_at=NOW,
    )  # fmt: skip
    assessment = Assessments(store).add(
        Assessment(
            assessment_id="an-assessment", plan_id="a-plan", team_id=team.team_id, team_member_id=timo.user_id,
            assessment_type=AssessmentType.SELF, assessor_id=timo.user_id, season="2026-Q1", config_id="a-ladder",
        )
    )  # fmt: skip
    checkpoint = Checkpoint(task="backfill Users", goal="upgrade", started_at=NOW, updated_at=NOW)
    ladder = active_ladder(store)
    return {
        "ladderversion": (ladder, ladder.ladder_version),
        "host": (host, host.address),
        "astregistration": (stores.asts.get("login"), "login"),
        "astexecution": (run, run.execution_id),
        "policyresult": (stores.results.get((run.execution_id, "ABC123DEF")), "ABC123DEF"),
        "session": (stores.sessions.get(run.session_id), run.session_id),
        "user": (ada, ada.email),
        "apitoken": (token, "nightly"),
        "websession": (session, "Unknown browser"),
        "identity": (Identities(store).add(identity), "s-123"),
        "team": (team, "Harbour"),
        "plan": (plan_of(store, team, ladder, status=PlanStatus.DRAFT), "Harbour 2026-Q1"),
        "teammembership": (Memberships(store).get((team.team_id, timo.user_id)), timo.user_id),
        "report": (Reports(store).add(report), "2026-Q1"),
        "assessment": (assessment, assessment.assessment_id),
        "auditentry": (AuditLog(store).of(f"AstExecutions#{run.execution_id}").items[0], run.execution_id),
        "deleted": (gone, "Teams#42"),
        "checkpoint": (Checkpoints(store).add(checkpoint), "backfill Users"),
    }


def test_every_admin_is_in_the_table_of_these_tests():
    assert {name for name, _ in ADMINS} == set(TABLE)


def test_every_entity_there_is_has_screens_or_a_reason_why_not():
    shown = {admin.repository for _, admin in ADMINS}
    stored = {kind for kind in (*declared_repositories(), *declared_readers()) if kind.__module__.startswith("apps.")}
    assert {kind.__name__ for kind in stored - shown} <= set(NOT_REGISTERED)
    assert not {kind.__name__ for kind in shown} & set(NOT_REGISTERED)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("name", "admin"), ADMINS, ids=[name for name, _ in ADMINS])
def test_a_screen_opens_for_the_roles_it_is_for_and_is_not_there_for_others(store, rows, costs, name, admin, role):
    client = browser(member(store, role))
    entity, content = rows[name]
    key = str(admin.row(entity).pk)
    declared = TABLE[name]
    sees, changes, history = (role in who for who in (declared.sees, declared.changes, declared.history))
    adds = role in (declared.changes if declared.adds is None else declared.adds)
    deletes = role in (declared.changes if declared.deletes is None else declared.deletes)
    refused = 403 if sees else 404
    expected = {
        "changelist": (200 if sees else 404, refused),
        "change": (200 if sees else 404, 422 if changes else refused),
        "add": (200, 422) if adds else (refused, refused),
        "delete": (200, 302) if deletes else (refused, refused),  # back to the question: no version
        "suggestions": (200, 405) if sees and name in SUGGESTED else (404, 404),
        "history": (200, 405) if sees and history else (404, 404),
    }
    for screen, plain in addresses(admin, key).items():
        address = plain + ASKED.get((name, screen), "").format(**entity.model_dump())
        # Two of them tell who it is, and one is the list itself; names of related rows are one more, and so is the name
        # of the row in its history.
        most = MORE.get((name, screen)) or 3 + (screen == "history") + (declared.related and screen == "changelist")
        with costs(requests=most, scans=1, wcu=0):
            page = client.get(address)
        found = page.status_code, client.post(address, {"any": "thing"}).status_code
        html = page.content.decode()
        assert found == expected[screen], (screen, role)
        told = {"changelist": content, "change": content, "delete": key if name == "host" else ""}
        assert told.get(screen, "") in html or page.status_code != 200, (screen, role)
        assert page.status_code == 200 or content not in html, "a refusal tells nothing"
        assert not [secret for secret in (SCREEN, DATA, "password_hash", "argon2") if secret in html], screen
        assert HASH not in re.sub(r"<[^>]*>", "", html), "a hash is at most in an address"
        client.get("/admin/")  # takes what there was to say, so that the next page does not


@pytest.mark.parametrize("role", Role)
def test_the_start_page_is_there_for_staff_and_names_what_they_may_see(store, role):
    client = browser(member(store, role))
    assert client.get("/admin/").status_code == (200 if role in BACK_OFFICE else 404)
    named = set(re.findall(r'<th scope="row"><a href="/admin/\w+/(\w+)/"', client.get("/admin/").content.decode()))
    assert named == {name for name, screens in TABLE.items() if role in screens.sees}
    for app in ("terminal", "accounts"):
        seen = role in {Role.ADMIN, Role.SUPPORT}
        assert client.get(f"/admin/{app}/").status_code == (200 if seen else 404)


def test_the_start_page_says_what_may_be_done_to_what_it_names(store):
    def told(role):
        html = browser(member(store, role)).get("/admin/").content.decode()
        return dict(
            re.findall(
                r'href="/admin/\w+/(\w+)/">[^<]*</a></th>.*?<td data-label="You may">([^<]*)</td>', html, re.DOTALL
            )
        )

    assert told(Role.ADMIN) | {
        "astexecution": "see, pause, resume, cancel, export as CSV",
        "apitoken": "see, revoke",
        "host": "see, add, change, delete, switch on, switch off, export as CSV",
        "auditentry": "see",
    } == told(Role.ADMIN)
    supports = told(Role.SUPPORT)
    assert {supports[name] for name in ("astexecution", "policyresult", "host", "session")} == {"see"}
    assert supports["user"].startswith("see, add, ")


def test_an_address_that_is_none_answers_404(adas):
    for address in ("/admin/nothing/", "/admin/accounts/nothing/", "/admin/accounts/group/"):
        assert adas.get(address).status_code == 404
