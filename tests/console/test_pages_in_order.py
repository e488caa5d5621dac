"""Fieldsets, read-only fields, the ways to save, and the link to the page on the site."""

import re
from decimal import Decimal

import pytest
from django.contrib.admin.utils import quote

from apps.accounts.entities import Role
from tests.console.office import Deliveries, Delivery
from tests.console.pages import form_of
from tests.console.ships import Crate, Ship
from tests.policy_runs.web import browser, member

LIST = "/admin/console/ship/"
ADD, CHANGE = f"{LIST}add/", f"{LIST}s-1/change/"


@pytest.fixture
def ship(ships, settings):
    settings.ROOT_URLCONF = "tests.console.sorted_ship_urls"
    return ships.add(Ship(ship_id="s-1", name="Swan", crew={"Ada", "Bo"}))


def test_a_page_has_its_fields_in_sections_of_which_some_are_folded(adas, ship):
    html = adas.get(CHANGE).content.decode()
    assert re.findall(r"<h2>(.*?)</h2>", html) == ["People", "Rarely needed"]
    assert "Who is on board" in html
    assert re.search(r'<details class="section"><summary><h2>Rarely needed', html)
    assert re.search(r'<dt>Crew size</dt><dd><span class="number">2</span>', html)
    form = form_of(adas.get(CHANGE))
    assert {"name", "built_on", "rig", "crew", "draught", "radio_key-_new"} <= form.keys()
    assert not {"seen_at-date", "crew_size", "cargo-rows"} & form.keys()


def test_a_folded_section_opens_where_something_in_it_is_wrong(adas, ship):
    answer = adas.post(CHANGE, form_of(adas.get(CHANGE)) | {"draught": "much"})
    assert answer.status_code == 422
    assert "<details class=" not in answer.content.decode()


def test_what_is_only_shown_cannot_be_smuggled_in_and_stays(adas, ship, ships):
    form = form_of(adas.get(CHANGE)) | {"name": "New", "seen_at-date": "1999-01-01", "seen_at-time": "09:00"}
    assert adas.post(CHANGE, form).status_code == 302
    kept = ships.get("s-1", consistent=True)
    assert (kept.name, kept.seen_at) == ("New", ship.seen_at)


@pytest.mark.parametrize(
    ("button", "leads_to"), [({}, LIST), ({"_continue": ""}, CHANGE), ({"_addanother": ""}, ADD)], ids=str
)
def test_after_saving_one_goes_where_the_button_says(adas, ship, button, leads_to):
    filters = "?_changelist_filters=q%3Dsw"
    answer = adas.post(CHANGE + filters, form_of(adas.get(CHANGE + filters)) | {"name": "New"} | button)
    assert answer.url == leads_to + ("?q=sw" if not button else filters)
    new = form_of(adas.get(ADD)) | {"ship_id": "s-2"} | button
    assert adas.post(ADD, new).url == leads_to.replace("s-1", "s-2")


def test_the_page_on_the_site_is_linked_for_those_who_may_see_it(store, adas, ship):
    assert 'href="/ships/s-1/">View on site' in adas.get(CHANGE).content.decode()
    assert "View on site" not in adas.get(ADD).content.decode()
    assert "View on site" not in browser(member(store, Role.SUPPORT)).get(CHANGE).content.decode()


def test_what_was_typed_stays_where_the_row_was_deleted_meanwhile(adas, ships):
    ship = ships.add(Ship(ship_id="s-1", name="Swan", cargo=(Crate(mark="A"),), ports=("a\nb",)))
    form = form_of(adas.get(CHANGE)) | {"name": "Typed", "cargo-0-mark": "B", "radio_key-_new": "to be forgotten"}
    ships.delete(ship)
    answer = adas.post(CHANGE, form)
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody deleted this while you were at it." in html
    assert "to be forgotten" not in html
    assert f'action="{ADD}"' in html
    again = form_of(answer)
    assert (again["ship_id"], again["name"], again["cargo-0-mark"]) == ("s-1", "Typed", "B")
    assert again["ports"].replace("\r", "") == form["ports"].replace("\r", "")
    assert ships.find("s-1", consistent=True) is None, "nothing comes back by itself"
    assert adas.post(ADD, again | {"ports": "a"}).status_code == 302
    assert ships.get("s-1", consistent=True).cargo == (Crate(mark="B"),)


def test_a_key_of_several_parts_stays_too_where_the_row_was_deleted_meanwhile(adas, office_store):
    deliveries = Deliveries(office_store)
    row = deliveries.add(Delivery(harbour="Kiel", weight=Decimal("1.5"), note="x"))
    address = f"/admin/console/delivery/{quote('HARBOUR#Kiel~1.5')}/change/"
    form = form_of(adas.get(address)) | {"note": "Typed"}
    deliveries.delete(row)
    assert adas.post("/admin/console/delivery/Kiel~1.5/change/", form).status_code == 409
    again = form_of(adas.post(address, form))
    assert (again["harbour"], again["weight"], again["note"]) == ("Kiel", "1.5", "Typed")
    assert adas.post("/admin/console/delivery/add/", again).status_code == 302
    assert deliveries.get(("HARBOUR#Kiel", Decimal("1.5")), consistent=True).note == "Typed"


def test_only_a_form_that_was_read_outlives_its_row(adas, ships):
    assert adas.post(CHANGE, {"name": "x"}).status_code == 404
    assert adas.get(CHANGE).status_code == 404
