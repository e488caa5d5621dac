"""No method of the audit log changes or deletes an entry; one new to the layer fails here until it was tried."""

import inspect
from datetime import UTC, datetime

import pytest

from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.storage.conditions import Query, Update
from apps.storage.errors import AlreadyExists, ItemNotFound
from apps.storage.repository import Repository
from apps.storage.transaction import Transaction

ADA = Actor(actor_id="u-ada", name="Ada")

# Each as it would be used against an entry.
REFUSED = {
    "save": lambda log, entry: log.save(entry.evolve(action="nothing")),
    "update": lambda log, entry: log.update((entry.object, entry.entry), Update(set={"action": "nothing"})),
    "delete": lambda log, entry: log.delete(entry),
    "put_many": lambda log, entry: log.put_many([entry.evolve(action="nothing")]),
    "delete_many": lambda log, entry: log.delete_many([(entry.object, entry.entry)]),
    "putting": lambda log, entry: log.putting(entry.evolve(action="nothing")),
    "saving": lambda log, entry: log.saving(entry.evolve(action="nothing")),
    "updating": lambda log, entry: log.updating((entry.object, entry.entry), Update(set={"action": "nothing"})),
    "deleting": lambda log, entry: log.deleting(entry),
}
HARMLESS = {
    "add": lambda log, entry: log.add(entry.evolve(action="nothing")),
    "adding": lambda log, entry: Transaction(log.store, log.adding(entry.evolve(action="nothing"))).commit(),
    "restore": lambda log, entry: log.restore((entry.object, entry.entry)),
}
READS = {
    *("at", "count", "find", "find_unique", "get", "get_many", "key", "key_of", "keys", "leaf", "leafed", "page"),
    *(
        "reading",
        "page_of",
        "fields_of",
        "stream",
        "sweep",
        "unchanged",
        "where",
        "checking",
        "stamped",
        "on_behalf_of",
    ),
    "bring_up_to_date",  # writes an entry of an earlier form in today's, for `manage.py backfill`: there are no forms
}


@pytest.fixture
def log(store):
    return AuditLog(store)


@pytest.fixture
def entry(store, log):
    at = datetime.now(UTC)
    Transaction(store, log.recording("Things#1", action="thing.changed", actor=ADA, at=at, after={"a": 1})).commit()
    return log.of("Things#1").items[0]


@pytest.fixture
def untouched(store, entry):
    """What is stored, before and after."""

    def stored():
        return store.client.scan(TableName=store.physical(AuditLog.table))["Items"]

    before = stored()
    yield
    assert len(before) == 1
    assert stored() == before


def test_every_method_of_the_layer_is_tried_here():
    methods = {name for name, _ in inspect.getmembers(Repository, callable) if not name.startswith("_")}
    attributes = {name for name in methods if isinstance(getattr(Repository, name), type)}
    assert methods - attributes - READS == {*REFUSED, *HARMLESS}


@pytest.mark.parametrize("name", REFUSED)
def test_an_entry_is_never_changed_or_deleted(log, entry, untouched, name):
    with pytest.raises(TypeError, match="never changed or deleted"):
        REFUSED[name](log, entry)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_adds_does_not_write_over_an_entry(log, entry, untouched, name):
    with pytest.raises((AlreadyExists, ItemNotFound)):
        HARMLESS[name](log, entry)


def test_the_entry_that_was_read_by_an_index_is_no_way_round(log, entry, untouched):
    (projected,) = log.stream(Query(partition="u-ada", index="actor_id-entry-index"))
    for attempt in REFUSED.values():
        with pytest.raises(TypeError):
            attempt(log, projected)
