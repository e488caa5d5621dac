import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from apps.storage.connection import Store
from apps.storage.engine import EngineKind
from apps.storage.registry import declared_tables
from apps.storage.schema.apply import creation, drop_changed_indexes, set_up
from apps.storage.schema.verify import verify
from tests.storage.engines import (
    BOTH,
    ROOT,
    create,
    endpoint,
    faulty,
    fresh_store,
    real,
    run,
    sts,
    table,
    using,
    without_credentials,
)

COUNT = len(declared_tables())
heard: list[str] = []


def hears(*, store: Store) -> str:
    heard.append(store.prefix)
    return "heard of the set-up"


@pytest.fixture(params=BOTH)
def bare(request: pytest.FixtureRequest, settings: Any) -> Iterator[Store]:
    store = fresh_store(request.param)
    with using(store, settings):
        yield store


@pytest.fixture
def quick(settings: Any) -> Iterator[Store]:
    store = fresh_store()
    with using(store, settings):
        yield store


def statuses(document: dict[str, Any]) -> set[str]:
    return {row["status"] for row in document["tables"]}


def test_all_tables_are_created_as_declared(bare: Store) -> None:
    ran = run("setup_tables", "--json")
    assert (ran.code, ran.json["success"], statuses(ran.json)) == (0, True, {"created"})
    assert len(ran.json["tables"]) == COUNT
    assert run("verify_tables").code == 0


def test_a_second_run_changes_nothing(bare: Store) -> None:
    run("setup_tables")
    ran = run("setup_tables", "--json")
    assert (ran.code, statuses(ran.json)) == (0, {"exists"})


def test_json_has_the_promised_shape(quick: Store) -> None:
    document = run("setup_tables", "--json", "--only", "RateLimits").json
    assert set(document) == {"success", "environment", "region", "tables", "totalDurationMs"}
    assert (document["environment"], document["region"]) == ("dev", "us-east-1")
    (row,) = document["tables"]
    assert isinstance(row.pop("durationMs"), int)
    assert row == {"tableName": f"{quick.prefix}-dev-RateLimits", "status": "created", "error": None, "unsupported": []}


def test_people_get_one_line_a_table_and_a_closing_sentence(quick: Store) -> None:
    lines = run("setup_tables").out.strip().splitlines()
    assert len(lines) == COUNT + 2
    assert any("-dev-Users  created" in line for line in lines)
    assert lines[-1].startswith(f"{COUNT} tables in ")
    assert f"{COUNT} created" in lines[-1]


def test_quiet_leaves_the_closing_sentence(quick: Store) -> None:
    (line,) = run("setup_tables", "--quiet", "--only", "Users").out.strip().splitlines()
    assert line.startswith("1 table in ")


@pytest.mark.parametrize("flag", ["--plan", "--dry-run"])
def test_a_plan_creates_nothing(quick: Store, flag: str) -> None:
    document = run("setup_tables", flag, "--json").json
    assert statuses(document) == {"created"}
    assert document["plan"] is True
    assert run("list_tables", "--json").json["tables"] == []


def test_a_missing_index_is_added(bare: Store) -> None:
    create(bare, "Users", GlobalSecondaryIndexes=None, AttributeDefinitions=[_string("userId")])
    planned = run("setup_tables", "--plan", "--json", "--only", "Users").json["tables"][0]
    assert planned["changes"][:2] == ["add index email-index", "add index directory-index"]
    done = run("setup_tables", "--json", "--only", "Users").json["tables"][0]
    assert done["status"] == "updated"
    assert {index["IndexName"] for index in real(bare, "Users")["GlobalSecondaryIndexes"]} == {
        "email-index",
        "directory-index",
    }
    assert verify(bare, table("Users")).issues == ()


def test_expiry_tags_and_billing_of_an_older_table_are_completed(bare: Store) -> None:
    throughput = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    create(bare, "RateLimits", Tags=None, BillingMode="PROVISIONED", ProvisionedThroughput=throughput)
    row = run("setup_tables", "--json", "--only", "RateLimits").json["tables"][0]
    assert (row["status"], row["error"]) == ("updated", None)
    assert verify(bare, table("RateLimits")).issues == ()
    described = bare.client.describe_time_to_live(TableName=row["tableName"])["TimeToLiveDescription"]
    assert described["AttributeName"] == "expires_at"


