"""What Prometheus reads of a process, and who may."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.exceptions import HTTPClientError
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families as parsed

from apps.storage.conditions import Query, attribute
from apps.storage.connection import Store
from apps.storage.engine import EngineKind
from apps.storage.errors import AlreadyExists, ConditionFailed, Contention, StoreUnavailable, Throttled
from apps.storage.metering import Exchange, metering, observe_always, observers
from apps.storage.prometheus import StoreMetrics, outcome_of
from apps.storage.registry import declared_tables
from apps.storage.transaction import Transaction
from project import metrics as endpoint
from project.environment import read_environment
from tests.conftest import create_tables, new_store
from tests.policy_runs.web import openapi
from tests.storage.things import BOOKS, NOON, THINGS, Book, Books, Thing, Things, some_id

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "a-token-of-the-scraper"
SENT = {"Authorization": f"Bearer {TOKEN}"}

LABELS = ("table", "index", "operation", "outcome", "kind", "le")
Samples = dict[tuple[str, ...], float]


@pytest.fixture(scope="module")
def engine(engine_endpoint: Callable[[EngineKind], str]) -> Store:
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, THINGS, BOOKS)
    return store


@pytest.fixture
def scrape(settings, monkeypatch) -> Iterator[Callable[[], dict[str, Samples]]]:
    """A site that counts; what it says, by metric and values of labels."""
    registry = CollectorRegistry()
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(endpoint, "REGISTRY", registry)
    end = observe_always(StoreMetrics(tables=["Things", "Books"], registry=registry))

    def scraping() -> dict[str, Samples]:
        answer = Client().get("/metrics", headers=SENT)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        found: dict[str, Samples] = {}
        for family in parsed(answer.content.decode()):
            for sample in family.samples:
                labels = tuple(sample.labels[name] for name in LABELS if name in sample.labels)
                found.setdefault(sample.name, {})[labels] = sample.value
        return found

    yield scraping
    end()


def test_requests_and_units_are_counted_by_what_was_declared(engine, scrape):
    things, books, key = Things(engine), Books(engine), some_id()
    with metering() as cost:
        there = things.add(Thing(thing_id=key, owner="ada", title="t"))
        things.page(Query(partition="ada", index="owner-index"))
        Transaction(engine, books.adding(Book(shelf="a", genre="g", serial=key)), things.deleting((key, NOON))).commit()
        things.add(there)
        with pytest.raises(AlreadyExists):
            things.add(there)
    told = scrape()
    assert told["rungs_store_requests_total"] == {
        ("Things", "put_item", "ok"): 2,
        ("Things", "put_item", "refused"): 1,
        ("Things", "query", "ok"): 1,
        ("Books", "transact_write_items", "ok"): 1,
        ("Things", "transact_write_items", "ok"): 1,
    }
    units = told["rungs_store_capacity_units_total"]
    assert units["Things", "owner-index", "read"] == 0.5
    assert units["Books", "", "write"] == 2
    for table, index in (("Things", ""), ("Things", "owner-index")):
        assert units[table, index, "write"] == cost.of(table=table, index=index).write_units > 0
    assert told["rungs_store_request_seconds_count"] == {
        ("put_item",): 3,
        ("query",): 1,
        ("transact_write_items",): 1,
    }
    assert told["rungs_store_request_seconds_bucket"]["put_item", "+Inf"] == 3
    assert 0 < told["rungs_store_request_seconds_sum"]["put_item",] < 30


def test_labels_hold_nothing_that_was_not_declared(scrape, engine):
    engine.call("describe_table", table="somebody's table", TableName=engine.physical(THINGS))
    assert scrape()["rungs_store_requests_total"] == {("other", "describe_table", "ok"): 1}


def test_threads_count_together(engine, scrape, in_threads):
    in_threads(8, lambda _: [Things(engine).find((some_id(), NOON)) for _ in range(25)] and None)
    told = scrape()
    assert told["rungs_store_requests_total"]["Things", "get_item", "ok"] == 200
    assert told["rungs_store_capacity_units_total"]["Things", "", "read"] == 100


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Throttled("Busy."), "throttled"),
        (StoreUnavailable("Down."), "failed"),
        (Contention(), "refused"),
        (RuntimeError("a bug"), "failed"),
        (HTTPClientError(error="a reset"), "failed"),
        (None, "failed"),
    ],
)
def test_each_failure_has_its_outcome(error, outcome):
    exchange = Exchange(operation="put_item", table="Things", request={}, answer=None, seconds=1, error=error)
    assert outcome_of(exchange) == outcome


def test_refused_conditions_of_a_transaction_are_no_failures(engine, scrape):
    there = Things(engine).add(Thing(thing_id=some_id()))
    wrong = Things(engine).checking((there.thing_id, NOON), attribute("amount").equals(9))
    with pytest.raises(ConditionFailed):
        Transaction(engine, wrong).commit()
    assert scrape()["rungs_store_requests_total"]["Things", "transact_write_items", "refused"] == 1


# --- who may read ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer a-token", "Bearer schlüssel"],
)
def test_without_the_token_there_is_nothing_at_this_address(scrape, header):
    headers = {} if header is None else {"Authorization": header}
    with metering() as cost:
        answer, nowhere = Client().get("/metrics", headers=headers), Client().get("/nowhere")
        posted = Client().post("/metrics", headers=headers)
    assert answer.status_code == posted.status_code == nowhere.status_code == 404
    reference = "X-Request-Reference"
    assert answer.content.decode().replace(answer[reference], "") == nowhere.content.decode().replace(
        nowhere[reference], ""
    )
    assert cost.total_requests == 0


@pytest.mark.parametrize("header", ["Bearer ", "Bearer", "Bearer None", ""])
def test_where_no_token_is_set_no_token_fits(settings, header):
    assert settings.METRICS_TOKEN == ""
    assert Client().get("/metrics", headers={"Authorization": header}).status_code == 404


def test_reading_asks_neither_store_nor_session_and_changes_nothing(scrape):
    with metering() as cost:
        answer = Client().get("/metrics", headers={"Authorization": f"bearer {TOKEN}"})
    assert answer.status_code == 200
    assert not answer.cookies
    assert "no-store" in answer.headers["Cache-Control"]
    assert cost.total_requests == cost.total_failed == 0
    assert Client().head("/metrics", headers=SENT).status_code == 200
    assert Client().post("/metrics", headers=SENT).status_code == 405


def test_a_scraper_that_wants_open_metrics_gets_them(scrape):
    answer = Client().get("/metrics", headers={**SENT, "Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.content.endswith(b"# EOF\n")


def test_a_scraper_inside_is_not_sent_to_https(scrape, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/metrics", headers=SENT).status_code == 200
    assert Client().get("/").status_code == 301


def test_it_is_not_part_of_the_api():
    assert not [path for path in openapi()["paths"] if "metrics" in path]


# --- when it counts -------------------------------------------------------------------------------------------------


def test_nothing_watches_where_no_token_is_set(settings):
    assert settings.METRICS_TOKEN == ""
    assert observers() == ()


def test_with_a_token_every_web_process_counts_from_its_start():
    program = (
        "import django, json; django.setup();"
        "import project.urls; from apps.storage.metering import observers;"
        "print(json.dumps([sorted(observer.tables) for observer in observers()]))"
    )
    environment = {**os.environ, "RUNGS_METRICS_TOKEN": TOKEN, "DJANGO_SETTINGS_MODULE": "project.settings"}
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [[table.name for table in declared_tables()]]


@pytest.mark.parametrize("token", ["short", "with a space in the middle", "schlüssel-schlüssel"])
def test_a_token_that_is_easily_guessed_or_sent_wrongly_is_refused(token):
    with pytest.raises(ImproperlyConfigured, match="RUNGS_METRICS_TOKEN: use 16 or more") as error:
        read_environment(base_dir=ROOT, variables={"RUNGS_METRICS_TOKEN": token})
    assert token not in str(error.value)
    assert read_environment(base_dir=ROOT, variables={"RUNGS_METRICS_TOKEN": TOKEN}).metrics_token == TOKEN
