"""What the history page says of a change, and the question before a deletion."""

import re
from datetime import UTC, datetime

import pytest

from apps.audit.entities import AuditEntry
from apps.console.told_changes import told_changes
from apps.storage.secrets import Secret
from tests.console.pages import form_of
from tests.console.ships import Crate, Flag, Mast, Ship, ShipAdmin

CHANGE, DELETE, HISTORY = (f"/admin/console/ship/s-1/{screen}/" for screen in ("change", "delete", "history"))


def told(before, after):
    entry = AuditEntry(
        object="x", entry="1", action="x.changed", at=datetime.now(UTC), actor_id="a", before=before, after=after
    )
    return [(one.name, one.before.value, one.after.value, one.added, one.removed) for one in told_changes(entry)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 2}, [("a", 1, 2, (), ())]),
        ({}, {"a": "x"}, [("a", None, "x", (), ())]),
        ({"a": ["x", "y"]}, {"a": ["y", "z"]}, [("a", ("x", "y"), ("y", "z"), ("z",), ("x",))]),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}, [("a", ("x", "y"), ("y", "x"), (), ())]),
        ({"a": ["x"]}, {"a": ["x", "x"]}, [("a", ("x",), ("x", "x"), ("x",), ())]),
        ({"m": {"h": 1, "w": 2}}, {"m": {"h": 1, "w": 3}}, [("m, w", 2, 3, (), ())]),
        ({"m": {"h": 1}}, {"m": {}}, [("m, h", 1, None, (), ())]),
        ({"m": {"token": "(hidden)"}}, {"m": {"token": None}}, [("m, token", None, None, (), ())]),
        ({"version": 1}, {"version": 2}, []),
        ({"b": 1}, {"a": 2, "b": 3}, [("a", None, 2, (), ()), ("b", 1, 3, (), ())]),
        ({}, {"a": "2026-03-31T10:00:00.000Z"}, [("a", None, datetime(2026, 3, 31, 10, tzinfo=UTC), (), ())]),
        ({}, {"a": "2026-99-31T10:00:00Z"}, [("a", None, "2026-99-31T10:00:00Z", (), ())]),
    ],
)
def test_a_change_is_told_part_by_part(before, after, expected):
    assert told(before, after) == expected


def test_the_history_tells_sets_parts_and_secrets_as_people_read_them(adas, ships):
    ships.add(Ship(ship_id="s-1", flags={Flag.RED}, mast=Mast(height=9), cargo=(Crate(mark="A"),)))
    form = form_of(adas.get(CHANGE)) | {"flags": ["white"], "mast-height": "10", "radio_key-_new": "quite secret"}
    assert adas.post(CHANGE, form).status_code == 302
    html = adas.get(HISTORY).content.decode()
    assert re.search(
        r'added</span> <span class="chip">white</span>.*removed</span> <span class="chip">red</span>', html
    )
    assert re.search(r'mast, height:</span> <span class="number">9</span> → <span class="number">10</span>', html)
    assert "changed, and never shown" in html
    assert "quite secret" not in html
    assert re.search(r'href="/audit/\?object=Ships%23s-1">In the audit log', html)
    assert adas.get("/audit/?object=Ships%23s-1").status_code == 200


def test_the_question_before_a_deletion_names_what_goes_along(adas, ships, monkeypatch):
    ships.add(Ship(ship_id="s-1", radio_key=Secret("x")))
    assert "With it will go" not in adas.get(DELETE).content.decode()
    monkeypatch.setattr(ShipAdmin, "goes_with", lambda _, ship: [f"the log of {ship.ship_id}"])
    html = adas.get(DELETE).content.decode()
    assert re.search(r"With it will go:</p><ul[^>]*><li>the log of s-1</li>", html)
