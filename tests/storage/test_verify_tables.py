from collections.abc import Iterator
from typing import Any

import pytest

from apps.storage.connection import Store
from apps.storage.engine import EngineKind
from apps.storage.registry import declared_tables
from tests.storage.engines import BOTH, create, endpoint, faulty, fresh_store, run, table, using


@pytest.fixture(params=BOTH)
def bare(request: pytest.FixtureRequest, settings: Any) -> Iterator[Store]:
    store = fresh_store(request.param)
    with using(store, settings):
        yield store


def issues(name: str) -> list[str]:
    ran = run("verify_tables", "--json", "--only", name)
    (check,) = ran.json["checks"]
    assert ran.code == (1 if check["issues"] else 0)
    assert check["passed"] is not bool(check["issues"])
    return list(check["issues"])


def test_json_has_the_promised_shape(bare: Store) -> None:
    run("setup_tables", "--only", "PolicyResults", "Hosts")
    document = run("verify_tables", "--json", "--only", "PolicyResults", "Hosts", "Users").json
    assert isinstance(document.pop("durationMs"), int)
    hosts, results, users = document.pop("checks")
    assert document == {
        "success": False,
        "environment": "dev",
        "region": "us-east-1",
        "summary": {"totalTables": 3, "tablesFound": 2, "tablesMissing": 1, "tablesWithIssues": 0},
    }
    results.pop("unsupported")
    assert results == {
        "tableName": f"{bare.prefix}-dev-PolicyResults",
        "status": "ACTIVE",
        "partitionKey": {"name": "execution_id", "type": "S"},
        "sortKey": {"name": "policy_number", "type": "S"},
        "gsiNames": ["execution_id-status_key-index", "policy_number-execution_id-index"],
        "billingMode": "PAY_PER_REQUEST",
        "passed": True,
        "issues": [],
    }
    assert (hosts["sortKey"], hosts["gsiNames"]) == (None, [])
    assert (users["status"], users["passed"], users["partitionKey"]) == ("MISSING", False, None)


def test_nothing_is_changed(bare: Store) -> None:
    assert run("verify_tables").code == 1
    assert bare.client.list_tables()["TableNames"].count(bare.physical(table("Users"))) == 0


def test_a_missing_table_has_a_remedy(bare: Store) -> None:
    assert issues("Users") == ["The table is missing. Run: manage.py setup_tables"]


def test_a_key_of_another_type_is_found(bare: Store) -> None:
    create(bare, "Hosts", AttributeDefinitions=[{"AttributeName": "host_name", "AttributeType": "N"}])
    assert issues("Hosts")[0].startswith("Its key is host_name (N), but host_name (S) is declared.")


