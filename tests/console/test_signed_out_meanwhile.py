"""A form that is sent after its session ended: nothing is lost but secrets, and nothing is written by itself."""

import pytest
from django.conf import settings
from django.middleware.csrf import CsrfViewMiddleware
from django.test import Client, RequestFactory

from tests.console.pages import form_of
from tests.console.ships import Crate, Ship, Visit, Visits
from tests.policy_runs.web import browser, session_key

CHANGE = "/admin/console/ship/s-1/change/"
RESUME = "/admin/resume/"


@pytest.fixture
def ship(ships):
    return ships.add(Ship(ship_id="s-1", name="Swan", cargo=(Crate(mark="A"),)))


def test_what_was_typed_is_shown_again_after_signing_in_and_saved_then(ada, ship, ships):
    adas = browser(ada, enforce_csrf_checks=True)
    form = form_of(adas.get(CHANGE)) | {"name": "  Two\nlines", "cargo-0-mark": "B", "radio_key-_new": "top secret"}
    del adas.cookies[settings.SESSION_COOKIE_NAME]
    answer = adas.post(CHANGE, form)
    html = answer.content.decode()
    assert answer.status_code == 401
    assert "You are signed out" in html
    assert "top secret" not in html
    assert adas.post(RESUME, form_of(answer)).status_code == 404, "not yet signed in"

    adas.cookies[settings.SESSION_COOKIE_NAME] = session_key(ada)
    adas.cookies[settings.CSRF_COOKIE_NAME] = "d" * 32  # signing in gives another one
    again = adas.post(RESUME, form_of(answer))
    assert again.status_code == 422
    assert "You were signed out when you sent this." in again.content.decode()
    assert f'action="{CHANGE}"' in again.content.decode()
    assert ships.get("s-1", consistent=True) == ship, "showing it writes nothing"
    sent = form_of(again)
    assert (sent["name"].replace("\r", ""), sent["cargo-0-mark"]) == (form["name"], "B")
    assert adas.post(CHANGE, sent).status_code == 302
    kept = ships.get("s-1", consistent=True)
    assert (kept.cargo, kept.radio_key) == ((Crate(mark="B"),), None)


@pytest.mark.parametrize(
    "to", ["", "/", "/nothing/", "/account/", "/admin/", "/admin/console/ship/", "/admin/console/ship/s-1/delete/"]
)
def test_only_forms_of_the_back_office_are_shown_again(adas, ship, to):
    assert adas.post(RESUME, {"_resume_to": to}).status_code == 404
    assert adas.get(RESUME).status_code == 404


def test_who_may_not_change_it_is_refused_as_ever(ship, store):
    assert Client().post(RESUME, {"_resume_to": CHANGE}).status_code == 404


def test_django_takes_a_request_for_checked_by_the_name_that_is_set_here():
    request = RequestFactory().post("/")
    request.csrf_processing_done = True
    assert CsrfViewMiddleware(lambda _: None).process_view(request, lambda _: None, (), {}) is None


def test_whatever_else_is_sent_leads_to_signing_in(ship):
    answer = Client().post("/admin/console/ship/s-1/delete/", {"read_version": "1"})
    assert (answer.status_code, answer.url.startswith("/account/sign-in/")) == (302, True)


def test_a_row_whose_key_has_letters_of_any_kind_is_shown_again(ada, ships):
    ships.add(Ship(ship_id="Zürich 50%/ü", name="Swan"))
    adas = browser(ada)
    address = "/admin/console/ship/Zürich 50_25_2Fü/change/"
    form = form_of(adas.get(address)) | {"name": "Typed"}
    signed_out = Client().post(address, form)
    assert signed_out.status_code == 401
    again = adas.post(RESUME, form_of(signed_out))
    assert (again.status_code, form_of(again)["name"]) == (422, "Typed")
    to = again.content.decode().split("enctype")[0].rsplit('action="', 1)[1].split('"')[0]
    assert adas.post(to, form_of(again)).status_code == 302
    assert ships.get("Zürich 50%/ü", consistent=True).name == "Typed"


def test_rows_are_shown_again_as_they_were_typed_and_saved_then(ada, ship, store, settings):
    settings.ROOT_URLCONF = "tests.console.sorted_ship_urls"
    visits = Visits(store)
    for port in ("Kiel", "Oslo", "Riga"):
        visits.add(Visit(ship_id="s-1", port=port, tons=5))
    adas = browser(ada)
    address = "/admin/console/ship/s-1/rows/0/"
    typed = {"row-0-tons": "6", "row-1-remove": "on", "row-3-port": "Turku"}
    signed_out = Client().post(address, form_of(adas.get(address)) | typed)
    assert (signed_out.status_code, "You are signed out" in signed_out.content.decode()) == (401, True)
    again = adas.post(RESUME, form_of(signed_out))
    assert again.status_code == 422
    assert f'action="{address}"' in again.content.decode()
    assert {one.port: one.tons for one in visits.leafed(limit=9).items} == {"Kiel": 5, "Oslo": 5, "Riga": 5}
    sent = form_of(again)
    assert {name: sent[name] for name in typed} == typed
    assert adas.post(address, sent).status_code == 302
    assert {one.port: one.tons for one in visits.leafed(limit=9).items} == {"Kiel": 6, "Riga": 5, "Turku": 0}


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_form_that_was_filled_in_elsewhere_is_not_shown(adas, ship, site):
    sent = {"_resume_to": CHANGE, "name": "Theirs"}
    assert adas.post(RESUME, sent, headers={"Sec-Fetch-Site": site}).status_code == 404
    assert adas.post(RESUME, sent, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 422
