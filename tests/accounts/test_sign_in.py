from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from apps.accounts import services, wiring
from apps.accounts.entities import User
from apps.accounts.errors import TooManyAttempts
from apps.storage.connection import Store
from apps.storage.metering import metering
from apps.storage.sessions import session_hash
from tests.accounts.people import ADMIN, BOSS, PASSWORD, CountingPasswords

WRONG = "This e-mail address and password do not belong together."


@pytest.fixture
def client() -> Client:
    return Client()


def test_the_right_password_signs_in_and_leads_home(
    client: Client, ada: User, sign_in: Callable[..., HttpResponse]
) -> None:
    answer = sign_in(client, email="ADA@example.org")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/").content == b"Hello Ada"


def test_a_wrong_password_is_refused_and_what_was_typed_stays_but_for_the_password(
    client: Client, ada: User, sign_in: Callable[..., HttpResponse]
) -> None:
    answer = sign_in(client, password="wrong horse battery")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert WRONG in page
    assert 'value="ada@example.org"' in page
    assert "wrong horse battery" not in page
    assert client.get("/").status_code == 302


def test_wrong_unknown_and_inactive_get_the_same_answer_for_the_same_work(
    client: Client,
    ada: User,
    make_user: Callable[..., User],
    sign_in: Callable[..., HttpResponse],
    passwords: CountingPasswords,
) -> None:
    gone = make_user(email="gone@example.org", name="Gone")
    services.deactivate(
        wiring.users(),
        user=gone,
        by=BOSS,
        actor=ADMIN,
        now=gone.created_at,
        audit=wiring.audit_log(),
        sessions=wiring.web_sessions(),
    )
    pages, costs, looks = [], [], []
    for email, password in (
        ("ada@example.org", "wrong horse battery"),
        ("nobody@example.org", PASSWORD),
        ("gone@example.org", PASSWORD),
    ):
        before = passwords.looks
        with metering() as cost:
            answer = sign_in(client, email=email, password=password)
        pages.append((answer.status_code, answer.content.decode().replace(email, "").partition("csrf")[0]))
        assert WRONG in answer.content.decode()
        costs.append(cost.requests)
        looks.append(passwords.looks - before)
    assert pages[0] == pages[1] == pages[2]
    assert costs[0] == costs[1] == costs[2]
    assert looks == [1, 1, 1]


def test_an_unknown_account_costs_a_hash_of_the_same_parameters(
    ada: User, passwords: CountingPasswords, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    monkeypatch.setattr(passwords, "hashed", lambda password: made.append(password) or "argon2$")
    assert passwords.matches(PASSWORD, None) is False
    assert made == [PASSWORD]


def test_an_empty_form_says_what_is_missing(client: Client, store: Store, sign_in: Callable[..., HttpResponse]) -> None:
    page = sign_in(client, email="", password="").content.decode()
    assert "Enter your e-mail address." in page
    assert "Enter your password." in page


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/policy-runs/?status=open", "/policy-runs/?status=open"),
        ("https://evil.example/", "/"),
        ("//evil.example/x", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("http://testserver/x", "/"),
        ("nowhere", "/"),
        ("accounts:sign_out", "/"),
        ("?next=/x", "/"),
        ("#part", "/"),
    ],
)
def test_one_is_only_led_to_pages_of_ours(
    client: Client, ada: User, sign_in: Callable[..., HttpResponse], wanted: str, leads_to: str
) -> None:
    assert sign_in(client, next=wanted)["Location"] == leads_to


def test_a_foreign_next_is_not_even_written_into_the_page(client: Client, store: Store) -> None:
    assert b"evil.example" not in client.get("/account/sign-in/?next=https://evil.example/").content
    assert b'value="/launch/"' in client.get("/account/sign-in/?next=/launch/").content


def test_who_is_signed_in_already_goes_straight_on(
    client: Client, ada: User, sign_in: Callable[..., HttpResponse]
) -> None:
    sign_in(client)
    assert client.get("/account/sign-in/?next=/launch/")["Location"] == "/launch/"


def test_pages_of_signing_in_are_never_cached(client: Client, store: Store) -> None:
    assert "no-store" in client.get("/account/sign-in/")["Cache-Control"]


def test_too_many_failures_show_the_wait_and_verify_no_more(
    client: Client, ada: User, sign_in: Callable[..., HttpResponse], passwords: CountingPasswords
) -> None:
    for _ in range(5):
        assert sign_in(client, password="wrong").status_code == 422
    looked = passwords.looks
    answer = sign_in(client)
    assert answer.status_code == 429
    assert passwords.looks == looked == 5
    assert 25 <= int(answer["Retry-After"]) <= 30
    assert f'data-countdown="{answer["Retry-After"]}"' in answer.content.decode()
    assert client.get("/").status_code == 302


def test_the_owner_signs_in_elsewhere_while_a_stranger_fails_many_times(
    ada: User, sign_in: Callable[..., HttpResponse]
) -> None:
    stranger = Client(REMOTE_ADDR="203.0.113.7")
    assert [sign_in(stranger, password="guess").status_code for _ in range(8)] == [422] * 5 + [429] * 3
    assert sign_in(Client(REMOTE_ADDR="198.51.100.4")).status_code == 302


def test_a_planted_session_key_is_worth_nothing_after_signing_in(
    client: Client, ada: User, sign_in: Callable[..., HttpResponse], store: Store
) -> None:
    client.get("/account/sign-in/")
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    client.cookies["sessionid"] = planted
    sign_in(client)
    assert client.cookies["sessionid"].value != planted
    assert wiring.web_sessions().find(session_hash(planted), consistent=True) is None


def test_signing_in_as_another_person_keeps_nothing_of_the_first(
    client: Client, ada: User, make_user: Callable[..., User], sign_in: Callable[..., HttpResponse]
) -> None:
    make_user(email="olga@example.org", name="Olga")
    sign_in(client)
    session = client.session
    session["private"] = "of Ada"
    session.save()
    sign_in(client, email="olga@example.org")
    assert client.get("/").content == b"Hello Olga"
    assert "private" not in client.session


def test_signing_out_ends_the_session_and_needs_a_post(
    client: Client, ada: User, sign_in: Callable[..., HttpResponse]
) -> None:
    sign_in(client)
    assert client.get("/account/sign-out/").status_code == 405
    assert client.get("/").status_code == 200
    key = client.cookies["sessionid"].value
    assert client.post("/account/sign-out/")["Location"] == "/account/sign-in/"
    client.cookies["sessionid"] = key
    assert client.get("/")["Location"] == "/account/sign-in/"


def test_signing_in_needs_the_csrf_token(ada: User, sign_in: Callable[..., HttpResponse]) -> None:
    assert sign_in(Client(enforce_csrf_checks=True)).status_code == 403


def test_an_attempt_without_a_turn_to_hash_does_not_count(
    client: Client,
    ada: User,
    sign_in: Callable[..., HttpResponse],
    passwords: CountingPasswords,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "_longest_wait_seconds", 0.01)
    held = [passwords._turn() for _ in range(4)]
    for turn in held:
        turn.__enter__()
    answers = [sign_in(client) for _ in range(7)]
    for turn in held:
        turn.__exit__(None, None, None)
    assert {answer.status_code for answer in answers} == {503}
    assert "Try again in a few seconds" in answers[0].content.decode()
    assert sign_in(client).status_code == 302


def test_the_service_tells_the_wait_in_whole_seconds() -> None:
    assert TooManyAttempts(1).message == "Too many attempts. Try again in 1 second."
    assert TooManyAttempts(30).retry_after_seconds == 30
