"""The pages of policy runs as a browser gets them."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient

from apps.accounts.entities import Role
from apps.policy_runs.entities import AstExecution, PolicyResult, PolicyStatus, RunStatus
from tests.policy_runs.conftest import PASSWORD, good_policies, host_row
from tests.policy_runs.web import beyond_sign_in, browser, member

LIST, NEW, CHECK = "/policy-runs/", "/policy-runs/new/", "/policy-runs/check/"


@pytest.fixture
def page(owner):
    """The owner's browser."""
    return browser(owner)


def text_of(response):
    """What the page says, without tags and double spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def form(**changes):
    return {
        "ast_name": "login",
        "host_name": "demo",
        "user_id": "DEMO01",
        "password": "very-secret-7",
        "policy_numbers": "ABC123DEF, abc123deg\nABC123DEF",
        "idempotency_key": "key-of-the-form",
        **changes,
    }


def csv_file(content):
    return SimpleUploadedFile("policies.csv", content, content_type="text/csv")


# --- who ------------------------------------------------------------------------------------------------------------


def test_each_role_sees_the_pages_that_the_permission_table_says(run, store, owner):
    key = run.execution_id
    paths = (LIST, NEW, f"{LIST}{key}/", f"{LIST}{key}/results/", f"{LIST}{key}/state/", f"{LIST}{key}/ABC123DEF/")
    expected = {
        "owner": (200, 200, 200, 200, 200, 200),
        Role.ADMIN: (200, 200, 200, 200, 200, 200),
        Role.OPERATOR: (200, 200, 200, 200, 200, 404),
        Role.SUPPORT: (200, 403, 200, 200, 200, 404),
    } | dict.fromkeys(
        (Role.VIEWER, Role.SHOP_OPERATOR, Role.ANALYST, Role.MANAGER, Role.TEAM_MEMBER), (404, 404, 404, 404, 404, 404)
    )
    answered = {}
    for who in expected:
        client = browser(owner if who == "owner" else member(store, who))
        answered[who] = tuple(client.get(path).status_code for path in paths)

    assert answered == expected


def test_whoever_has_not_signed_in_is_sent_to_the_sign_in_page_and_back(run):
    nobody = browser(None)
    for path in (LIST, NEW, f"{LIST}{run.execution_id}/", f"{LIST}{run.execution_id}/ABC123DEF/"):
        answer = nobody.get(path)
        assert (answer.status_code, unquote(answer.url)) == (302, f"/account/sign-in/?next={path}")
    fragment = nobody.get(
        f"{LIST}{run.execution_id}/results/",
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{LIST}{run.execution_id}/"},
    )
    back = f"/account/sign-in/?next={LIST}{run.execution_id}/"
    assert (fragment.status_code, unquote(fragment.headers["HX-Redirect"])) == (401, back)


def test_a_form_without_its_token_is_refused_with_a_page(run, owner):
    client = browser(owner, enforce_csrf_checks=True)
    for path, body in ((NEW, form()), (f"{LIST}{run.execution_id}/control/", {"action": "cancel"})):
        answer = client.post(path, body)
        assert answer.status_code == 403
        assert "very-secret-7" not in answer.content.decode()
    assert browser(owner).get(f"{LIST}{run.execution_id}/state/").json()["status"] == "pending"


# --- the list -------------------------------------------------------------------------------------------------------


@pytest.fixture
def thirty_runs(stores, owner):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    stores.executions.put_many(
        AstExecution(
            execution_id=f"01JRUN{number:020}",
            session_id="s",
            user_id="somebody" if number % 3 == 0 else owner.user_id,
            ast_name="login",
            host_name="demo",
            status=RunStatus.FAILED if number % 2 else RunStatus.SUCCESS,
            created_at=start + timedelta(minutes=number),
        )
        for number in range(30)
    )


def listed(response):
    return re.findall(r'href="/policy-runs/(01JRUN\d+)/"', response.content.decode())


def test_the_list_shows_runs_newest_first_and_goes_on(page, thirty_runs):
    first = page.get(LIST)
    more = re.search(r'rel="next" href="([^"]+)"', first.content.decode())
    second = page.get(LIST + more[1].replace("&amp;", "&"))

    numbers = [f"01JRUN{number:020}" for number in reversed(range(30))]
    assert listed(first) + listed(second) == numbers
    assert len(listed(first)) == 25
    assert "Olga Operator" in text_of(first)
    assert "Somebody who left" in text_of(first)
    assert 'rel="prev"' in second.content.decode()


def test_the_list_can_be_narrowed(page, thirty_runs):
    assert len(listed(page.get(LIST, {"mine": "1"}))) == 20
    assert len(listed(page.get(LIST, {"status": "failed"}))) == 15
    assert len(listed(page.get(LIST, {"status": "failed", "mine": "1"}))) == 10
    assert "No run matches this filter." in text_of(page.get(LIST, {"status": "running"}))
    assert page.get(LIST, {"status": "<bogus>"}).status_code == 404
    assert page.get(LIST, {"cursor": "forged"}).status_code == 422


# --- a new run ------------------------------------------------------------------------------------------------------


def test_the_form_launches_a_run_and_a_second_press_leads_to_the_same_one(page, stores):
    stores.hosts.add(host_row(9))
    fresh = page.get(NEW).content.decode()
    key = re.search(r'name="idempotency_key" value="(\w+)"', fresh)[1]
    first = page.post(NEW, form(idempotency_key=key))
    second = page.post(NEW, form(idempotency_key=key))

    run = stores.executions.listed().items[0]
    assert (first.status_code, first.url) == (302, f"{LIST}{run.execution_id}/")
    assert second.url == first.url
    assert run.total_items == 2, "the duplicate is folded"
    assert len(stores.executions.listed().items) == 1
    assert key != re.search(r'name="idempotency_key" value="(\w+)"', page.get(NEW).content.decode())[1]


def test_a_csv_file_launches_a_run(page, stores):
    stores.hosts.add(host_row(9))
    content = "Name;Policy number\r\nMüller;ABC123DEF\r\nBrown;ABC123DEG\r\n".encode("cp1252")
    answer = page.post(NEW, form(policy_numbers="", policy_file=csv_file(content)))

    assert answer.status_code == 302
    assert stores.executions.listed().items[0].total_items == 2


def test_bad_lines_are_named_what_was_typed_stays_and_the_password_is_never_shown_again(page, stores):
    stores.hosts.add(host_row(9))
    typed = "ABC123DEF\nSHORT\n<b>bold</b>"
    answer = page.post(NEW, form(policy_numbers=typed))

    said, html = text_of(answer), answer.content.decode()
    assert answer.status_code == 422
    assert "2 entries are not a policy number; the first is on line 2." in said
    assert "Line 2 SHORT" in said
    assert "a policy number has 9 characters, this has 5" in said
    assert "Line 3 &lt;b&gt;bold&lt;/b&gt;" in said
    assert "ABC123DEF\nSHORT\n&lt;b&gt;" in html.replace("\r\n", "\n")
    assert 'value="DEMO01"' in html
    assert 'value="key-of-the-form"' in html
    assert "very-secret-7" not in html
    assert stores.executions.listed().items == []


def test_bad_lines_of_a_file_are_all_named_too(page, stores):
    stores.hosts.add(host_row(9))
    answer = page.post(NEW, form(policy_numbers="", policy_file=csv_file(b"policy\nABC123DEF\nSHORT\n,x\nALSO-BAD1\n")))

    said = text_of(answer)
    assert answer.status_code == 422
    assert "Line 3 SHORT" in said
    assert "Line 5 ALSO-BAD1" in said


def test_what_the_form_cannot_accept_is_said_beside_the_field(page, stores):
    stores.hosts.add(host_row(9))
    stores.hosts.add(host_row(9, host_name="closed", enabled=False))
    cases = [
        (form(policy_numbers=""), "Give at least one policy number."),
        (form(policy_file=csv_file(b"ABC123DEF")), "Paste policy numbers or choose a file, not both."),
        (form(policy_numbers="", policy_file=csv_file(b"")), "Give at least one policy number."),
        (form(policy_numbers="", policy_file=csv_file(b"PK\x03\x04\0\0")), "This is not a text file."),
        (form(policy_numbers="", policy_file=csv_file(b'ABC123DEF,"open\nABC123DEG')), "check the quotation marks"),
        (form(policy_numbers="", policy_file=csv_file(b"ABC123DEF\n" * 120_000)), "This file is larger than 1024 KB."),
        (form(policy_numbers="\n".join(f"A{n:08}" for n in range(10_001))), "at most 10,000 policies"),
        (form(password=""), "Enter the host password."),
        (form(host_name="10.0.0.1"), "Select a valid choice."),
        (form(host_name="closed"), "Select a valid choice."),
        (form(ast_name="erase"), "Select a valid choice."),
    ]
    for body, expected in cases:
        answer = page.post(NEW, body)
        assert (answer.status_code, expected in text_of(answer)) == (422, True), (expected, text_of(answer))
        assert "very-secret-7" not in answer.content.decode()
    assert stores.executions.listed().items == []


def test_a_form_that_was_sent_before_otherwise_filled_in_says_so(page, stores):
    stores.hosts.add(host_row(9))
    page.post(NEW, form())
    answer = page.post(NEW, form(policy_numbers="ABC123DEH"))

    assert answer.status_code == 422
    assert "This form was sent before" in text_of(answer)


def test_policy_numbers_are_checked_while_one_types(page):
    assert "Ready to start" in text_of(page.post(CHECK, {"policy_numbers": "abc123def ABC123DEF"}))
    assert "Line 1 SHORT" in text_of(page.post(CHECK, {"policy_numbers": "SHORT"}))
    assert "Line 2 NO-GOOD" in text_of(page.post(CHECK, {"policy_file": csv_file(b"policy\nNO-GOOD")}))
    assert "not a text file" in text_of(page.post(CHECK, {"policy_file": csv_file(b"\0\1")}))
    assert "Paste policy numbers or choose a CSV file." in text_of(page.post(CHECK, {"policy_numbers": " "}))


# --- a run ----------------------------------------------------------------------------------------------------------


def test_a_runs_page_shows_its_state_and_who_may_control_it_can(run, page, store):
    mine = page.get(f"{LIST}{run.execution_id}/")
    theirs = browser(member(store, Role.SUPPORT)).get(f"{LIST}{run.execution_id}/")

    for shown in (mine, theirs):
        assert "Waiting for a worker." in text_of(shown)
        assert "Olga Operator" in text_of(shown)
        assert "ABC123DEF" in text_of(shown)
        assert run.params["request"] not in shown.content.decode()
    assert 'data-control="pause"' in mine.content.decode()
    assert 'data-control="pause"' not in theirs.content.decode()
    assert f'href="{LIST}{run.execution_id}/ABC123DEF/"' in mine.content.decode()
    assert f'href="{LIST}{run.execution_id}/ABC123DEF/"' not in theirs.content.decode()


def test_a_run_is_controlled_by_its_buttons(run, page, stores):
    address = f"{LIST}{run.execution_id}/control/"
    for action, status in (("pause", "paused"), ("resume", "pending"), ("cancel", "cancelled")):
        answer = page.post(address, {"action": action})
        assert (answer.status_code, answer.url) == (302, f"{LIST}{run.execution_id}/")
        assert stores.executions.get(run.execution_id, consistent=True).status == status
    said = text_of(page.post(address, {"action": "resume"}, follow=True))
    assert "This run has ended (cancelled)" in said
    assert page.post(address, {"action": "explode"}).status_code == 422
    assert page.get(address).status_code == 405


def test_the_buttons_of_others_do_nothing(run, store, stores):
    address = f"{LIST}{run.execution_id}/control/"
    other = browser(member(store, Role.OPERATOR)).post(address, {"action": "cancel"}, follow=True)
    hidden = browser(member(store, Role.VIEWER)).post(address, {"action": "cancel"})

    assert "Only the person who started this run, or an administrator, may control it." in text_of(other)
    assert hidden.status_code == 404
    assert stores.executions.get(run.execution_id, consistent=True).status is RunStatus.PENDING


def test_a_paused_run_whose_password_was_erased_asks_for_it_and_then_goes_on(run, page, stores):
    address = f"{LIST}{run.execution_id}/"
    page.post(f"{address}control/", {"action": "pause"})
    assert "Sign-in at the host, again" not in text_of(page.get(address))
    stores.secrets.delete(run.execution_id)

    assert "Sign-in at the host, again" in text_of(page.get(address))
    refused = page.post(f"{address}control/", {"action": "resume"}, follow=True)
    assert "Give user id and password again to resume." in text_of(refused)
    page.post(f"{address}control/", {"action": "resume", "user_id": "DEMO01", "password": PASSWORD})
    assert stores.executions.get(run.execution_id, consistent=True).queue == "open"
    assert stores.secrets.find(run.execution_id) is not None


def test_results_come_in_pages_and_by_state(run, page, stores):
    stores.results.put_many(
        PolicyResult(
            execution_id=run.execution_id,
            policy_number=f"A{number:08}",
            status=PolicyStatus.FAILED if number % 10 == 0 else PolicyStatus.SUCCESS,
            error="<script>alert(1)</script>" if number % 10 == 0 else None,
        )
        for number in range(150)
    )
    address = f"{LIST}{run.execution_id}/results/"
    first = page.get(address).content.decode()
    more = re.search(r'hx-get="([^"]+)"', first)[1].replace("&amp;", "&")
    second = page.get(more).content.decode()
    failed = page.get(address, {"status": "failed"}).content.decode()

    rows = re.compile(r"A0000\d{4}|ABC123DE[FG]")
    assert len(set(rows.findall(first))) == 100
    assert len(set(rows.findall(first)) | set(rows.findall(second))) == 152
    assert len(set(rows.findall(failed))) == 15
    assert "<script>" not in failed
    assert "&lt;script&gt;" in failed
    assert page.get(address, {"status": "bogus"}).status_code == 404
    assert page.get(address, {"cursor": "forged"}).status_code == 422


async def test_a_policys_page_shows_its_screens_and_data_and_records_who_looked(launched, worked, owner, stores, store):
    number = good_policies(1)[0]
    run = await worked(launched([number]))
    address = f"{LIST}{run.execution_id}/{number}/"

    def look():
        shown = browser(owner).get(address)
        said = text_of(shown)
        assert shown.status_code == 200
        assert all(word in said for word in ("Screens 3", "log-on", "inquiry", "result", "Data read"))
        assert PASSWORD not in shown.content.decode()
        for role in (Role.OPERATOR, Role.SUPPORT, Role.VIEWER):
            assert browser(member(store, role)).get(address).status_code == 404
        assert browser(owner).get(f"{LIST}{run.execution_id}/ABC123XXX/").status_code == 404
        admin = member(store, Role.ADMIN, name="Ada Admin")
        assert browser(admin).get(address, REMOTE_ADDR="192.0.2.7").status_code == 200
        return admin

    admin = await asyncio.to_thread(look)
    entries = stores.audit.of(f"AstExecutions#{run.execution_id}").items
    looked = [(entry.actor_id, entry.address) for entry in entries if entry.action == "run.screens_seen"]
    assert looked == [(admin.user_id, "192.0.2.7"), (owner.user_id, "127.0.0.1")]


async def test_the_export_streams_every_result_and_no_formula(launched_offline, owner, store, stores):
    run = launched_offline
    stores.results.put_many(
        PolicyResult(
            execution_id=run.execution_id,
            policy_number=f"A{number:08}",
            status=PolicyStatus.FAILED if number == 7 else PolicyStatus.SUCCESS,
            error='=HYPERLINK("x"),"y"' if number == 7 else None,
        )
        for number in range(1200)
    )
    address = f"{LIST}{run.execution_id}/results.csv"
    client = browser(owner, kind=AsyncClient)
    answer = await client.get(address)
    assert answer.streaming
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="run-{run.execution_id}.csv"'
    parts = [part async for part in answer]
    lines = b"".join(parts).decode().splitlines()
    assert len(parts) == 3, "a heading, then a part for each thousand"
    assert lines[0] == "policy_number,status,duration_ms,attempt,started_at,completed_at,error"
    assert len(lines) == 1203

    answer = await client.get(address, {"status": "failed"})
    failed = b"".join([part async for part in answer]).decode().splitlines()
    assert failed[1:] == ['A00000007,failed,,0,,,"\'=HYPERLINK(""x""),""y"""']
    assert (await client.get(address, {"status": "bogus"})).status_code == 404
    assert (await browser(member(store, Role.VIEWER), kind=AsyncClient).get(address)).status_code == 404
    assert (await browser(None, kind=AsyncClient).get(address)).status_code == 302


# --- what it costs --------------------------------------------------------------------------------------------------


def test_no_page_asks_the_store_more_than_it_shows(run, page, costs):
    asked = {}
    for path in (LIST, NEW, f"{LIST}{run.execution_id}/", f"{LIST}{run.execution_id}/ABC123DEF/"):
        with costs(rcu=4, wcu=8, scans=2 if path == NEW else 0) as cost:
            assert page.get(path).status_code == 200
        asked[path.replace(run.execution_id, "id")] = beyond_sign_in(cost)

    assert asked == {
        LIST: {("query", "AstExecutions"): 1, ("batch_get_item", "Users"): 1},
        NEW: {("scan", "AstRegistry"): 1, ("scan", "Hosts"): 1},
        f"{LIST}id/": {
            ("get_item", "AstExecutions"): 1,
            ("batch_get_item", "Users"): 1,
            ("query", "PolicyResults"): 1,
        },
        f"{LIST}id/ABC123DEF/": {
            ("get_item", "AstExecutions"): 1,
            ("get_item", "PolicyResults"): 1,
            ("get_item", "RateLimits"): 1,  # who leafs on asks this alone
            ("transact_write_items", "RateLimits+AuditLog"): 1,
        },
    }