def test_a_wrong_key_is_explained_and_left_alone(bare: Store) -> None:
    create(
        bare,
        "Uniques",
        KeySchema=[{"AttributeName": "lock", "KeyType": "HASH"}],
        AttributeDefinitions=[_string("lock")],
        Tags=None,
    )
    before = real(bare, "Uniques")
    ran = run("setup_tables", "--only", "Uniques")
    assert ran.code == 1
    assert "Its key is lock (S), but guard (S) is declared." in ran.out
    assert "cannot change a table's key" in ran.out
    assert real(bare, "Uniques") == before


def test_an_index_with_another_projection_is_explained_and_left_alone(bare: Store) -> None:
    index = {
        "IndexName": "user_id-index",
        "KeySchema": [{"AttributeName": "user_id", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    create(bare, "WebSessions", GlobalSecondaryIndexes=[index])
    row = run("setup_tables", "--json", "--only", "WebSessions").json["tables"][0]
    assert row["status"] == "failed"
    assert "carries only the keys, but created_at, device, expires_at, last_seen_at is declared" in row["error"]


def test_some_done_and_some_failed_is_exit_code_2(quick: Store) -> None:
    create(
        quick,
        "Uniques",
        KeySchema=[{"AttributeName": "lock", "KeyType": "HASH"}],
        AttributeDefinitions=[_string("lock")],
    )
    ran = run("setup_tables", "--json", "--only", "Uniques", "Pointers")
    assert (ran.code, ran.json["success"]) == (2, False)
    assert [row["status"] for row in ran.json["tables"]] == ["created", "failed"]


@pytest.mark.parametrize("kind", BOTH)
def test_two_runs_at_once_help_each_other(kind: EngineKind) -> None:
    store = fresh_store(kind)
    create(store, "Users", GlobalSecondaryIndexes=None, AttributeDefinitions=[_string("userId")])
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(set_up, store, declared_tables()) for _ in range(2)]
    outcomes = [run.result() for run in runs]
    assert [outcome.error for outcome in (*outcomes[0], *outcomes[1]) if outcome.error] == []
    for first, second in zip(*outcomes, strict=True):
        assert (first.status == "created") + (second.status == "created") == (first.table.name != "Users")
    assert [issue for declared in declared_tables() for issue in verify(store, declared).issues] == []


def test_recovery_is_set_where_the_engine_has_it_and_unsupported_where_not(settings: Any) -> None:
    for kind, unsupported, status in (
        (EngineKind.DYNOXIDE, ["point-in-time recovery"], None),
        (EngineKind.MOTO, [], "ENABLED"),
    ):
        store = fresh_store(kind)
        with using(store, settings):
            ran = run("setup_tables", "--json", "--only", "Users")
        assert (ran.code, ran.json["tables"][0]["unsupported"]) == (0, unsupported)
        if status:
            backups = store.client.describe_continuous_backups(TableName=ran.json["tables"][0]["tableName"])
            recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
            assert recovery["PointInTimeRecoveryStatus"] == status


def test_prod_is_protected_tagged_and_recoverable(settings: Any) -> None:
    store = fresh_store(EngineKind.MOTO, environment="prod")
    with using(store, settings):
        assert run("setup_tables", "--quiet").code == 0
        assert run("verify_tables", "--quiet").code == 0
    for declared in declared_tables():
        found = real(store, declared.name)
        assert found["DeletionProtectionEnabled"] is True
        tags = store.client.list_tags_of_resource(ResourceArn=found["TableArn"])["Tags"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == {"Environment": "prod", "Application": "Rungs"}
        backups = store.client.describe_continuous_backups(TableName=found["TableName"])
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        assert (recovery["PointInTimeRecoveryStatus"] == "ENABLED") is declared.wants_recovery("prod")


def test_a_mapped_name_is_used(settings: Any) -> None:
    store = fresh_store()
    physical = f"{store.prefix}-of-other-people"
    with using(store, settings, TABLE_NAMES={"Users": physical}):
        assert run("setup_tables", "--json", "--only", "Users").json["tables"][0]["tableName"] == physical
        assert run("verify_tables", "--json", "--only", "Users").json["checks"][0]["tableName"] == physical
        assert [row["tableName"] for row in run("list_tables", "--json").json["tables"]] == [physical]


def test_without_credentials_there_is_one_sentence_and_numbered_remedies(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_credentials(monkeypatch)
    with using(fresh_store(), settings, ENDPOINT=None):
        ran = run("setup_tables")
        machine = run("setup_tables", "--json")
    assert (ran.code, ran.out) == (1, "")
    first, *remedies = ran.err.strip().splitlines()
    assert first.startswith("No usable AWS credentials were found")
    assert [line.strip()[:2] for line in remedies] == ["1.", "2."]
    assert machine.code == 1
    assert machine.json["success"] is False
    assert machine.json["error"]["code"] == "access_denied"


def test_wrong_credentials_are_told_before_any_table_is_touched(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    without_credentials(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "wrong")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with sts(refuses=True) as address, using(fresh_store(), settings, ENDPOINT=None):
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", address)
        ran = run("setup_tables")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("AWS does not accept these credentials")


def test_with_aws_the_caller_is_named_first(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    without_credentials(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "right")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "right")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint())
    with sts() as address, using(fresh_store(), settings, ENDPOINT=None):
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", address)
        ran = run("setup_tables", "--only", "Users")
    assert ran.code == 0
    assert "account 000000000001 as arn:aws:iam::1:user/ada" in ran.out.splitlines()[0]


def test_an_unknown_region_is_one_sentence(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    without_credentials(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "right")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "right")
    with using(fresh_store(), settings, ENDPOINT=None):
        ran = run("setup_tables", "--region", "atlantis-1")
    assert ran.code == 1
    assert ran.err.splitlines()[0] == "AWS cannot be reached in region atlantis-1."
    assert "--region" in ran.err.splitlines()[1]


def test_nobody_at_the_endpoint_is_one_sentence(settings: Any) -> None:
    with using(fresh_store(), settings, ENDPOINT="http://127.0.0.1:9"):
        ran = run("setup_tables")
    assert ran.code == 1
    assert ran.err.startswith("The store does not answer")


def test_a_limit_at_aws_fails_that_table_only(settings: Any) -> None:
    limit = {("CreateTable", "Users"): ("LimitExceededException", "Subscriber limit exceeded")}
    with faulty(endpoint(), limit) as address, using(fresh_store(), settings, ENDPOINT=address):
        ran = run("setup_tables", "--json", "--only", "Users", "Pointers")
    assert ran.code == 2
    errors = {row["tableName"].rpartition("-")[2]: row["error"] for row in ran.json["tables"]}
    assert errors["Pointers"] is None
    assert errors["Users"].startswith("AWS refuses for now because a limit is reached")


def test_a_missing_permission_is_named(settings: Any) -> None:
    denied = {("CreateTable", ""): ("AccessDeniedException", "ada is not authorized to perform: dynamodb:CreateTable")}
    with faulty(endpoint(), denied) as address, using(fresh_store(), settings, ENDPOINT=address):
        ran = run("setup_tables", "--quiet", "--only", "Users")
    assert ran.code == 1
    assert "not authorized to perform: dynamodb:CreateTable" in ran.err


def test_apps_are_told_after_a_whole_setup_only(settings: Any) -> None:
    store = fresh_store()
    with using(store, settings, AFTER_SETUP=[f"{__name__}.hears"]):
        run("setup_tables", "--plan")
        run("setup_tables", "--only", "Users")
        assert store.prefix not in heard
        assert "heard of the set-up" in run("setup_tables").out
    assert heard.count(store.prefix) == 1


def test_wrong_usage_is_exit_code_1_and_json_if_asked(quick: Store) -> None:
    ran = run("setup_tables", "--only", "User")
    assert (ran.code, ran.err) == (1, "No table is called User; did you mean Users?\n")
    ran = run("setup_tables", "--env", "production", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (1, "usage")


def test_as_a_program_only_json_is_on_stdout_and_no_traceback_on_stderr() -> None:
    def program(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "AWS_ENDPOINT_URL_DYNAMODB": endpoint(), **variables}
        command = [sys.executable, "manage.py", "setup_tables", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    good = program("--json", "--only", "Users", RUNGS_TABLE_PREFIX=fresh_store().prefix)
    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout)["success"] is True
    bad = program("--json", AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:9")
    assert (bad.returncode, bad.stderr) == (1, "")
    assert json.loads(bad.stdout)["success"] is False


def _string(name: str) -> dict[str, str]:
    return {"AttributeName": name, "AttributeType": "S"}


def test_an_embedded_engine_builds_a_changed_index_anew() -> None:
    store = fresh_store()
    declared = table("AuditLog")
    before = tuple(replace(index, include=("at",)) for index in declared.indexes)
    store.client.create_table(
        **creation(replace(declared, indexes=before), store.physical(declared), environment="dev")
    )
    (failed,) = set_up(store, [declared])
    assert "cannot change an index" in str(failed.error)
    assert drop_changed_indexes(store, declared) == tuple(index.name for index in declared.indexes)
    (done,) = set_up(store, [declared])
    assert done.error is None
    assert drop_changed_indexes(store, declared) == ()
