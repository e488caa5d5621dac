"""What load balancers ask, how errors are told, and what every answer carries."""

import re

import pytest
from django.test import Client
from django.urls import path

from apps.accounts.entities import Role
from apps.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unavailable
from apps.storage import connection
from apps.storage.connection import Store
from project import urls
from project.errors import rendering
from tests.policy_runs.web import browser, member

HTMX = {"HX-Request": "true"}


def failing(error):
    def view(_request):
        raise error

    return view


handler400, handler404, handler500 = urls.handler400, urls.handler404, urls.handler500
urlpatterns = [
    *urls.urlpatterns,
    path("trouble/conflict/", failing(Conflict("Somebody was <faster>."))),
    path("trouble/busy/", failing(Unavailable("Too many at once.", retry_after_seconds=2.4))),
    path("trouble/forbidden/", failing(Forbidden("Not you."))),
    path("trouble/bug/", failing(RuntimeError("the secret plan"))),
    path("api/trouble/bug/", failing(RuntimeError("the secret plan"))),
]


@pytest.fixture
def client(store, settings):
    """Somebody's browser on a site that also has pages that fail."""
    settings.ROOT_URLCONF = __name__
    found = browser(member(store, Role.OPERATOR))
    found.raise_request_exception = False
    return found


@pytest.fixture
def store_down(client, monkeypatch):
    gone = Store(environment="dev", prefix="none", endpoint="http://127.0.0.1:9", region="eu-west-1", attempts=1)
    monkeypatch.setattr(connection, "_default", gone)


# --- health ---------------------------------------------------------------------------------------------------------


def test_the_process_is_alive_without_a_store_and_ready_only_with_it(store_down):
    assert Client().get("/healthz").json()["status"] == "ok"
    answer = Client().get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert answer.json()["problems"]


def test_the_site_is_ready_once_every_table_is_there(store):
    assert (Client().get("/readyz").status_code, Client().get("/readyz").json()) == (
        200,
        {"status": "ready", "problems": []},
    )
    store.client.delete_table(TableName=f"{store.prefix}-dev-PolicyResults")
    answer = Client().get("/readyz")

    assert answer.status_code == 503
    assert len(answer.json()["problems"]) == 1
    assert "PolicyResults" in answer.json()["problems"][0]


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status"), [(NotFound, 404), (Conflict, 409), (Invalid, 422), (Forbidden, 403), (Unavailable, 503)]
)
def test_each_kind_of_error_has_its_status_and_its_words(kind, status):
    class Narrower(kind):
        pass

    told = rendering(Narrower("A sentence."))
    assert told.status == status
    assert all(words.endswith(".") for words in (told.kept, told.advice))


def test_an_error_of_no_kind_is_told_as_ours():
    assert rendering(DomainError("A sentence.")).status == 500


def test_an_error_is_a_page_a_fragment_or_json_with_a_reference_to_quote(client):
    for address, status in (("/nowhere/", 404), ("/trouble/conflict/", 409), ("/trouble/forbidden/", 403)):
        page, fragment = client.get(address), client.get(address, headers=HTMX)
        assert (page.status_code, fragment.status_code) == (status, status)
        assert "<!doctype html>" in page.content.decode()
        assert "<html" not in fragment.content.decode()
        for answer in (page, fragment):
            assert answer.headers["X-Request-Reference"] in answer.content.decode()
            assert "Traceback" not in answer.content.decode()
    assert "Somebody was &lt;faster&gt;." in client.get("/trouble/conflict/").content.decode()
    api = client.get("/api/nowhere")
    assert api.json()["error"] == {
        "code": "not_found",
        "message": "There is nothing at this address.",
        "field": None,
        "details": [],
        "reference": api.headers["X-Request-Reference"],
    }


def test_a_wait_that_is_known_is_told(client):
    answer = client.get("/trouble/busy/")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


def test_a_bug_tells_nothing_but_its_reference(client):
    page, api = client.get("/trouble/bug/"), client.get("/api/trouble/bug/")

    assert (page.status_code, api.status_code) == (500, 500)
    assert page.headers["X-Request-Reference"] in page.content.decode()
    assert api.json()["error"]["reference"] == api.headers["X-Request-Reference"]
    assert "secret plan" not in page.content.decode() + api.content.decode()


