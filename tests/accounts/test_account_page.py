from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from apps.accounts import wiring
from apps.accounts.entities import User
from apps.storage.connection import Store
from apps.storage.sessions import session_hash
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
    page = client.get("/account/sessions/").content.decode()
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
    assert change(client)["Location"] == "/account/password/"
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


def test_nobody_takes_their_address_for_a_password(client: Client, change: Callable[..., HttpResponse]) -> None:
    answer = change(client, new="Ada@Example.org")
    assert answer.status_code == 422
    assert "must not be the name or the e-mail address" in answer.content.decode()


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


@pytest.mark.parametrize("path", ["", "password/", "sessions/", "second-factor/", "tokens/"])
def test_the_pages_of_the_account_are_never_cached_and_name_each_other(client: Client, path: str) -> None:
    answer = client.get(f"/account/{path}")
    page = answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert f'<a href="/account/{path}" aria-current="page">' in page
    assert page.count('aria-current="page"') == 1
    for other in ("", "password/", "sessions/", "second-factor/", "tokens/"):
        assert f'href="/account/{other}"' in page


def test_another_name_is_taken_at_once_and_recorded(client: Client, ada: User) -> None:
    assert client.post("/account/", {"name": " Ada Lovelace "})["Location"] == "/account/"
    assert client.get("/").content == b"Hello Ada Lovelace"
    entry = next(one for one in wiring.audit_log().of(f"Users#{ada.user_id}").items if one.action != "user.signed_in")
    assert (entry.action, entry.before, entry.after) == (
        "user.profile_changed",
        {"name": "Ada"},
        {"name": "Ada Lovelace"},
    )


def test_what_is_no_name_is_refused_and_stays_typed(client: Client, ada: User) -> None:
    answer = client.post("/account/", {"name": "a\x07b"})
    assert answer.status_code == 422
    assert wiring.users().get(ada.user_id).name == "Ada"


def test_a_profile_saved_without_a_change_writes_nothing(client: Client, costs: Any) -> None:
    with costs(writes=1):  # the notice, in the session
        client.post("/account/", {"name": "Ada"})


def session_of(client: Client) -> str:
    return session_hash(client.cookies["sessionid"].value)


def test_ending_a_session_signs_that_browser_out_and_no_other(
    client: Client, ada: User, sign_in: Callable[..., HttpResponse]
) -> None:
    other, third = Client(headers={"User-Agent": "curl/8.5.0"}), Client()
    sign_in(other)
    sign_in(third)
    page = client.get("/account/sessions/").content.decode()
    assert f'value="{session_of(other)}"' in page
    for browser in (client, other, third):
        assert browser.cookies["sessionid"].value not in page
    assert client.post("/account/sessions/end/", {"session": session_of(other)})["Location"] == "/account/sessions/"
    assert "curl is signed out." in client.get("/account/sessions/").content.decode()
    assert other.get("/").status_code == 302
    assert client.get("/").status_code == third.get("/").status_code == 200
    entries = {entry.action: entry for entry in wiring.audit_log().of(f"Users#{ada.user_id}").items}
    assert entries["user.session_ended"].before["device"] == "curl"


def test_ending_this_session_leads_to_signing_in(client: Client) -> None:
    assert client.post("/account/sessions/end/", {"session": session_of(client)})["Location"] == "/account/sign-in/"
    assert client.get("/").status_code == 302


def test_nobody_ends_anothers_session_nor_learns_that_there_is_one(
    client: Client, make_user: Callable[..., User], sign_in: Callable[..., HttpResponse]
) -> None:
    make_user(email="eve@example.org", name="Eve")
    eve = Client()
    sign_in(eve, email="eve@example.org")
    for target in (session_of(client), "0" * 64, ""):
        answer = eve.post("/account/sessions/end/", {"session": target}, follow=True)
        assert "This browser is signed out already." in answer.content.decode()
    assert client.get("/").status_code == 200


def test_the_sessions_cost_one_query_however_many_there_are(
    client: Client, sign_in: Callable[..., HttpResponse], costs: Any
) -> None:
    for _ in range(3):
        sign_in(Client())
    with costs(requests=3, queries=1):
        assert client.get("/account/sessions/").content.decode().count('name="session"') == 4
