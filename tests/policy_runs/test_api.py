"""The API: who gets what, in one shape, as its OpenAPI document says."""

import asyncio
from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from apps.accounts.entities import Role
from apps.policy_runs.asts import ASTS
from apps.policy_runs.asts.base import Credentials
from apps.policy_runs.entities import AstExecution, PolicyResult, PolicyStatus, RunStatus
from apps.policy_runs.services import LaunchRequest, launch
from apps.storage import connection
from apps.storage.connection import Store
from apps.storage.metering import metering
from tests.policy_runs.conftest import PASSWORD, good_policies, host_row
from tests.policy_runs.web import (
    CSRF_TOKEN,
    ApiClient,
    beyond_sign_in,
    browser,
    launch_body,
    member,
    openapi,
    session_key,
)

MISSING = "01JZZZZZZZZZZZZZZZZZZZZZZZ"


@pytest.fixture
def api(owner):
    return ApiClient(owner)


@pytest.fixture
def many_runs(stores, owner):
    """60 runs in the store, every third of somebody else, every fourth failed; newest first."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    runs = [
        AstExecution(
            execution_id=f"01JRUN{number:020}",
            session_id="s",
            user_id="somebody" if number % 3 == 0 else owner.user_id,
            ast_name="login",
            host_name="demo",
            status=RunStatus.FAILED if number % 4 == 0 else RunStatus.SUCCESS,
            total_items=1,
            created_at=start + timedelta(minutes=number),
        )
        for number in range(60)
    ]
    stores.executions.put_many(runs)
    return runs[::-1]


def keys(runs):
    return [run["executionId"] if isinstance(run, dict) else run.execution_id for run in runs]


# --- who ------------------------------------------------------------------------------------------------------------


def test_each_role_gets_what_the_permission_table_says(run, store, owner):
    key = run.execution_id
    # launch, list, run, results, one result, control
    expected = {
        "owner": (202, 200, 200, 200, 200, 200),
        Role.ADMIN: (202, 200, 200, 200, 200, 200),
        Role.OPERATOR: (202, 200, 200, 200, 404, 403),
        Role.SUPPORT: (403, 200, 200, 200, 404, 403),
    } | dict.fromkeys(
        (Role.VIEWER, Role.SHOP_OPERATOR, Role.ANALYST, Role.MANAGER, Role.TEAM_MEMBER), (404, 404, 404, 404, 404, 404)
    )
    answered = {}
    for who in expected:
        api = ApiClient(owner if who == "owner" else member(store, who))
        answered[who] = (
            api.post("", launch_body(key=f"launched by {who}")).status,
            api.get("").status,
            api.get(f"/{key}").status,
            api.get(f"/{key}/results").status,
            api.get(f"/{key}/results/ABC123DEF").status,
            api.post(f"/{key}/control", {"action": "pause"}).status,
        )

    assert answered == expected


def test_what_one_may_not_see_answers_exactly_as_what_does_not_exist(run, store):
    viewer = ApiClient(member(store, Role.VIEWER))
    for suffix in ("", "/results"):
        hidden, missing = viewer.get(f"/{run.execution_id}{suffix}"), viewer.get(f"/{MISSING}{suffix}")
        assert hidden.status == missing.status == 404
        for answer in (hidden, missing):
            answer.body["error"].pop("reference")
        assert hidden.body == missing.body


def test_without_sign_in_every_operation_answers_401_as_json(run):
    nobody = ApiClient(None)
    answers = [
        nobody.get(""),
        nobody.get(f"/{run.execution_id}"),
        nobody.get(f"/{run.execution_id}/results"),
        nobody.get(f"/{run.execution_id}/results/ABC123DEF"),
        nobody.post("", launch_body()),
        nobody.post(f"/{run.execution_id}/control", {"action": "cancel"}),
    ]

    assert [(answer.status, answer.code) for answer in answers] == [(401, "not_signed_in")] * 6


def test_a_change_without_the_csrf_token_is_refused(run, api):
    for path, body in (("", launch_body()), (f"/{run.execution_id}/control", {"action": "cancel"})):
        for token in (None, "d" * 32):
            answer = api.post(path, body, token=token)
            assert (answer.status, answer.code) == (403, "csrf")
    assert api.get(f"/{run.execution_id}").body["status"] == "pending"


# --- launching ------------------------------------------------------------------------------------------------------


def test_a_launch_answers_with_the_run_and_its_repetition_with_the_same_one(api, stores):
    stores.hosts.add(host_row(9))
    first = api.post("", launch_body("abc123def", "ABC123DEG", "abc123def"))
    again = api.post("", launch_body("abc123def", "ABC123DEG", "abc123def"))
    other = api.post("", launch_body("ABC123DEF"))

    assert (first.status, again.status) == (202, 200)
    assert (other.status, other.code) == (409, "idempotency_key_reused")
    assert first.body["executionId"] == again.body["executionId"]
    assert (first.body["status"], first.body["total"]) == ("pending", 2)
    assert first.body["waitingReason"] == "Waiting for a worker."
    assert PASSWORD not in str(first.body)


def test_every_bad_policy_number_is_named_with_its_place(api, stores):
    stores.hosts.add(host_row(9))
    answer = api.post("", launch_body("ABC123DEF", "SHORT", "ABC123DEG", "ABC-123-D"))

    error = answer.body["error"]
    assert (answer.status, error["code"], error["field"]) == (422, "invalid_launch", "policyNumbers")
    assert [(detail["line"], detail["value"]) for detail in error["details"]] == [(2, "SHORT"), (4, "ABC-123-D")]
    assert all(detail["message"] for detail in error["details"])


def test_what_cannot_be_launched_is_refused_in_the_one_shape_of_errors(api, stores):
    stores.hosts.add(host_row(9))
    cases = [
        (launch_body(hostName="10.0.0.1"), 422, "hostName"),
        (launch_body(astName="erase"), 422, "astName"),
        (launch_body(parameters={"depth": 3}), 422, "parameters"),
        (launch_body(policyNumbers=[]), 422, "policyNumbers"),
        (launch_body(policyNumbers=["ABC123DEF"] * 20_001), 422, "policyNumbers"),
        (launch_body(*[f"A{number:08}" for number in range(10_001)]), 422, "policyNumbers"),
        (launch_body(policyNumbers="ABC123DEF"), 422, "policyNumbers"),
        (launch_body(policyNumbers=[7, None]), 422, "policyNumbers.0"),
        (launch_body(idempotencyKey="short"), 422, "idempotencyKey"),
        (launch_body(password=""), 422, "password"),
        (launch_body(address="10.0.0.1"), 422, "address"),
        ({}, 422, "hostName"),
        ([], 422, None),
        (None, 422, None),
        (b"{", 400, None),
        (b"", 422, None),
        (b"\xff\xfe", 400, None),
        (b'{"hostName": "' + b"x" * 1_100_000 + b'"}', 413, None),
    ]
    for body, status, field in cases:
        answer = api.post("", body)
        shown = str(body)[:80]
        assert (answer.status, answer.body["error"]["field"]) == (status, field), (shown, answer.body)
        assert answer.body["error"]["reference"] == answer.headers["X-Request-Reference"], shown
        assert PASSWORD not in str(answer.body), shown
    assert api.get("").body["items"] == []


# --- reading --------------------------------------------------------------------------------------------------------


def test_the_list_goes_forward_and_back_by_its_cursors(api, many_runs):
    pages, cursor = [], None
    while True:
        page = api.get("", **({"cursor": cursor} if cursor else {})).body
        pages.append(page)
        cursor = page["next"]
        if cursor is None:
            break

    assert [len(page["items"]) for page in pages] == [25, 25, 10]
    assert keys(run for page in pages for run in page["items"]) == keys(many_runs)
    assert pages[0]["previous"] is None
    back = api.get("", cursor=pages[2]["previous"]).body
    assert keys(back["items"]) == keys(pages[1]["items"])
    first = api.get("", cursor=back["previous"]).body
    assert keys(first["items"]) == keys(pages[0]["items"])
    assert first["previous"] is None


def test_the_list_can_be_narrowed_to_a_state_and_to_ones_own(api, owner, many_runs):
    def listed(**query):
        found, cursor = [], None
        while True:
            page = api.get("", **query, **({"cursor": cursor} if cursor else {})).body
            found += keys(page["items"])
            cursor = page["next"]
            if cursor is None:
                return found

    failed = [run for run in many_runs if run.status is RunStatus.FAILED]
    mine = [run for run in many_runs if run.user_id == owner.user_id]
    assert listed(status="failed") == keys(failed)
    assert listed(mine="true") == keys(mine)
    assert listed(mine="true", status="failed") == keys(run for run in mine if run in failed)
    assert listed(status="running") == []
    assert api.get("", status="bogus").status == 422
    assert api.get("", mine="perhaps").status == 422


def test_a_cursor_that_was_forged_or_belongs_to_another_list_is_refused(api, many_runs):
    cursor = api.get("").body["next"]
    middle = len(cursor) // 2
    forged = cursor[:middle] + ("A" if cursor[middle] != "A" else "B") + cursor[middle + 1 :]
    for status, wrong in (
        (None, forged),
        ("failed", cursor),
        (None, "x"),
        (None, "é"),
        (None, "a" * 3000),
        (None, "\0"),
    ):
        answer = api.get("", cursor=wrong, **({"status": status} if status else {}))
        assert answer.status == 422, wrong
    assert api.get(f"/{many_runs[0].execution_id}/results", cursor=cursor).status == 422


def test_results_are_listed_by_state_in_pages_of_a_hundred(api, run, stores):
    stores.results.put_many(
        PolicyResult(
            execution_id=run.execution_id,
            policy_number=f"A{number:08}",
            status=PolicyStatus.FAILED if number % 10 == 0 else PolicyStatus.SUCCESS,
        )
        for number in range(150)
    )
    path = f"/{run.execution_id}/results"
    first = api.get(path).body
    second = api.get(path, cursor=first["next"]).body

    assert (len(first["items"]), len(second["items"]), second["next"]) == (100, 52, None)
    assert api.get(path, cursor=second["previous"]).body["items"] == first["items"]
    assert [item["policyNumber"] for item in api.get(path, status="failed").body["items"]] == [
        f"A{number:08}" for number in range(0, 150, 10)
    ]
    assert len(api.get(path, status="pending").body["items"]) == 2
    assert api.get(path, status="running").status == 422


async def test_a_policys_result_has_its_screens_and_data_and_looking_is_recorded(
    launched, worked, owner, stores, store
):
    number = good_policies(1)[0]
    run = await worked(launched([number]))
    api = ApiClient(owner)
    answer = await asyncio.to_thread(api.get, f"/{run.execution_id}/results/{number}")

    assert (answer.status, answer.body["status"], answer.body["policyNumber"]) == (200, "success", number)
    assert answer.body["data"]["policy_number"] == number
    assert [screen["step"] for screen in answer.body["screens"]] == ["log-on", "inquiry", "result"]
    assert all([len(line) for line in screen["lines"]] == [80] * 24 for screen in answer.body["screens"])
    assert PASSWORD not in str(answer.body)
    looked = stores.audit.of(f"AstExecutions#{run.execution_id}", limit=1).items[0]
    assert (looked.action, looked.actor_id, looked.after) == (
        "run.screens_seen",
        owner.user_id,
        {"first_policy_number": number},
    )


def test_a_policy_number_has_its_pattern_in_an_address_too(api, run):
    assert api.get(f"/{run.execution_id}/results/ABC123XXX").status == 404
    for wrong in ("abc123def", "ABC", "ABC123DEFG", "ABC123DE%0A", "ABC123D%C3%89"):
        assert api.get(f"/{run.execution_id}/results/{wrong}").status == 422, wrong


def test_what_never_ran_in_a_run_that_ended_reads_as_skipped(api, run):
    assert api.post(f"/{run.execution_id}/control", {"action": "cancel"}).body["status"] == "cancelled"

    results = api.get(f"/{run.execution_id}/results").body["items"]
    assert [result["status"] for result in results] == ["skipped", "skipped"]
    assert len(api.get(f"/{run.execution_id}/results", status="skipped").body["items"]) == 2
    counts = api.get(f"/{run.execution_id}").body["counts"]
    assert counts == {"pending": 0, "success": 0, "failed": 0, "skipped": 2, "unknown": 0}


# --- control --------------------------------------------------------------------------------------------------------


def test_a_run_is_paused_resumed_and_cancelled_and_then_stays_as_it_is(api, run, stores):
    path = f"/{run.execution_id}/control"
    assert api.post(path, {"action": "pause"}).body["status"] == "paused"
    assert api.post(path, {"action": "pause"}).body["status"] == "paused"
    assert api.post(path, {"action": "resume"}).body["status"] == "pending"
    assert api.post(path, {"action": "cancel"}).body["status"] == "cancelled"
    again = api.post(path, {"action": "resume"})

    assert (again.status, again.code) == (409, "control_refused")
    assert stores.secrets.find(run.execution_id) is None
    actions = [entry.action for entry in stores.audit.of(f"AstExecutions#{run.execution_id}").items]
    assert actions == ["run.cancel", "run.run", "run.pause", "run.launched"]


def test_resuming_after_the_password_was_erased_asks_for_it(api, run, stores):
    path = f"/{run.execution_id}/control"
    api.post(path, {"action": "pause"})
    stores.secrets.delete(run.execution_id)
    refused = api.post(path, {"action": "resume"})
    half = api.post(path, {"action": "resume", "userId": "DEMO01"})
    given_anew = api.post(path, {"action": "resume", "userId": "DEMO01", "password": PASSWORD})

    assert (refused.status, refused.code, refused.body["error"]["field"]) == (422, "credentials_needed", "password")
    assert half.status == 422
    assert (given_anew.status, given_anew.body["status"]) == (200, "pending")
    assert stores.secrets.find(run.execution_id) is not None


def test_resuming_keeps_the_password_for_another_day(api, run, stores):
    before = stores.secrets.get(run.execution_id, consistent=True).expires_at
    stores.secrets.put_many(
        [stores.secrets.get(run.execution_id).model_copy(update={"expires_at": before - timedelta(hours=23)})]
    )
    api.post(f"/{run.execution_id}/control", {"action": "pause"})
    api.post(f"/{run.execution_id}/control", {"action": "resume"})

    assert stores.secrets.get(run.execution_id, consistent=True).expires_at >= before


def test_a_control_that_does_not_exist_is_refused(api, run):
    path = f"/{run.execution_id}/control"
    for body in (
        {"action": "explode"},
        {"action": "pause\n"},
        {"action": None},
        {},
        {"action": "pause", "force": True},
    ):
        assert api.post(path, body).status == 422, body
    assert api.post(path, b"pause").status == 400
    assert api.post(f"/{MISSING}/control", {"action": "pause"}).status == 404


# --- edges ----------------------------------------------------------------------------------------------------------


def test_a_method_or_an_address_that_does_not_exist_is_told_in_the_same_shape(owner):
    client = browser(owner)
    wrong_method = client.delete("/api/policy-runs")
    wrong_address = client.get("/api/nowhere")

    assert (wrong_method.status_code, wrong_method.json()["error"]["code"]) == (405, "method_not_allowed")
    assert set(wrong_method.headers["Allow"].split(", ")) == {"GET", "POST"}
    assert (wrong_address.status_code, wrong_address.json()["error"]["code"]) == (404, "not_found")


def test_a_store_that_does_not_answer_is_503_in_the_same_shape(api, run, monkeypatch):
    gone = Store(environment="dev", prefix="none", endpoint="http://127.0.0.1:9", region="eu-west-1", attempts=1)
    monkeypatch.setattr(connection, "_default", gone)
    answers = [api.get(""), api.get(f"/{run.execution_id}"), api.post("", launch_body())]

    assert [answer.status for answer in answers] == [503] * 3
    assert all(answer.body["error"]["message"].endswith(".") for answer in answers)


def test_reading_costs_a_request_or_two_and_never_a_scan(api, run):
    costs = {}
    for path in ("", f"/{run.execution_id}", f"/{run.execution_id}/results", f"/{run.execution_id}/results/ABC123DEF"):
        with metering() as cost:
            assert api.get(path).status == 200
        assert not cost.count("scan")
        costs[path.replace(run.execution_id, "id")] = beyond_sign_in(cost)

    assert costs == {
        "": {("query", "AstExecutions"): 1},
        "/id": {("get_item", "AstExecutions"): 1},
        "/id/results": {("get_item", "AstExecutions"): 1, ("query", "PolicyResults"): 1},
        "/id/results/ABC123DEF": {
            ("get_item", "AstExecutions"): 1,
            ("get_item", "PolicyResults"): 1,
            ("get_item", "RateLimits"): 1,
            ("transact_write_items", "RateLimits+AuditLog"): 1,
        },
    }


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_whatever_is_sent_is_answered_as_the_openapi_document_says(mode, run, owner):
    described = deepcopy(openapi())  # of the others: tests/project/test_api_as_declared.py
    described["paths"] = {path: found for path, found in described["paths"].items() if path.startswith("/api/policy-")}
    for operation in (operation for path in described["paths"].values() for operation in path.values()):
        operation.pop("security", None)  # the cookie stands in every request here; what happens without is tested above
    schema = schemathesis.openapi.from_dict(described)
    schema.app = get_wsgi_application()
    cookies = {"sessionid": session_key(owner), "csrftoken": CSRF_TOKEN}
    known = {"execution_id": run.execution_id, "policy_number": "ABC123DEF"}
    operations = [found.ok() for found in schema.get_all_operations()]
    answered = set()

    @settings(max_examples=150, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def answers_as_declared(data):
        operation = data.draw(st.sampled_from(operations))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if mode is GenerationMode.POSITIVE and data.draw(st.booleans()):
            case.path_parameters = {name: known[name] for name in case.path_parameters or {}}
        # Which hosts there are and what is a policy number is told by the answer, so a valid form may be refused.
        response = case.call_and_validate(
            cookies=cookies, headers={"X-CSRFToken": CSRF_TOKEN}, excluded_checks=[positive_data_acceptance]
        )
        answered.add((operation.label, response.status_code))

    answers_as_declared()
    statuses = {status for _, status in answered}
    if mode is GenerationMode.POSITIVE:
        assert {label for label, _ in answered} == {operation.label for operation in operations}
        assert statuses >= {200, 404, 422}
    else:
        assert statuses >= {400, 422}


def test_a_run_of_the_command_line_is_seen_like_any_other(api, stores):
    stores.hosts.add(host_row(9))
    from apps.policy_runs.management.commands.run_policies import _actor  # noqa: PLC0415

    launched = launch(
        stores,
        actor=_actor(None),
        request=LaunchRequest(ast_name="login", host_name="demo", numbers=("ABC123DEF",), key="typed"),
        credentials=Credentials("DEMO01", PASSWORD),
        asts=ASTS,
        now=datetime.now(UTC),
    )

    assert keys(api.get("").body["items"]) == [launched.run.execution_id]