def test_a_store_that_does_not_answer_is_told_as_a_page_a_fragment_and_json(client, store_down):
    page = client.get("/policy-runs/")
    fragment = client.get("/policy-runs/", headers=HTMX)
    api = client.get("/api/policy-runs")

    assert (page.status_code, fragment.status_code, api.status_code) == (503, 503, 503)
    assert "Try again in a moment." in page.content.decode()
    assert "<html" not in fragment.content.decode()
    assert api.json()["error"]["code"]
    for answer in (page, fragment, api):
        assert answer.headers["X-Request-Reference"] in answer.content.decode()
        assert "127.0.0.1:9" not in answer.content.decode()
    assert "sessionid" not in page.cookies, "nobody is signed out by a store that is away"


def test_a_wrong_address_is_told_even_while_the_store_is_away(client, store_down):
    assert client.get("/nowhere/").status_code == 404
    assert client.get("/trouble/bug/").status_code == 500


def test_a_form_with_an_old_token_is_told_as_a_page_and_as_json(store):
    client = browser(member(store, Role.OPERATOR), enforce_csrf_checks=True)
    page = client.post("/policy-runs/new/", {})
    api = client.post("/api/policy-runs", b"{}", content_type="application/json")

    assert (page.status_code, api.status_code) == (403, 403)
    assert page.headers["X-Request-Reference"] in page.content.decode()
    assert (api.json()["error"]["code"], "X-CSRFToken" in api.json()["error"]["message"]) == ("csrf", True)


# --- what every answer carries --------------------------------------------------------------------------------------


def test_every_answer_keeps_foreign_code_and_frames_out(client):
    for address in ("/", "/policy-runs/", "/policy-runs/new/", "/account/", "/nowhere/", "/trouble/bug/"):
        answer = client.get(address)
        parts = (part.strip().partition(" ") for part in answer["Content-Security-Policy"].split(";"))
        policy = {name: values.split() for name, _, values in parts}
        assert policy["default-src"] == ["'none'"], address
        assert policy["script-src"] == policy["style-src"] == ["'self'"]
        assert policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"


def test_no_page_needs_what_the_policy_forbids(client):
    for address in ("/", "/policy-runs/", "/policy-runs/new/", "/account/", "/nowhere/", "/trouble/bug/"):
        html = client.get(address).content.decode()
        assert not re.search(r"<script(?![^>]*\ssrc=)", html), address
        assert not re.search(r"<style\b|\sstyle=|\son\w+=", html), address
        assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", html), address


def test_pages_are_not_kept_by_browsers(client):
    for address in ("/", "/policy-runs/", "/policy-runs/new/", "/account/"):
        assert "no-store" in client.get(address)["Cache-Control"], address


def test_the_theme_follows_its_cookie_and_nothing_else(client):
    client.cookies["theme"] = "dark"
    assert 'data-theme="dark"' in client.get("/").content.decode()
    client.cookies["theme"] = "<script>"
    assert "data-theme=" not in client.get("/").content.decode().partition("<body")[0]


def test_a_form_that_is_too_large_is_refused_with_a_page(store):
    answer = Client().post("/account/sign-in/", {"email": "x" * 2_000_000, "password": "y"})

    assert answer.status_code == 400
    assert "1 MB" in answer.content.decode()


def test_the_description_of_the_api_is_for_those_who_have_signed_in(store):
    assert Client().get("/api/openapi.json").status_code == 302
    assert browser(member(store, Role.VIEWER)).get("/api/openapi.json").json()["info"]["title"] == "Rungs"


def test_a_person_is_not_told_which_table_or_key_the_store_failed_on(store, monkeypatch):
    someone = browser(member(store, Role.OPERATOR))
    away = Store(environment="dev", prefix="x", endpoint="http://127.0.0.1:9", region="eu-west-1", attempts=1)
    monkeypatch.setattr(connection, "_default", away)

    answer = someone.get("/")

    assert answer.status_code == 503
    assert "The store does not answer as it should" in answer.content.decode()
    assert "WebSessions" not in answer.content.decode()
