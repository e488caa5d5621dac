"""Children on the page of their parent: shown in one query, and changed as rows through their own service."""

import re

import pytest

from apps.accounts.entities import Role
from tests.console.pages import form_of
from tests.console.ships import Ship, ShipAdmin, Visit, VisitAdmin, Visits
from tests.policy_runs.web import browser, member

CHANGE = "/admin/console/ship/s-1/change/"
ROWS = "/admin/console/ship/s-1/rows/0/"


@pytest.fixture
def ship(ships, settings):
    settings.ROOT_URLCONF = "tests.console.sorted_ship_urls"
    return ships.add(Ship(ship_id="s-1", name="Swan"))


@pytest.fixture
def visits(store, ship):
    found = Visits(store)
    for port, tons in (("Kiel", 5), ("Oslo", 7)):
        found.add(Visit(ship_id="s-1", port=port, tons=tons))
    return found


def kept(visits):
    return {one.port: (one.tons, one.version) for port in PORTS if (one := visits.find(("s-1", port), consistent=True))}


PORTS = ("Kiel", "Oslo", "Riga", "Turku")


def test_children_are_shown_on_the_page_in_one_query_each(adas, visits, costs):
    with costs(requests=5, gets=3, queries=2):
        html = adas.get(CHANGE).content.decode()
    assert re.findall(r'<h2 id="children-\d">(.*?)</h2>', html) == ["Visits", "What was done"]
    assert re.search(r'<a href="/admin/console/visit/[^"]*">Kiel</a></th><td><span class="number">5', html)
    assert "There are none." in html, "nothing was done yet"
    assert "All of them" not in html


def test_of_many_children_the_first_are_shown_with_the_way_to_all(adas, visits):
    for port in ("Riga", "Turku"):
        visits.add(Visit(ship_id="s-1", port=port))
    html = adas.get(CHANGE).content.decode()
    assert "These are the first 3." in html
    assert 'href="/visits/s-1/">All of them' in html
    assert "Turku" not in html


def test_the_children_s_own_permission_decides(store, visits, adas, monkeypatch):
    sams = browser(member(store, Role.SUPPORT))
    html = sams.get(CHANGE).content.decode()
    assert "Swan" in html
    assert "Kiel" not in html
    assert "children-" not in html
    assert sams.get(ROWS).status_code == sams.post(ROWS, {"rows": "1"}).status_code == 404
    monkeypatch.setattr(VisitAdmin, "changes", None)
    assert "Change these" not in adas.get(CHANGE).content.decode()
    assert adas.get(ROWS).status_code == 403
    assert adas.get("/admin/console/ship/s-1/rows/7/").status_code == 404
    assert adas.get("/admin/console/ship/s-1/rows/1/").status_code == 404, "they are only shown"


def test_rows_are_changed_added_and_removed_each_through_the_service(adas, visits):
    assert f'href="{ROWS}">Change these' in adas.get(CHANGE).content.decode()
    form = form_of(adas.get(ROWS))
    assert (form["rows"], form["row-0-tons"], form["row-1-key"] != "") == ("5", "5", True)
    changes = {"row-0-tons": "6", "row-1-remove": "on", "row-2-port": "Riga", "row-2-tons": "1"}
    answer = adas.post(ROWS, form | changes)
    assert (answer.status_code, answer.url) == (302, CHANGE)
    assert kept(visits) == {"Kiel": (6, 2), "Riga": (1, 1)}
    assert "3 rows are saved." in adas.get(CHANGE).content.decode()


def test_what_nobody_touches_is_not_written(adas, visits):
    assert adas.post(ROWS, form_of(adas.get(ROWS))).status_code == 302
    assert kept(visits) == {"Kiel": (5, 1), "Oslo": (7, 1)}
    assert "Nothing was changed." in adas.get(CHANGE).content.decode()


