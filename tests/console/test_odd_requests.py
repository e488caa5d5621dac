"""What no page of ours sends: garbled, tampered and missing fields are refused, and nothing breaks or is lost."""

import json
from decimal import Decimal

import pytest

from tests.console.pages import form_of
from tests.console.ships import Crate, Mast, Ship

LIST = "/admin/console/ship/"
ADD, CHANGE = f"{LIST}add/", f"{LIST}s-1/change/"

NASTY = {
    "nothing": "",
    "null": "\x00",
    "controls": "a\x0b\x1f\x7f\x85b",
    "half a character": b"\xed\xa0\x80",
    "half a character in JSON": '{"a": ["\\ud800"], "\\ud800": 1}',
    "long": "x" * 9000,
    "digits": "9" * 5000,
    "39 digits": "9" * 39,
    "vast": "1e999",
    "tiny": "1e-131",
    "NaN": "NaN",
    "other digits": "٣²",
    "day 0": "0000-00-00",
    "year 10000": "10000-01-01",
    "leap second": "23:59:60",
    "time with zone": "09:30+02:00",
    "path": "../../etc/passwd",
    "list": "[]",
    "deep list": "[" * 2500,
    "deep map": '{"a":' * 2500,
    "deeper than the store": '{"a":' * 31 + "1" + "}" * 31,
    "place": "__i__",
}
READ = [
    None,
    True,
    1.5,
    "\ud800",
    [[]],
    [{"mark": [], "count": {}, "is_fragile": "q", "packed_at": [1], "name": [], "value": {}}],
    {"set": 1, "parts": {"height": [1], "made_of": {"a": 1}, "sails": 7}},
    {"date": [], "time": {}, "zone": [1], "fold": {}},
    {"date": "9999-12-31", "time": "23:59", "zone": "America/New_York"},
]


@pytest.fixture
def ship(ships):
    return ships.add(Ship(ship_id="s-1", name="Swan", cargo=(Crate(mark="A"),), stores={"a": 1}, notes={"x": [None]}))


@pytest.mark.parametrize("name", NASTY)
def test_nothing_that_is_typed_breaks_a_form(adas, ship, ships, name):
    for address in (ADD, CHANGE):
        sent = form_of(adas.get(address))
        for field in ("ship_id", "name", "crew", "tonnage", "notes", "cargo-0-mark", "as_read"):
            answer = adas.post(address, sent | {field: NASTY[name]})
            assert answer.status_code in {302, 409, 422}, (address, field)
        answer = adas.post(address, dict.fromkeys(sent, NASTY[name]))
        assert answer.status_code in {302, 409, 422}, address
        for kept in ships.leafed(limit=50).items:
            ships.delete(kept)
        ships.add(ship.at_version(0))


@pytest.mark.parametrize("read", READ, ids=range(len(READ)))
def test_a_tampered_memory_of_what_was_read_breaks_nothing(adas, ship, read):
    sent = form_of(adas.get(CHANGE))
    for name in ("rig", "mast", "cargo", "seen_at", "stores", "built_on"):
        told = json.dumps({**json.loads(sent["as_read"]), name: read})
        stale = adas.post(CHANGE, sent | {"as_read": told, "read_version": "77"})
        assert stale.status_code in {409, 422}, name
    everything = json.dumps(dict.fromkeys(json.loads(sent["as_read"]), read))
    assert adas.post(CHANGE, sent | {"as_read": everything, "read_version": "77"}).status_code in {409, 422}


@pytest.mark.parametrize("screen", ["add/", "s-1/change/", "s-1/delete/", "s-1/history/"])
def test_an_address_fills_in_no_form(adas, ship, screen):
    plain = adas.get(f"{LIST}{screen}")
    for name in (*Ship.model_fields, "as_read", "read_version", "_popup", "_changelist_filters"):
        answer = adas.get(f"{LIST}{screen}", {name: "[{]\x00"})
        assert answer.status_code == 200, name
        assert "[{]" not in str(form_of(answer)), name
    assert plain.status_code == 200


def test_json_as_deep_as_the_store_keeps_it_is_taken_and_what_is_deeper_refused_with_words(adas, ship, ships):
    def nested(levels):
        return {"notes": '{"a":' * levels + "1" + "}" * levels}

    assert adas.post(CHANGE, form_of(adas.get(CHANGE)) | nested(28)).status_code == 302
    refused = adas.post(CHANGE, form_of(adas.get(CHANGE)) | nested(29))
    assert (refused.status_code, "28 levels are the most" in refused.content.decode()) == (422, True)
    assert ships.get("s-1", consistent=True).version == 2


def test_a_number_with_many_zeros_is_kept_and_changed_like_any_other(adas, ship, ships):
    assert adas.post(CHANGE, form_of(adas.get(CHANGE)) | {"tonnage": "1E+40"}).status_code == 302
    sent = form_of(adas.get(CHANGE))
    assert sent["tonnage"] == "1" + "0" * 40
    assert adas.post(CHANGE, sent | {"name": "Heavy"}).status_code == 302
    kept = ships.get("s-1", consistent=True)
    assert (kept.name, kept.tonnage) == ("Heavy", Decimal("1E+40"))


def test_who_changes_a_row_cannot_change_its_key_or_what_is_only_shown(adas, ship, ships, settings):
    settings.ROOT_URLCONF = "tests.console.sorted_ship_urls"
    sent = form_of(adas.get(CHANGE))
    more = {"ship_id": "s-2", "version": "9", "seen_at-date": "2020-01-01", "seen_at-time": "00:00", "mast-height": "1"}
    read = json.dumps({**json.loads(sent["as_read"]), "ship_id": "s-2", "mast": {}, "seen_at": {}})
    assert adas.post(CHANGE, sent | more | {"as_read": read, "name": "Mine"}).status_code == 302
    assert ships.get("s-1", consistent=True) == ship.evolve(name="Mine").at_version(2)
    assert ships.find("s-2", consistent=True) is None


def test_a_field_that_is_not_sent_at_all_is_not_emptied(adas, ships):
    ship = ships.add(
        Ship(ship_id="s-1", name="Swan", ports=("Kiel",), cargo=(Crate(mark="A"),), notes={"a": 1}, mast=Mast(height=3))
    )
    sent = form_of(adas.get(CHANGE))
    kept = {"csrfmiddlewaretoken", "as_read", "read_version", "draught", "rig", "notes"}
    some = {name: value for name, value in sent.items() if name in kept or name.startswith(("mast-", "seen_at-"))}
    assert adas.post(CHANGE, some).status_code == 302
    assert ships.get("s-1", consistent=True) == ship


@pytest.mark.parametrize("letters", ["ü" * 195_000, '{"a": 1}, ' * 38_000], ids=["umlauts", "quotes"])
def test_a_row_that_is_nearly_as_large_as_can_be_is_changed_like_any_other(adas, ships, letters):
    ships.add(Ship(ship_id="s-1", notes={"x": letters}))
    sent = form_of(adas.get(CHANGE))
    answer = adas.post(CHANGE, sent | {"rig": "ketch"})
    assert answer.status_code == 302
    assert ships.get("s-1", consistent=True).rig == "ketch"


def test_a_form_knows_how_much_can_be_sent(adas, ship, settings):
    html = adas.get(CHANGE).content.decode()
    assert f'data-most-bytes="{settings.DATA_UPLOAD_MAX_MEMORY_SIZE}" data-most-fields="1000"' in html
