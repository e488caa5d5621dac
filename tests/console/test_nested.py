"""Models inside an entity, rows of them, maps, and JSON where the form is open."""

import json
import re
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.console.forms.editors import editor
from apps.console.forms.exact_json import Mistake, read_json, write_json
from apps.console.forms.nested_fields import MOST_INPUTS
from apps.console.forms.value_fields import carries
from tests.console.pages import form_of
from tests.console.ships import Crate, Mast, Sail, Ship

CHANGE = "/admin/console/ship/s-1/change/"
ADD = "/admin/console/ship/add/"


@pytest.fixture
def ship(ships):
    return ships.add(
        Ship(
            ship_id="s-1",
            mast=Mast(height=12, made_of="steel", sails=(Sail(cloth="red", area=Decimal("7.25")), Sail(cloth="white"))),
            cargo=(Crate(mark="A", count=3, is_fragile=True), Crate(mark="B")),
            stores={"rum": 4, "tea": 0},
            notes={"weight": Decimal("1.10"), "seen": [1, "two", None, True], "crew": {"cook": "Bo"}},
        )
    )


def kept(ships):
    return ships.get("s-1", consistent=True)


def test_what_nobody_touches_stays_as_it_is(adas, ship, ships):
    assert adas.post(CHANGE, form_of(adas.get(CHANGE))).status_code == 302
    assert kept(ships) == ship, "and nothing was written"


def test_parts_have_fields_of_their_own_down_to_the_last_level(adas, ship, ships):
    page = adas.get(CHANGE)
    form = form_of(page)
    assert (form["mast-height"], form["mast-made_of"], form["mast-sails-0-area"]) == ("12", "steel", "7.25")
    assert "In metres" in page.content.decode()
    changes = {"mast-height": "15", "mast-sails-1-area": "3.5", "cargo-1-count": "8", "cargo-1-packed_at-date": ""}
    assert adas.post(CHANGE, form | changes).status_code == 302
    now = kept(ships)
    assert (now.mast.height, now.mast.made_of) == (15, "steel")
    assert now.mast.sails == (Sail(cloth="red", area=Decimal("7.25")), Sail(cloth="white", area=Decimal("3.5")))
    assert (now.cargo[1], now.cargo[0], now.stores) == (Crate(mark="B", count=8), ship.cargo[0], ship.stores)


def test_a_row_is_added_in_the_spare_one_and_another_removed(adas, ship, ships):
    form = form_of(adas.get(CHANGE))
    assert form["cargo-rows"] == "3", "two, and an empty one"
    changes = {"cargo-0-remove": "on", "cargo-2-mark": "C", "mast-sails-2-cloth": "blue"}
    assert adas.post(CHANGE, form | changes).status_code == 302
    now = kept(ships)
    assert now.cargo == (Crate(mark="B"), Crate(mark="C"))
    assert [sail.cloth for sail in now.mast.sails] == ["red", "white", "blue"]


def test_what_may_be_absent_comes_and_goes_by_its_box(adas, ship, ships):
    form = form_of(adas.get(CHANGE))
    assert "spare_mast-set" not in form
    assert adas.post(CHANGE, form | {"spare_mast-height": "7", "spare_mast-set": "on"}).status_code == 302
    assert kept(ships).spare_mast == Mast(height=7)
    form = form_of(adas.get(CHANGE))
    del form["spare_mast-set"]
    assert adas.post(CHANGE, form).status_code == 302
    assert kept(ships).spare_mast is None


def test_a_map_is_rows_of_names_and_values(adas, ship, ships):
    form = form_of(adas.get(CHANGE))
    assert (form["stores-0-name"], form["stores-0-value"], form["stores-rows"]) == ("rum", "4", "3")
    changes = {"stores-0-remove": "on", "stores-1-value": "9", "stores-2-name": "salt", "stores-2-value": "1"}
    assert adas.post(CHANGE, form | changes).status_code == 302
    assert kept(ships).stores == {"tea": 9, "salt": 1}


