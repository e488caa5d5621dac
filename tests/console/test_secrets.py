"""Secrets in the back office: set, replaced and removed, and never to be found anywhere."""

import json
import logging

import pytest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from apps.accounts.entities import Role
from apps.audit.repository import AuditLog
from apps.storage.secrets import Secret
from tests.console import ships as ships_admin
from tests.console.pages import form_of
from tests.console.ships import Ship
from tests.policy_runs.web import browser, member

OLD, NEW = "swordfish-1987", "  correct horse & <battery>  "
LIST = "/admin/console/ship/"
ADD = f"{LIST}add/"
CHANGE, DELETE, HISTORY = (f"{LIST}s-1/{screen}/" for screen in ("change", "delete", "history"))


@pytest.fixture
def ship(ships):
    return ships.add(Ship(ship_id="s-1", radio_key=Secret(OLD)))


@pytest.fixture
def watched(adas, store, caplog):
    """A browser; after the test neither a page, nor a log, nor the audit log may have shown a secret."""
    caplog.set_level(logging.DEBUG)
    seen = []
    answering = adas.request

    def noted(**request):
        seen.append(answering(**request))
        return seen[-1]

    adas.request = noted
    yield adas
    assert seen
    told = [page.content.decode() + str(page.headers) for page in seen] + [caplog.text]
    told.append(repr([entry.model_dump() for entry in AuditLog(store).of("Ships#s-1").items]))
    for text in (OLD, NEW, NEW.strip(), "correct horse"):
        assert not [one for one in told if text in one], "a secret was shown"


def kept(ships):
    return ships.get("s-1", consistent=True)


def test_a_secret_is_told_to_be_set_and_what_nobody_touches_stays(watched, ship, ships):
    page = watched.get(CHANGE)
    html = page.content.decode()
    assert "Set. It is never shown" in html
    assert "Not set." in html
    assert "The code of the safe" in html
    form = form_of(page)
    assert (form["radio_key-_new"], form["safe-_new"]) == ("", "")
    assert not {"radio_key", "safe"} & json.loads(form["as_read"]).keys()
    assert watched.post(CHANGE, form | {"name": "Swan"}).status_code == 302
    assert kept(ships).radio_key.reveal() == OLD
    for address in (LIST, HISTORY, DELETE):
        assert watched.get(address).status_code == 200


def test_what_is_entered_replaces_it_as_it_was_typed(watched, ship, ships):
    assert watched.post(CHANGE, form_of(watched.get(CHANGE)) | {"radio_key-_new": NEW}).status_code == 302
    assert kept(ships).radio_key.reveal() == NEW
    assert watched.get(CHANGE).status_code == watched.get(HISTORY).status_code == 200


def test_it_is_removed_by_its_box(watched, ship, ships):
    form = form_of(watched.get(CHANGE))
    both = watched.post(CHANGE, form | {"radio_key-_new": NEW, "radio_key-remove": "on"})
    assert (both.status_code, "not both" in both.content.decode()) == (422, True)
    assert watched.post(CHANGE, form | {"radio_key-remove": "on"}).status_code == 302
    assert kept(ships).radio_key is None
    assert "radio_key-remove" not in watched.get(CHANGE).content.decode(), "there is nothing to remove"


def test_a_new_one_is_added_with_its_secret(watched, ships):
    form = form_of(watched.get(ADD)) | {"ship_id": "s-1", "safe-_new": NEW}
    assert watched.post(ADD, form).status_code == 302
    assert kept(ships).safe.reveal() == NEW


def test_after_a_mistake_it_has_to_be_entered_again(watched, ship, ships):
    form = form_of(watched.get(CHANGE)) | {"radio_key-_new": NEW, "draught": "much"}
    answer = watched.post(CHANGE, form)
    assert (answer.status_code, answer.content.decode().count("Enter it again")) == (422, 2)
    masked = watched.post(CHANGE, form_of(watched.get(CHANGE)) | {"radio_key-_new": "(hidden)"})
    assert (masked.status_code, "not the secret itself" in masked.content.decode()) == (422, True)
    assert kept(ships) == ship


def test_of_two_editors_the_second_is_told_what_becomes_of_it_and_enters_it_again(watched, ship, ships):
    form = form_of(watched.get(CHANGE))
    ships.save(ship.evolve(name="Theirs", radio_key=Secret("theirs-alone")))
    lost = watched.post(CHANGE, form | {"radio_key-_new": NEW, "safe-_new": "", "pilots": "Cy"})
    html = lost.content.decode()
    assert lost.status_code == 409
    assert "To be replaced" in html
    assert "Enter it again" in html
    assert "theirs-alone" not in html
    again = form_of(lost)
    assert (again["pilots"], again["name"]) == ("Cy", "Theirs")
    assert watched.post(CHANGE, again).status_code == 302
    assert kept(ships).radio_key.reveal() == "theirs-alone", "it was not entered again"


def test_a_removal_survives_a_conflict(watched, ship, ships):
    form = form_of(watched.get(CHANGE)) | {"radio_key-remove": "on"}
    ships.save(ship.evolve(name="Theirs"))
    lost = watched.post(CHANGE, form)
    assert (lost.status_code, "To be removed" in lost.content.decode()) == (409, True)
    assert watched.post(CHANGE, form_of(lost)).status_code == 302
    assert kept(ships).radio_key is None


def test_those_who_only_see_the_row_are_told_whether_there_is_one(store, ship):
    html = browser(member(store, Role.SUPPORT)).get(CHANGE).content.decode()
    assert "Not set" in html
    assert "password" not in html
    assert OLD not in html


def test_a_report_of_an_error_does_not_show_what_was_typed(adas, ship, monkeypatch):
    form = form_of(adas.get(CHANGE)) | {"radio_key-_new": NEW}
    reports = []

    def broken(*_args, **_more):
        raise RuntimeError("the service broke")

    monkeypatch.setattr(ships_admin.ShipAdmin, "change", broken)
    adas.raise_request_exception = False

    def reported(sender, request, **_):
        import sys  # noqa: PLC0415

        assert SafeExceptionReporterFilter().is_active(request)
        reporter = ExceptionReporter(request, *sys.exc_info())
        reports.append(reporter.get_traceback_html() + reporter.get_traceback_text())

    from django.core.signals import got_request_exception  # noqa: PLC0415

    got_request_exception.connect(reported, weak=False, dispatch_uid="reported")
    try:
        assert adas.post(CHANGE, form).status_code == 500
    finally:
        got_request_exception.disconnect(dispatch_uid="reported")
    (report,) = reports
    assert "the service broke" in report
    assert "correct horse" not in report
    assert OLD not in report