def test_a_missing_index_and_an_undeclared_one_are_found(bare: Store) -> None:
    index = {
        "IndexName": "owner-index",
        "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    create(bare, "Sessions", GlobalSecondaryIndexes=[index], AttributeDefinitions=_strings("session_id", "owner"))
    missing, stranger = issues("Sessions")
    assert missing == "Index user_id-index is missing. Run: manage.py setup_tables"
    assert stranger.startswith("Index owner-index exists but is not declared.")
    # Nothing the application needs is wrong any more once the index is there: setup says so and leaves the stranger be.
    ran = run("setup_tables", "--only", "Sessions")
    assert ran.code == 0
    assert "owner-index exists but is not declared" in ran.out


def test_an_index_with_other_keys_or_attributes_is_found(bare: Store) -> None:
    def index(name: str, partition: str, sort: str, *carried: str) -> dict[str, Any]:
        keys = [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
        projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(carried)}
        return {"IndexName": name, "KeySchema": keys, "Projection": projection}

    create(
        bare,
        "AuditLog",
        GlobalSecondaryIndexes=[
            index("actor_id-entry-index", "actor_id", "day", "action", "at"),
            index("day-entry-index", "day", "entry", "action"),
        ],
    )
    run("setup_tables", "--only", "AuditLog")
    found = issues("AuditLog")
    assert any(
        issue.startswith("Index actor_id-entry-index has the key actor_id (S), day (S), but actor_id (S), entry (S)")
        for issue in found
    )
    assert any(
        issue.startswith("Index day-entry-index carries action, but action, actor_id, at, expires_at is declared.")
        for issue in found
    )


def test_provisioned_billing_and_missing_tags_and_expiry_are_found(bare: Store) -> None:
    throughput = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    create(bare, "RateLimits", BillingMode="PROVISIONED", ProvisionedThroughput=throughput, Tags=None)
    assert [issue.partition(" Run:")[0] for issue in issues("RateLimits")] == [
        "Its billing mode is PROVISIONED, but PAY_PER_REQUEST is declared.",
        "Items do not expire by expires_at: TTL is disabled.",
        "Its tag Environment is missing, but dev is declared.",
        "Its tag Application is missing, but Rungs is declared.",
    ]


def test_expiry_by_another_attribute_is_found(bare: Store) -> None:
    create(bare, "RateLimits")
    bare.client.update_time_to_live(
        TableName=bare.physical(table("RateLimits")),
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"},
    )
    (issue,) = issues("RateLimits")
    assert issue.startswith("Items expire by until, but expires_at is declared.")


def test_recovery_that_is_off_is_found_where_it_can_be_and_else_unsupported(settings: Any) -> None:
    store = fresh_store(EngineKind.MOTO)
    create(store, "Users")
    with using(store, settings):
        assert issues("Users") == ["Point-in-time recovery is off. Run: manage.py setup_tables"]
    store = fresh_store(EngineKind.DYNOXIDE)
    create(store, "Users")
    with using(store, settings):
        (check,) = run("verify_tables", "--json", "--only", "Users").json["checks"]
        assert (check["passed"], check["unsupported"]) == (True, ["point-in-time recovery"])
        assert "does not offer it: point-in-time recovery" in run("verify_tables", "--only", "Users").out


def test_recovery_of_what_must_not_be_kept_is_found(settings: Any) -> None:
    store = fresh_store(EngineKind.MOTO)
    with using(store, settings):
        run("setup_tables", "--only", "RunSecrets")
        store.client.update_continuous_backups(
            TableName=store.physical(table("RunSecrets")),
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
        (issue,) = issues("RunSecrets")
    assert issue.startswith("Point-in-time recovery is on, but what this table holds must not be kept.")


def test_an_unprotected_table_of_prod_is_found(settings: Any) -> None:
    store = fresh_store(EngineKind.DYNOXIDE, environment="prod")
    create(store, "Hosts", DeletionProtectionEnabled=False)
    with using(store, settings):
        assert issues("Hosts") == ["It is not protected from deletion. Run: manage.py setup_tables"]
        run("setup_tables", "--only", "Hosts")
        assert issues("Hosts") == []


def test_people_get_a_line_a_table_and_a_closing_sentence(bare: Store) -> None:
    run("setup_tables")
    bare.client.delete_table(TableName=bare.physical(table("Hosts")))
    ran = run("verify_tables")
    lines = ran.out.strip().splitlines()
    assert (ran.code, len(lines)) == (1, len(declared_tables()) + 2)
    assert lines[-1].startswith(f"{len(declared_tables())} tables verified in ")
    assert "1 missing" in lines[-1]


def test_a_table_that_may_not_be_looked_at_is_an_error_and_not_a_missing_table(settings: Any) -> None:
    denied = {("DescribeTable", "Users"): ("AccessDeniedException", "ada may not dynamodb:DescribeTable")}
    with faulty(endpoint(), denied) as address, using(fresh_store(), settings, ENDPOINT=address):
        ran = run("verify_tables", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (1, "access_denied")


def test_an_answer_nobody_expected_is_one_sentence(settings: Any) -> None:
    odd = {("DescribeTable", ""): ("ValidationException", "the moon is wrong")}
    with faulty(endpoint(), odd) as address, using(fresh_store(), settings, ENDPOINT=address):
        ran = run("verify_tables")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("DynamoDB refuses: ")
    assert "the moon is wrong" in ran.err


def _strings(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": "S"} for name in names]
