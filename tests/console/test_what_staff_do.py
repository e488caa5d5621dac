"""What staff do to runs, ASTs, browsers, tokens and deleted items in the back office, through the services."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from apps.accounts.entities import ApiToken, Role
from apps.accounts.repository import ApiTokens
from apps.audit.repository import AuditLog
from apps.policy_runs.entities import RunStatus
from apps.storage.entity import Entity, Unique
from apps.storage.repository import Repository
from apps.storage.sessions import WebSessions
from apps.storage.table import Key, Table
from apps.storage.trash import Trash
from project import restoring
from tests.conftest import create_tables
from tests.console.test_actions import asked, chosen, states
from tests.policy_runs.web import browser, member

NOW = datetime.now(UTC).replace(microsecond=0)
RUNS, ASTS = "/admin/policy_runs/astexecution/", "/admin/policy_runs/astregistration/"
BROWSERS, TOKENS = "/admin/storage/websession/", "/admin/accounts/apitoken/"
TRASH = "/admin/storage/deleted/"


@pytest.fixture
def newest(store):
    """The newest entry of an object: what was done, by whom."""

    def read(name):
        entry = AuditLog(store).of(name).items[0]
        return entry.action, entry.actor_id, entry.address

    return read


@pytest.fixture
def sams(store):
    """A browser in which somebody of support is signed in."""
    return browser(member(store, Role.SUPPORT))


def confirmed(client, address, action, *names):
    return client.post(address, asked(client.post(address, chosen(action, *names))))


def test_results_are_not_leafed_through_with_their_screens(adas, run, costs):
    with costs(requests=2, scans=0):
        page = adas.get("/admin/policy_runs/policyresult/").content.decode()
    assert "Choose a run, or enter a policy number" in page
    assert "ABC123DEF" not in page


def test_a_run_is_paused_resumed_and_cancelled(adas, ada, stores, run, newest):
    key = run.execution_id
    for action, status, recorded in (
        ("pause", RunStatus.PAUSED, "run.pause"),
        ("resume", RunStatus.PENDING, "run.run"),
        ("cancel", RunStatus.CANCELLED, "run.cancel"),
    ):
        post = adas.post(RUNS, chosen(action, key)) if action == "resume" else confirmed(adas, RUNS, action, key)
        assert post.status_code == 302, action
        assert stores.executions.get(key, consistent=True).status is status
        assert newest(f"AstExecutions#{key}") == (recorded, ada.user_id, "127.0.0.1")


def test_what_a_runs_state_does_not_allow_is_told(adas, stores, run):
    confirmed(adas, RUNS, "cancel", run.execution_id)
    answer = adas.post(RUNS, chosen("resume", run.execution_id))
    assert answer.status_code == 200
    assert "has ended" in states(answer)[run.execution_id]


def test_support_sees_runs_and_controls_none(sams, stores, run):
    html = sams.get(RUNS).content.decode()
    assert run.execution_id in html
    assert 'name="action"' not in html
    for action in ("pause", "resume", "cancel", "export"):
        assert sams.post(RUNS, chosen(action, run.execution_id)).status_code == 403
    assert stores.executions.get(run.execution_id, consistent=True).status is RunStatus.PENDING


def test_a_runs_page_leads_to_the_run_and_to_its_results(adas, run):
    html = adas.get(f"{RUNS}{run.execution_id}/change/").content.decode()
    assert f'href="/policy-runs/{run.execution_id}/"' in html
    result = re.search(r'href="(/admin/policy_runs/policyresult/[^"]+)">ABC123DEF', html)[1]
    assert "ABC123DEF" in adas.get(result).content.decode()
    assert f'href="/admin/accounts/user/{run.user_id}/change/">Owner' in html
    listed = adas.get("/admin/policy_runs/policyresult/", {"execution_id": run.execution_id}).content.decode()
    assert "ABC123DEF" in listed
    assert "ABC123DEG" in listed


def test_screens_are_led_to_by_who_may_see_them_alone(adas, sams, run):
    address = f"/admin/policy_runs/policyresult/{_name(adas)}/change/"
    screens = f'href="/policy-runs/{run.execution_id}/ABC123DEF/"'
    assert screens in adas.get(address).content.decode()
    assert screens not in sams.get(address).content.decode()


def _name(client):
    html = client.get("/admin/policy_runs/policyresult/?policy_number=ABC123DEF").content.decode()
    return html.partition('<a href="/admin/policy_runs/policyresult/')[2].partition("/change/")[0]


def test_runs_are_found_by_status_host_and_owner(adas, run, owner, costs):
    for query, there in (
        (f"user_id={owner.user_id}", True),
        ("status=pending", True),
        ("host_name=demo", True),
        ("host_name=other", False),
        ("status=failed", False),
        (f"user_id={owner.user_id}&status=paused", False),
    ):
        with costs(requests=4, wcu=0):
            html = adas.get(f"{RUNS}?{query}").content.decode()
        assert (run.execution_id in html) is there, query


def test_an_ast_is_switched_off_and_no_longer_launched(adas, ada, sams, stores, newest):
    assert sams.post(ASTS, chosen("switch_off", "login")).status_code == 403
    assert confirmed(adas, ASTS, "switch_off", "login").status_code == 302
    assert stores.asts.enabled() == []
    assert newest("AstRegistry#login") == ("ast.switched_off", ada.user_id, "127.0.0.1")
    assert adas.post(ASTS, chosen("switch_on", "login")).status_code == 302
    assert [ast.ast_name for ast in stores.asts.enabled()] == ["login"]


def test_a_browser_is_signed_out(store, adas, ada, owner, newest):
    theirs = browser(owner)
    assert theirs.get("/account/").status_code == 200
    (session,) = WebSessions(store).of(owner.user_id)
    assert confirmed(adas, BROWSERS, "sign_out", session.session_hash).status_code == 302
    assert theirs.get("/account/").status_code == 302
    assert newest(f"Users#{owner.user_id}") == ("user.session_ended", ada.user_id, "127.0.0.1")


def test_a_token_is_revoked(store, adas, ada, owner, newest):
    tokens, expires_at = ApiTokens(store), NOW + timedelta(days=1)
    made = {"user_id": owner.user_id, "hint": "abcd", "created_at": NOW, "expires_at": expires_at}
    tokens.add(ApiToken(token_hash="a" * 64, name="nightly", **made))
    assert "nightly" in adas.get(f"{TOKENS}?user_id={owner.user_id}").content.decode()
    assert confirmed(adas, TOKENS, "revoke", "a" * 64).status_code == 302
    assert tokens.find("a" * 64, consistent=True) is None
    assert newest(f"Users#{owner.user_id}") == ("user.token_revoked", ada.user_id, "127.0.0.1")


def test_a_users_page_leads_to_what_they_did(adas, owner):
    html = adas.get(f"/admin/accounts/user/{owner.user_id}/change/").content.decode()
    address = f"/audit/?actor={owner.user_id}"
    assert f'href="{address}"' in html
    assert adas.get(address).status_code == 200


class Keepsake(Entity):
    """Something that is kept for a while when it is deleted, with a name of its own."""

    unique: ClassVar[tuple[Unique, ...]] = (Unique("name"),)
    derived: ClassVar[Mapping[str, str]] = {}
    kept_deleted: ClassVar[timedelta | None] = timedelta(days=30)

    keepsake_id: str
    name: str


class Keepsakes(Repository[Keepsake]):
    entity = Keepsake
    table = Table(name="Keepsakes", partition_key=Key("keepsake_id"))
    noun = "keepsake"


@pytest.fixture
def keepsakes(store, monkeypatch):
    create_tables(store, Keepsakes.table)
    monkeypatch.setattr(restoring, "declared_repositories", lambda: (Keepsakes,))
    found = Keepsakes(store)
    found.add(Keepsake(keepsake_id="k-1", name="Ring"))
    found.delete("k-1")
    return found


def test_what_was_deleted_is_restored_with_an_entry(store, adas, ada, keepsakes, newest):
    assert "Keepsakes#k-1" in adas.get(f"{TRASH}?table=Keepsakes").content.decode()
    assert adas.post(TRASH, chosen("restore", "Keepsakes#k-1")).status_code == 302
    assert keepsakes.get("k-1", consistent=True).name == "Ring"
    assert Trash(store).find("Keepsakes#k-1", consistent=True) is None
    assert newest("Keepsakes#k-1") == ("item.restored", ada.user_id, "127.0.0.1")


def test_what_cannot_be_restored_is_told_and_stays(store, adas, sams, keepsakes):
    keepsakes.add(Keepsake(keepsake_id="k-2", name="Ring"))
    assert sams.post(TRASH, chosen("restore", "Keepsakes#k-1")).status_code == 404
    answer = adas.post(TRASH, chosen("restore", "Keepsakes#k-1"))
    assert answer.status_code == 200
    assert "already" in states(answer)["Keepsakes#k-1"]
    assert Trash(store).find("Keepsakes#k-1", consistent=True)
    assert keepsakes.find("k-1", consistent=True) is None