@pytest.mark.parametrize(
    ("changes", "told", "beside"),
    [
        ({"mast-height": "0"}, "Enter 1 or more.", "id_mast-height_error"),
        ({"mast-height": "tall"}, "Enter a whole number.", "id_mast-height_error"),
        ({"cargo-1-mark": "much too long"}, "Row 2, Mark: Enter at most 8 characters.", "id_cargo-1-mark_error"),
        ({"cargo-2-count": "7"}, "Row 3, Mark: This field is required.", "id_cargo-2-mark_error"),
        ({"mast-sails-0-area": "x"}, "Sails, Row 1, Area: Enter a number", "id_mast-sails-0-area_error"),
        ({"stores-1-name": "rum"}, "Row 2, Name: “rum” comes twice.", "id_stores-1-name_error"),
        ({"stores-0-value": ""}, "Row 1, Value: This field is required.", "id_stores-0-value_error"),
    ],
)
def test_what_cannot_be_is_told_beside_its_part_and_what_was_typed_stays(adas, ship, ships, changes, told, beside):
    answer = adas.post(CHANGE, form_of(adas.get(CHANGE)) | {"name": "Typed"} | changes)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert told in html
    assert f'id="{beside}"' in html
    again = form_of(answer)
    assert {name: again[name] for name in changes} == changes
    assert again["name"] == "Typed"
    assert kept(ships) == ship


def test_what_is_open_is_json_with_every_number_exact(adas, ship, ships):
    form = form_of(adas.get(CHANGE))
    assert '"weight": 1.1' in form["notes"]
    text = '{"weight": 0.12345678901234567890123456789012345678, "n": 12345678901234567890, "yes": true}'
    assert adas.post(CHANGE, form | {"notes": text}).status_code == 302
    notes = kept(ships).notes
    assert str(notes["weight"]) == "0.12345678901234567890123456789012345678"
    assert (notes["n"], notes["yes"]) == (12345678901234567890, True)


def test_one_and_true_are_not_the_same_in_json(adas, ship, ships):
    form = form_of(adas.get(CHANGE))
    assert adas.post(CHANGE, form | {"notes": form["notes"].replace(" 1,", " true,", 1)}).status_code == 302
    assert kept(ships).notes["seen"][0] is True


def test_layout_and_the_order_of_names_change_nothing(adas, ship, ships):
    form = form_of(adas.get(CHANGE))
    assert adas.post(CHANGE, form | {"notes": json.dumps(json.loads(form["notes"]))}).status_code == 302
    assert kept(ships).version == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": 1,\n "b": }', "Line 2, column 7: expecting value."),
        ('{"a": 1, "a": 2}', "The name “a” comes twice"),
        ('{"a": NaN}', "NaN is no number."),
        ('{"a": 1e400}', "1e400 cannot be kept exactly"),
        ('{"a": "\\ud800"}', "half a character"),
        ("[" * 100_000, "nested too deeply"),
        ("[1, 2]", "valid dictionary"),
        ("", "This field is required."),
    ],
)
def test_what_is_no_json_is_told_with_its_place(adas, ship, ships, text, told):
    answer = adas.post(CHANGE, form_of(adas.get(CHANGE)) | {"notes": text})
    assert answer.status_code == 422
    assert told in answer.content.decode().replace("&quot;", '"')
    assert form_of(answer)["notes"].replace("\r", "") == text
    assert kept(ships) == ship


def test_what_is_too_large_to_be_stored_is_told_at_the_form(adas, ship, ships):
    form = form_of(adas.get(CHANGE))
    one_text = adas.post(CHANGE, form | {"notes": write_json({"long": "x" * 410 * 1024})})
    assert one_text.status_code == 422
    assert "the whole row can have 400 KB" in one_text.content.decode()
    together = adas.post(CHANGE, form | {"notes": write_json({"long": "x" * 390 * 1024}), "name": "y" * 20 * 1024})
    assert together.status_code == 422
    assert "400 KB" in together.content.decode()
    assert len(form_of(together)["name"]) == 20 * 1024
    assert kept(ships) == ship


