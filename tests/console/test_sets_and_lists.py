"""Sets and lists in a form: enums as boxes, texts and numbers one a line."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.console.forms.editors import editor
from apps.console.forms.value_fields import carries
from tests.console.pages import form_of
from tests.console.ships import Flag, Ship

LIST = "/admin/console/ship/"
ADD = f"{LIST}add/"
CHANGE = f"{LIST}s-1/change/"


@pytest.fixture
def ship(ships):
    return ships.add(
        Ship(
            ship_id="s-1",
            name="Swan",
            flags={Flag.WHITE, Flag.DARK_BLUE},
            crew={"Bo", "Ada"},
            ports=("Kiel", "Ærø", "Kiel"),
            depths=[3, 12],
            course=(Flag.WHITE, Flag.RED, Flag.WHITE),
        )
    )


def test_what_nobody_touches_stays_as_it_is(adas, ship, ships):
    answer = adas.post(CHANGE, form_of(adas.get(CHANGE)))
    assert (answer.status_code, answer.url) == (302, LIST)
    assert ships.get("s-1", consistent=True) == ship, "and nothing was written"


def test_an_enums_set_is_boxes_with_words(adas, ship, ships):
    page = adas.get(CHANGE)
    html = page.content.decode()
    assert re.search(r"<legend>Flags</legend>", html)
    assert re.search(r'value="dark_blue" id="id_flags_1" checked>Dark blue</label>', html)
    assert re.search(r'value="red" id="id_flags_0">Red</label>', html)
    adas.post(CHANGE, form_of(page) | {"flags": ["red", "white"]})
    assert ships.get("s-1", consistent=True).flags == {Flag.RED, Flag.WHITE}
    without = form_of(adas.get(CHANGE))
    del without["flags"]
    adas.post(CHANGE, without)
    assert ships.get("s-1", consistent=True).flags == frozenset()


def test_texts_and_numbers_are_one_a_line(adas, ship, ships):
    form = form_of(adas.get(CHANGE))
    assert (form["crew"], form["ports"], form["depths"]) == ("Ada\r\nBo", "Kiel\r\nÆrø\r\nKiel", "3\r\n12")
    changes = {"crew": " Ada \r\n\r\nCy", "ports": "Ærø", "depths": "7\n8", "course": "red"}
    assert adas.post(CHANGE, form | changes).status_code == 302
    kept = ships.get("s-1", consistent=True)
    assert (kept.crew, kept.ports, kept.depths, kept.course) == ({"Ada", "Cy"}, ("Ærø",), [7, 8], (Flag.RED,))
    assert (kept.name, kept.flags, kept.version) == (ship.name, ship.flags, 2)


def test_a_new_one_is_added_with_its_sets(adas, ships):
    form = form_of(adas.get(ADD)) | {"ship_id": "s-2", "flags": "red", "crew": "Ada", "pilots": ""}
    assert adas.post(ADD, form).status_code == 302
    made = ships.get("s-2", consistent=True)
    assert (made.flags, made.crew, made.ports, made.pilots) == ({Flag.RED}, {"Ada"}, (), None)


@pytest.mark.parametrize(
    ("name", "entered", "told"),
    [
        ("flags", ["red", "green"], "Choose among those that are offered."),
        ("depths", "3\nmany\n4\nfew", "Line 2: Enter a whole number."),
        ("course", "red\ngreen", "Line 2: Choose one of those that are offered."),
    ],
)
def test_what_cannot_be_is_told_with_its_line_and_what_was_typed_stays(adas, ship, ships, name, entered, told):
    answer = adas.post(CHANGE, form_of(adas.get(CHANGE)) | {"name": "Typed", name: entered})
    html = answer.content.decode()
    assert (answer.status_code, html.count(told)) == (422, 2)
    again = form_of(answer)
    assert again["name"] == "Typed"
    if name != "flags":
        assert again[name].replace("\r", "") == entered
    assert ships.get("s-1", consistent=True) == ship


def test_of_two_editors_of_a_set_the_second_sees_three_versions(adas, ship, ships):
    form = form_of(adas.get(CHANGE))
    ships.save(ship.evolve(flags={Flag.RED}, ports=("Theirs",)))
    lost = adas.post(CHANGE, form | {"flags": ["white"]})
    html = lost.content.decode()
    assert lost.status_code == 409
    row = re.search(r"Flags<br>.*?</th>(.*?)</tr>", html, re.DOTALL)[1]
    chips = [re.findall(r'class="chip">([^<]*)', cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]
    assert chips == [["Dark blue", "White"], ["Red"], ["White"]]
    again = form_of(lost)
    assert (again["flags"], again["ports"]) == ("white", "Theirs")
    assert adas.post(CHANGE, again).status_code == 302
    kept = ships.get("s-1", consistent=True)
    assert (kept.flags, kept.ports) == ({Flag.WHITE}, ("Theirs",))


def test_a_garbled_memory_of_what_was_read_changes_nothing_by_itself(adas, ship, ships):
    form = form_of(adas.get(CHANGE))
    for garbled in ("", "{", "[]", '{"flags": 7}'):
        assert adas.post(CHANGE, form | {"as_read": garbled}).status_code == 302
    assert ships.get("s-1", consistent=True).flags == ship.flags


LINES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1).filter(lambda t: t == t.strip())


@given(st.lists(LINES))
def test_every_list_of_lines_comes_back_as_it_was(texts):
    field = editor(tuple[str, ...])
    assert carries(field, tuple(texts))
    assert not field.has_changed(field.entered(tuple(texts)), "\r\n".join(texts) + "\r\n")


@given(st.sets(st.integers(min_value=-(10**38) + 1, max_value=10**38 - 1)))
def test_every_set_of_numbers_comes_back_as_it_was(numbers):
    assert carries(editor(frozenset[int]), frozenset(numbers))


@pytest.mark.parametrize("texts", [("a\nb",), ("",), (" a",), ("a\x85b",)])
def test_a_list_that_lines_would_change_is_not_edited_in_lines(texts):
    assert not carries(editor(tuple[str, ...]), texts)


def test_what_lines_would_change_is_edited_as_json(adas, ships):
    ships.add(Ship(ship_id="s-1", ports=("one\ntwo", "three")))
    form = form_of(adas.get(CHANGE))
    assert form["ports"] == '[\r\n  "one\\ntwo",\r\n  "three"\r\n]'
    adas.post(CHANGE, form | {"name": "New", "ports": form["ports"].replace("three", "four")})
    kept = ships.get("s-1", consistent=True)
    assert (kept.name, kept.ports) == ("New", ("one\ntwo", "four"))
