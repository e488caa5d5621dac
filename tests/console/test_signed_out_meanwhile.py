"""A form that is sent after its session ended: nothing is lost but secrets, and nothing is written by itself."""

import pytest
from django.conf import settings
from django.middleware.csrf import CsrfViewMiddleware
from django.test import Client, RequestFactory

from tests.console.pages import form_of
from tests.console.ships import Crate, Ship
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