def test_more_rows_than_a_form_can_have_are_edited_as_json(adas, ships):
    many = tuple(Crate(mark=str(number)) for number in range(MOST_INPUTS))
    ships.add(Ship(ship_id="s-1", cargo=many))
    form = form_of(adas.get(CHANGE))
    assert "cargo-rows" not in form
    assert adas.post(CHANGE, form | {"cargo": form["cargo"].replace('"mark": "7"', '"mark": "X"')}).status_code == 302
    assert kept(ships).cargo[7] == Crate(mark="X")
    assert len(kept(ships).cargo) == MOST_INPUTS
    wrong = form_of(adas.get(CHANGE))
    answer = adas.post(CHANGE, wrong | {"cargo": wrong["cargo"].replace('"count": 1', '"count": "many"', 1)})
    assert "entry 1, count: Input should be a valid integer" in answer.content.decode()


def test_a_reader_sees_parts_folded_up(store, ship):
    from apps.accounts.entities import Role  # noqa: PLC0415
    from tests.policy_runs.web import browser, member  # noqa: PLC0415

    html = browser(member(store, Role.SUPPORT)).get(CHANGE).content.decode()
    assert 'class="edit"' not in html
    assert re.search(r"<summary>3 fields</summary><dl", html)
    assert re.search(r"<dt>cloth</dt><dd>red</dd>", html)
    assert "<pre" not in html, "nothing is a wall of text"


def test_of_two_editors_of_parts_the_second_sees_three_versions(adas, ship, ships):
    form = form_of(adas.get(CHANGE))
    ships.save(ship.evolve(cargo=(), notes={"theirs": 1}))
    lost = adas.post(CHANGE, form | {"cargo-0-count": "99"})
    assert lost.status_code == 409
    again = form_of(lost)
    assert (again["cargo-0-count"], again["cargo-1-mark"]) == ("99", "B")
    assert "theirs" in again["notes"]
    assert adas.post(CHANGE, again).status_code == 302
    assert (kept(ships).cargo[0].count, kept(ships).notes) == (99, {"theirs": 1})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda parts: st.lists(parts) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), parts),
    max_leaves=12,
)


@given(JSON)
def test_every_value_comes_back_from_json_as_it_was(value):
    assert read_json(write_json(value)) == value
    assert write_json(read_json(write_json(value))) == write_json(value)


@given(st.text())
def test_any_text_is_json_or_a_mistake(text):
    with suppress(Mistake):
        read_json(text)


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)


@given(st.lists(st.builds(Crate, mark=TEXTS, count=st.integers(-9, 9), is_fragile=st.booleans()), max_size=20))
def test_rows_come_back_as_they_were(crates):
    assert carries(editor(tuple[Crate, ...]), tuple(crates))


@pytest.mark.parametrize("many", [1, 150], ids=["theirs is large", "theirs is small"])
def test_what_was_typed_stays_where_what_is_stored_asks_for_other_inputs_meanwhile(adas, ships, many):
    few, crates = (Crate(mark="A"),), tuple(Crate(mark=str(number)) for number in range(150))
    ship = ships.add(Ship(ship_id="s-1", cargo=few if many == 1 else crates))
    sent = form_of(adas.get(CHANGE))
    typed = {"cargo-0-mark": "MINE"} if many == 1 else {"cargo": sent["cargo"].replace('"149"', '"MINE"')}
    ships.save(ship.evolve(cargo=crates if many == 1 else few))
    lost = adas.post(CHANGE, sent | typed)
    assert (lost.status_code, "changed by both" in lost.content.decode()) == (409, True)
    assert adas.post(CHANGE, form_of(lost)).status_code == 302
    kept = ships.get("s-1", consistent=True).cargo
    assert (len(kept), kept[-1].mark) == (many, "MINE")
