"""One's API tokens: made, shown once, listed and revoked."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from apps.accounts import wiring
from apps.accounts.entities import User
from apps.accounts.services import MOST_TOKENS, create_token
from apps.accounts.tokens import PATTERN, token_hash
from apps.storage.connection import Store
from tests.accounts.people import ADMIN, PASSWORD, CountingPasswords

Make = Callable[..., tuple[str, str]]


@pytest.fixture
def client(ada: User, sign_in: Callable[..., HttpResponse]) -> Client:
    client = Client()
    assert sign_in(client).status_code == 302
    return client


@pytest.fixture
def make() -> Make:
    """Make a token on the page; returns its text and the page."""

    def made(client: Client, name: str = "nightly export", days: int = 30) -> tuple[str, str]:
        answer = client.post("/account/tokens/", {"name": name, "days": days, "password": PASSWORD})
        assert answer.status_code == 200
        (text,) = set(PATTERN.findall(answer.content.decode()))
        return text, answer.content.decode()

    return made


def test_a_token_is_shown_once_and_only_its_hash_is_stored(client: Client, make: Make, store: Store, ada: User) -> None:
    text, _ = make(client)
    page = client.get("/account/tokens/").content.decode()
    assert "nightly export" in page
    assert f"…{text[-4:]}" in page
    assert text not in page
    for table in ("ApiTokens", "AuditLog", "WebSessions"):
        items = store.client.scan(TableName=f"{store.prefix}-dev-{table}")["Items"]
        assert items
        assert text not in str(items)
        assert text.removeprefix("rungs_") not in str(items)
    (token,) = wiring.api_tokens().of(ada.user_id)
    assert token.token_hash == token_hash(text)
    assert len(bytes.fromhex(text.removeprefix("rungs_"))) * 8 == 256


def test_no_two_tokens_are_alike(client: Client, make: Make) -> None:
    assert make(client)[0] != make(client)[0]


def test_the_page_that_shows_a_token_is_never_cached(client: Client) -> None:
    assert (
        "no-store" in client.post("/account/tokens/", {"name": "x", "days": 7, "password": PASSWORD})["Cache-Control"]
    )


def test_making_and_revoking_are_recorded_without_the_token(client: Client, make: Make, ada: User) -> None:
    text, _ = make(client)
    assert client.post("/account/tokens/revoke/", {"token": token_hash(text)})["Location"] == "/account/tokens/"
    revoked, made, *_ = wiring.audit_log().of(f"Users#{ada.user_id}").items
    assert (made.action, made.after["name"], made.after["ends_in"]) == (
        "user.token_created",
        "nightly export",
        text[-4:],
    )
    assert (revoked.action, revoked.before) == (
        "user.token_revoked",
        {"name": "nightly export", "ends_in": text[-4:]},
    )
    assert revoked.actor_id == made.actor_id == ada.user_id
    page = client.get("/account/tokens/").content.decode()
    assert "“nightly export” is revoked" in page
    assert "You have no API token" in page


def test_nobody_revokes_anothers_token_nor_learns_that_there_is_one(
    client: Client, make: Make, make_user: Callable[..., User], sign_in: Callable[..., HttpResponse]
) -> None:
    text, _ = make(client)
    make_user(email="eve@example.org", name="Eve")
    eve = Client()
    sign_in(eve, email="eve@example.org")
    said = []
    for target in (token_hash(text), "0" * 64, ""):
        answer = eve.post("/account/tokens/revoke/", {"token": target}, follow=True)
        said.append(re.findall(r"This API token[^<]+", answer.content.decode()))
    assert said == [["This API token is gone already."]] * 3
    assert wiring.api_tokens().find(token_hash(text)) is not None


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": ""}, "Enter a name."),
        ({"name": "a\x07b"}, "Enter a name of at most 100 characters."),
        ({"days": "4000"}, "Choose one of these."),
        ({"password": ""}, "Enter your password."),
        ({"password": "not my password"}, "This is not your current password."),
    ],
)
def test_a_token_that_cannot_be_made_is_refused_beside_its_field(
    client: Client, ada: User, typed: dict[str, str], said: str
) -> None:
    answer = client.post("/account/tokens/", {"name": "x", "days": "30", "password": PASSWORD, **typed})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert wiring.api_tokens().of(ada.user_id) == []


def test_a_stolen_session_cannot_try_passwords_for_ever_to_make_a_token(
    client: Client, passwords: CountingPasswords
) -> None:
    typed = {"name": "x", "days": 7, "password": "guess"}
    assert [client.post("/account/tokens/", typed).status_code for _ in range(6)] == [422] * 5 + [429]


def test_one_person_has_a_bounded_number_of_tokens(client: Client, ada: User) -> None:
    for number in range(MOST_TOKENS):
        create_token(
            wiring.api_tokens(),
            user=ada,
            password=PASSWORD,
            name=f"number {number}",
            valid_for=timedelta(days=1),
            actor=ADMIN,
            address="192.0.2.1",
            now=datetime.now(UTC),
            throttle=wiring.throttle(),
            passwords=wiring.passwords(),
            audit=wiring.audit_log(),
        )
    answer = client.post("/account/tokens/", {"name": "one more", "days": 7, "password": PASSWORD})
    assert answer.status_code == 422
    assert "Revoke one that you no longer use." in answer.content.decode()


def test_the_page_costs_one_query_however_many_tokens_there_are(client: Client, make: Make, costs: Any) -> None:
    for number in range(5):
        make(client, name=f"number {number}")
    with costs(requests=3, queries=1, rcu=3):
        assert client.get("/account/tokens/").content.decode().count("number ") > 5


def test_the_tokens_are_for_those_who_signed_in(store: Store) -> None:
    assert Client().get("/account/tokens/")["Location"].startswith("/account/sign-in/")
    assert Client().post("/account/tokens/revoke/").status_code == 302