def test_a_refused_row_keeps_what_was_typed_and_the_others_are_saved(adas, visits):
    form = form_of(adas.get(ROWS))
    changes = {"row-0-tons": "5000", "row-1-tons": "8", "row-2-port": "Kiel", "row-3-port": "Riga"}
    answer = adas.post(ROWS, form | changes)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "Enter 1000 or less." in html
    assert "already" in html
    assert kept(visits) == {"Kiel": (5, 1), "Oslo": (8, 2), "Riga": (0, 1)}
    again = form_of(answer)
    assert (again["row-0-tons"], again["row-2-port"], again["row-1-read_version"]) == ("5000", "Kiel", "2")
    assert adas.post(ROWS, again | {"row-0-tons": "50", "row-2-port": "Turku"}).status_code == 302
    assert kept(visits) == {"Kiel": (50, 2), "Oslo": (8, 2), "Riga": (0, 1), "Turku": (0, 1)}


def test_a_row_that_somebody_changed_meanwhile_shows_three_versions_and_is_neither_saved_nor_removed(adas, visits):
    form = form_of(adas.get(ROWS))
    for port in ("Kiel", "Oslo"):
        visits.save(visits.get(("s-1", port)).evolve(tons=77))
    answer = adas.post(ROWS, form | {"row-0-tons": "6", "row-1-remove": "on"})
    html = answer.content.decode()
    assert answer.status_code == 422
    row = re.search(r"Tons<br>(.*?)</tr>", html, re.DOTALL)[1]
    assert "changed by both" in row
    assert re.findall(r'class="number">(\d+)', row) == ["5", "77", "6"]
    assert kept(visits) == {"Kiel": (77, 2), "Oslo": (77, 2)}
    assert adas.post(ROWS, form_of(answer)).status_code == 302
    assert kept(visits)["Kiel"] == (6, 3)


def test_a_row_that_was_deleted_meanwhile_stays_as_it_was_typed(adas, visits):
    form = form_of(adas.get(ROWS))
    visits.delete(("s-1", "Kiel"))
    answer = adas.post(ROWS, form | {"row-0-tons": "6"})
    assert answer.status_code == 422
    assert "Somebody deleted this" in answer.content.decode()
    assert form_of(answer)["row-0-tons"] == "6"
    assert "Kiel" not in kept(visits)


def test_an_admin_without_children_has_no_rows(adas, ships):
    assert not ShipAdmin.children
    ships.add(Ship(ship_id="s-1"))
    assert adas.get(ROWS).status_code == 404


def test_rows_of_another_parent_are_neither_shown_nor_changed_here(adas, visits, ships):
    ships.add(Ship(ship_id="s-2"))
    visits.add(Visit(ship_id="s-2", port="Riga", tons=1))
    form = form_of(adas.get(ROWS))
    foreign = {"row-0-key": "s-2~Riga", "row-0-tons": "6"}
    answer = adas.post(ROWS, form | foreign)
    assert answer.status_code == 422
    assert "Somebody deleted this" in answer.content.decode()
    assert adas.post(ROWS, form | foreign | {"row-0-remove": "on"}).status_code == 302
    assert visits.get(("s-2", "Riga"), consistent=True).tons == 1


def test_a_row_that_its_reader_may_not_see_or_change_is_not(adas, visits, monkeypatch):
    form = form_of(adas.get(ROWS))
    monkeypatch.setattr(VisitAdmin, "has_change_permission", lambda _, __, row=None: row is None)
    assert adas.post(ROWS, form | {"row-0-tons": "6"}).status_code == 302
    assert kept(visits)["Kiel"] == (5, 1)
    monkeypatch.setattr(
        VisitAdmin, "has_view_permission", lambda _, __, row=None: row is None or row.entity.port != "Kiel"
    )
    for address in (CHANGE, ROWS):
        html = adas.get(address).content.decode()
        assert ("Kiel" in html, "Oslo" in html) == (False, True)
    assert "Kiel" not in adas.post(ROWS, form | {"row-0-tons": "6"}).content.decode().replace('value="Kiel"', "")


@pytest.mark.parametrize("many", ["", "-1", "x", "٣", "99999", "0"], ids=range(6))
def test_a_tampered_number_of_rows_breaks_and_removes_nothing(adas, visits, many):
    assert adas.post(ROWS, form_of(adas.get(ROWS)) | {"rows": many}).status_code == 302
    assert kept(visits) == {"Kiel": (5, 1), "Oslo": (7, 1)}
