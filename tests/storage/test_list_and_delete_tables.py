from collections.abc import Iterator
from typing import Any

import pytest

from apps.storage.connection import Store
from apps.storage.engine import EngineKind
from apps.storage.registry import declared_tables
from tests.storage.engines import BOTH, create, fresh_store, real, run, table, using


@pytest.fixture(params=BOTH)
def full(request: pytest.FixtureRequest, settings: Any) -> Iterator[Store]:
    store = fresh_store(request.param)
    with using(store, settings):
        assert run("setup_tables", "--quiet").code == 0
        yield store


@pytest.fixture
def small(settings: Any) -> Iterator[Store]:
    store = fresh_store()
    with using(store, settings):
        assert run("setup_tables", "--quiet", "--only", "Users", "Hosts").code == 0
        yield store


def listed(*arguments: str) -> list[dict[str, Any]]:
    return list(run("list_tables", "--json", *arguments).json["tables"])


def typing(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("builtins.input", lambda _prompt: answer)


def test_tables_are_listed_with_status_items_size_and_indexes(full: Store) -> None:
    full.client.put_item(TableName=full.physical(table("Hosts")), Item={"host_name": {"S": "demo"}})
    rows = {row["tableName"]: row for row in listed()}
    assert len(rows) == len(declared_tables())
    hosts = rows[full.physical(table("Hosts"))]
    assert (hosts["status"], hosts["itemCount"], hosts["indexes"]) == ("ACTIVE", 1, [])
    assert rows[full.physical(table("Users"))]["indexes"] == ["directory-index", "email-index"]
    assert f"{full.prefix}-dev-Hosts" in run("list_tables").out


def test_missing_tables_and_strangers_are_told_apart(small: Store) -> None:
    small.client.create_table(
        TableName=f"{small.prefix}-dev-Old",
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    document = run("list_tables", "--json").json
    assert {row["tableName"].rpartition("-")[2]: row["declared"] for row in document["tables"]} == {
        "Users": True,
        "Hosts": True,
        "Old": False,
    }
    assert len(document["missing"]) == len(declared_tables()) - 2
    out = run("list_tables").out
    assert "ACTIVE, not declared" in out
    assert "create them with: manage.py setup_tables" in out


def test_other_environments_and_prefixes_are_not_listed(small: Store, settings: Any) -> None:
    assert run("list_tables", "--json", "--env", "staging").json["tables"] == []
    with using(fresh_store(), settings):
        assert listed() == []


def test_all_tables_are_deleted(full: Store) -> None:
    ran = run("delete_tables", "--yes", "--json")
    assert (ran.code, {row["status"] for row in ran.json["tables"]}) == (0, {"deleted"})
    assert listed() == []
    again = run("delete_tables", "--yes", "--json")
    assert (again.code, {row["status"] for row in again.json["tables"]}) == (0, {"missing"})


def test_only_the_named_table_is_deleted(small: Store) -> None:
    assert run("delete_tables", "--yes", "--only", "Hosts").code == 0
    assert [row["tableName"] for row in listed()] == [small.physical(table("Users"))]


def test_the_name_of_the_environment_has_to_be_typed(small: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for answer in ("yes", "", "y", "staging"):
        typing(monkeypatch, answer)
        ran = run("delete_tables")
        assert (ran.code, ran.err) == (1, "Nothing was deleted.\n")
    assert len(listed()) == 2
    typing(monkeypatch, "dev")
    assert run("delete_tables").code == 0
    assert listed() == []


def test_json_asks_nobody(small: Store) -> None:
    ran = run("delete_tables", "--json")
    assert (ran.code, ran.json["success"]) == (1, False)
    assert len(listed()) == 2


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_staging_and_prod_are_refused_always(settings: Any, environment: str) -> None:
    store = fresh_store(environment=environment)
    create(store, "Hosts")
    with using(store, settings):
        for arguments in (["--yes"], ["--yes", "--env", environment], ["--yes", "--env", "dev"]):
            ran = run("delete_tables", *arguments)
            assert ran.code == 1
            assert f"Tables of {environment} are never deleted" in ran.err
    assert real(store, "Hosts")["TableStatus"] == "ACTIVE"


@pytest.mark.parametrize("kind", BOTH)
def test_a_table_that_is_tagged_for_another_environment_stays(settings: Any, kind: EngineKind) -> None:
    store = fresh_store(kind)
    create(store, "Hosts", Tags=[{"Key": "Environment", "Value": "prod"}])
    create(store, "Users", DeletionProtectionEnabled=True)
    create(store, "Uniques")
    with using(store, settings):
        ran = run("delete_tables", "--yes", "--json", "--only", "Hosts", "Users", "Uniques")
    assert ran.code == 2
    rows = {row["tableName"].rpartition("-")[2]: row for row in ran.json["tables"]}
    assert {name: row["status"] for name, row in rows.items()} == {
        "Hosts": "failed",
        "Uniques": "deleted",
        "Users": "failed",
    }
    assert rows["Hosts"]["error"] == "Its tag Environment says prod, so it is not deleted."
    assert "rotect" in rows["Users"]["error"]
    assert real(store, "Hosts")["TableStatus"] == "ACTIVE"
