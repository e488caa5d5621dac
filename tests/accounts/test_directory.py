"""People by name, and a page for each."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from apps.accounts import wiring
from apps.accounts.entities import Role, User
from apps.errors import NotFound
from apps.storage.errors import BadCursor
from tests.accounts.people import CountingPasswords

NAMES = re.compile(r'<a href="/people/([^/"]+)/">([^<]+)</a>')


@pytest.fixture
def sam(make_user: Callable[..., User]) -> User:
    return make_user(email="sam@example.org", name="Sam", roles=(Role.SUPPORT,))


@pytest.fixture
def client(sam: User, sign_in: Callable[..., HttpResponse]) -> Client:
    client = Client()
    assert sign_in(client, email="sam@example.org").status_code == 302
    return client


@pytest.fixture
def crowd(sam: User) -> list[str]:
    """More people than a page holds."""
    names = [f"Person {number:03}" for number in range(120)]
    for number, name in enumerate(names):
        wiring.users().add(
            User(user_id=f"p{number}", email=f"p{number}@example.org", name=name, created_at=datetime.now(UTC))
        )
    return names


def names_on(page: str) -> list[str]:
    return [name for _, name in NAMES.findall(page)]


def follow(page: str, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    assert found is not None
    return found.group(1).replace("&amp;", "&")


def test_people_stand_by_name_and_are_found_by_how_it_begins(client: Client, make_user: Callable[..., User]) -> None:
    make_user(email="zoe@example.org", name="Zoë Quick", roles=(Role.SHOP_OPERATOR,))
    make_user(email="alan@example.org", name="alan")
    page = client.get("/people/").content.decode()
    assert names_on(page) == ["alan", "Sam", "Zoë Quick"]
    assert "Shop operator" in page
    assert names_on(client.get("/people/?q=ZOË").content.decode()) == ["Zoë Quick"]
    nobody = client.get("/people/", {"q": "<b>"}).content.decode()
    assert "name begins with “&lt;b&gt;”" in nobody


def test_pages_go_on_and_back_and_keep_the_search(client: Client, crowd: list[str]) -> None:
    first = client.get("/people/?q=person").content.decode()
    second = client.get("/people/" + follow(first, "next")).content.decode()
    third = client.get("/people/" + follow(second, "next")).content.decode()
    assert names_on(first) + names_on(second) + names_on(third) == crowd
    assert 'rel="next"' not in third
    back = client.get("/people/" + follow(second, "prev")).content.decode()
    assert names_on(back) == names_on(first)
    assert 'value="person"' in third


def test_a_page_costs_three_requests_wherever_it_is(client: Client, crowd: list[str], costs: Any) -> None:
    first = client.get("/people/").content.decode()
    for address in ("/people/", "/people/" + follow(first, "next"), "/people/?q=person%2011", "/people/?q=nobody"):
        with costs(requests=3, gets=2, queries=1, rcu=6, writes=0):
            assert client.get(address).status_code == 200


def test_a_cursor_belongs_to_its_search(client: Client, crowd: list[str]) -> None:
    first = client.get("/people/?q=person").content.decode()
    with pytest.raises(BadCursor):
        client.get("/people/" + follow(first, "next").replace("q=person", "q=p"))


def test_somebody_inactive_is_said_to_be(client: Client, make_user: Callable[..., User]) -> None:
    gone = make_user(email="gone@example.org", name="Gone")
    wiring.users().save(gone.evolve(is_active=False))
    assert client.get("/people/").content.decode().count("Inactive") == 1
    assert "Inactive" in client.get(f"/people/{gone.user_id}/").content.decode()


@pytest.mark.parametrize("role", list(Role))
def test_the_directory_is_for_administrators_and_support(
    role: Role, sam: User, make_user: Callable[..., User], sign_in: Callable[..., HttpResponse]
) -> None:
    reader = make_user(email="reader@example.org", name="Reader", roles=(role,))
    browser = Client()
    sign_in(browser, email="reader@example.org")
    assert "Reader" in browser.get(f"/people/{reader.user_id}/").content.decode(), "one's own page is everybody's"
    for address in ("/people/", f"/people/{sam.user_id}/"):
        if role in {Role.ADMIN, Role.SUPPORT}:
            assert "Sam" in browser.get(address).content.decode()
        else:
            with pytest.raises(NotFound):
                browser.get(address)


@pytest.mark.parametrize("user_id", ["nobody", "x" * 3000, "%00"], ids=["unknown", "long", "null"])
def test_nobodys_page_is_not_there(client: Client, user_id: str) -> None:
    with pytest.raises(NotFound):
        client.get(f"/people/{user_id}/")


def test_what_one_may_not_see_is_asked_of_nobody(
    make_user: Callable[..., User], sam: User, sign_in: Callable[..., HttpResponse], costs: Any
) -> None:
    make_user(email="vera@example.org", name="Vera", roles=(Role.VIEWER,))
    vera = Client()
    sign_in(vera, email="vera@example.org")
    for user_id in (sam.user_id, "nobody"):
        with costs(requests=2), pytest.raises(NotFound):
            vera.get(f"/people/{user_id}/")


def test_ones_own_page_costs_no_more_than_signing_in_and_anothers_one_read(
    client: Client, sam: User, make_user: Callable[..., User], costs: Any
) -> None:
    ada = make_user()
    with costs(requests=2):
        own = client.get(f"/people/{sam.user_id}/").content.decode()
    with costs(requests=3):
        other = client.get(f"/people/{ada.user_id}/").content.decode()
    assert 'href="/account/"' in own
    assert ">Edit</a>" in own
    assert ">Edit</a>" not in other
    assert "ada@example.org" in other


def test_people_are_for_those_who_signed_in(passwords: CountingPasswords, store: Any) -> None:
    assert Client().get("/people/")["Location"] == "/account/sign-in/?next=%2Fpeople%2F"
    assert Client().get("/people/x/")["Location"].startswith("/account/sign-in/")
