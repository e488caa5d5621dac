from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest

from apps.audit.entities import Actor, command
from apps.audit.repository import AuditLog
from apps.errors import Conflict
from apps.storage.connection import Store
from apps.storage.metering import metering
from apps.storage.transaction import Transaction
from apps.storage.unique import Guards

NOW = datetime(2026, 3, 1, 23, 59, 59, 500_000, tzinfo=UTC)
ADA = Actor(actor_id="u-ada", name="Ada", address="192.0.2.1")
OLGA = Actor(actor_id="u-olga", name="Olga")


class Colour(StrEnum):
    RED = "red"


@pytest.fixture
def log(store: Store) -> AuditLog:
    return AuditLog(store, clock=lambda: NOW)


@pytest.fixture
def record(store: Store, log: AuditLog) -> Callable[..., None]:
    def write(
        target: str, *, action: str = "thing.changed", actor: Actor = ADA, at: datetime = NOW, **more: Any
    ) -> None:
        Transaction(store, log.recording(target, action=action, actor=actor, at=at, **more)).commit()

    return write


def test_an_objects_history_is_read_newest_first_page_by_page(record: Callable[..., None], log: AuditLog) -> None:
    for number in range(5):
        record("Things#1", action=f"step.{number}", at=NOW + timedelta(seconds=number))
    record("Things#2", action="elsewhere")
    first = log.of("Things#1", limit=3)
    rest = log.of("Things#1", limit=3, cursor=first.next)
    assert [entry.action for entry in first.items] == ["step.4", "step.3", "step.2"]
    assert [entry.action for entry in rest.items] == ["step.1", "step.0"]
    assert rest.next is None


def test_what_somebody_did_is_found_without_reading_what_others_did(record: Callable[..., None], log: AuditLog) -> None:
    for number in range(20):
        record(f"Things#{number}", actor=OLGA)
    record("Things#1", actor=ADA, action="mine")
    with metering() as cost:
        (entry,) = log.by("u-ada").items
    assert (entry.object, entry.action, entry.at) == ("Things#1", "mine", NOW)
    assert cost.count("query") == 1
    assert cost.read_units <= 1


def test_what_was_done_on_a_day_goes_by_utc(record: Callable[..., None], log: AuditLog) -> None:
    record("Things#1", action="late")
    record("Things#1", action="next", at=NOW + timedelta(seconds=1))
    assert [entry.action for entry in log.on(date(2026, 3, 1)).items] == ["late"]
    assert [entry.action for entry in log.on(date(2026, 3, 2)).items] == ["next"]


def test_secrets_are_blanked_at_any_depth_before_they_are_stored(
    record: Callable[..., None], log: AuditLog, store: Store
) -> None:
    record(
        "Hosts#1",
        before={"password": "hunter2", "port": 23},
        after={
            "settings": {"apiToken": "hunter3", "name": "x"},
            "accessToken": "hunter4",
            "list": [{"secret": "hunter5"}],
        },
    )
    (entry,) = log.of("Hosts#1").items
    assert entry.before == {"password": "(hidden)", "port": 23}
    assert entry.after["settings"] == {"apiToken": "(hidden)", "name": "x"}
    assert "hunter" not in str(store.client.scan(TableName=store.physical(AuditLog.table))["Items"])


def test_values_of_every_kind_can_be_recorded(record: Callable[..., None], log: AuditLog) -> None:
    record(
        "Things#1",
        after={
            "colour": Colour.RED,
            "roles": frozenset({"b", "a"}),
            "price": Decimal("1.10"),
            "ratio": 0.5,
            "at": NOW,
            "none": None,
            "on": True,
        },
    )
    (entry,) = log.of("Things#1").items
    assert entry.after == {
        "colour": "red",
        "roles": ["a", "b"],
        "price": Decimal("1.10"),
        "ratio": "0.5",
        "at": "2026-03-01T23:59:59.500Z",
        "on": True,
    }


def test_a_change_that_fails_leaves_no_entry(log: AuditLog, store: Store) -> None:
    taken = Conflict("taken")
    guards = Guards(store)
    Transaction(store, guards.claiming("Things.name", "x", owner="1", otherwise=taken)).commit()
    claim = guards.claiming("Things.name", "x", owner="2", otherwise=taken)
    with pytest.raises(Conflict):
        Transaction(store, claim, log.recording("Things#1", action="created", actor=ADA, at=NOW)).commit()
    assert log.of("Things#1").items == []


def test_entries_stay_for_ever_unless_the_setting_says_how_long(
    record: Callable[..., None], log: AuditLog, settings: Any, store: Store
) -> None:
    record("Things#1")
    settings.AUDIT_RETENTION_DAYS = 30
    record("Things#2")
    assert log.of("Things#1").items[0].expires_at is None
    assert log.of("Things#2").items[0].expires_at == datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    later = AuditLog(store, clock=lambda: NOW + timedelta(days=31))
    assert later.of("Things#2").items == []
    assert len(later.of("Things#1").items) == 1


def test_a_command_is_named_as_the_actor(record: Callable[..., None], log: AuditLog) -> None:
    record("Things#1", actor=command("createsuperuser"))
    (entry,) = log.of("Things#1").items
    assert (entry.actor_id, entry.actor_name) == ("command:createsuperuser", "manage.py createsuperuser")
