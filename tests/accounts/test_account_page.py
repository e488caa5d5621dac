from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from apps.accounts import wiring
from apps.accounts.entities import User
from apps.storage.connection import Store
from tests.accounts.people import PASSWORD, CountingPasswords

NEW = "another fine battery"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.fixture
def client(ada: User, sign_in: Callable[..., HttpResponse]) -> Client:
    client = Client(headers={"User-Agent": FIREFOX})
    assert sign_in(client).status_code == 302
    return client


@pytest.fixture
def change() -> Callable[..., HttpResponse]:
    def change_password(
        client: Client, current: str = PASSWORD, new: str = NEW, repeated: str | None = None
    ) -> HttpResponse:
        typed = {"current_password": current, "new_password": new, "repeated_password": repeated or new}
        return client.post("/account/password/", typed)

    return change_password


def test_the_page_lists_where_one_is_signed_in(client: Client, sign_in: Callable[..., HttpResponse]) -> None:
    sign_in(Client(headers={"User-Agent": "curl/8.5.0"}))
    page = client.get("/account/").content.decode()
    assert "Firefox on Linux" in page
    assert "curl" in page
    assert page.count("This one") == 1
    assert page.index("This one") > page.index("Firefox on Linux")


def test_changing_the_password_keeps_this_browser_and_ends_all_others(
    client: Client, sign_in: Callable[..., HttpResponse], change: Callable[..., HttpResponse], ada: User
) -> None:
    other = Client()
    sign_in(other)
    before = client.cookies["sessionid"].value
    assert change(client)["Location"] == "/account/"
    assert client.cookies["sessionid"].value != before
    assert "Your password is changed" in client.get("/account/").content.decode()
    assert other.get("/").status_code == 302
    assert sign_in(Client()).status_code == 422
    assert sign_in(Client(), password=NEW).status_code == 302
    entries = wiring.audit_log().of(f"Users#{ada.user_id}").items
    changed = [entry for entry in entries if entry.action == "user.password_changed"]
    assert [(entry.before, entry.after) for entry in changed] == [({}, {})]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"current": "not my password"}, "This is not your current password."),
        ({"new": "shrt7!"}, "at least 12 characters"),
        ({"repeated": "another fine batteri"}, "This is not the new password you entered above."),
        ({"new": "123456789012345"}, "entirely numeric"),
    ],
)
def test_a_change_that_cannot_be_is_refused_beside_its_field_and_shows_no_password(
    client: Client,
    change: Callable[..., HttpResponse],
    typed: dict[str, str],
    said: str,
    sign_in: Callable[..., HttpResponse],
) -> None:
    answer = change(client, **typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert PASSWORD not in page
    assert not any(value in page for value in typed.values())
    assert sign_in(Client()).status_code == 302


def test_a_stolen_session_cannot_try_passwords_for_ever(
    client: Client, change: Callable[..., HttpResponse], passwords: CountingPasswords
) -> None:
    for _ in range(5):
        assert change(client, current="guess").status_code == 422
    looked = passwords.looks
    answer = change(client)
    assert answer.status_code == 429
    assert "Try again in" in answer.content.decode()
    assert passwords.looks == looked


def test_the_account_is_for_those_who_signed_in(store: Store) -> None:
    assert Client().get("/account/")["Location"] == "/account/sign-in/?next=%2Faccount%2F"
    assert Client().post("/account/password/").status_code == 302


def test_the_account_page_is_never_cached(client: Client) -> None:
    assert "no-store" in client.get("/account/")["Cache-Control"]
