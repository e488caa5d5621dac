"""Connecting and disconnecting one's account."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import Client

from apps.accounts import services, wiring
from apps.accounts.entities import Role, User
from apps.errors import Conflict, DomainError, NotFound
from tests.accounts.factors import set_up
from tests.accounts.people import ADMIN, PASSWORD
from tests.accounts.single_sign_on import CALLBACK, CONNECTION, at_provider, back, come_in, left, parameters

NO_PASSWORD = re.compile(r'action="/account/forgot-password/".*?name="email" value="([^"]+)"', re.DOTALL)


@pytest.fixture
def client(ada: User, provider: Any, sign_in: Callable[..., HttpResponse]) -> Client:
    """Ada's browser, signed in by her password."""
    client = Client()
    sign_in(client)
    return client


def asked_to_connect(client: Client, password: str = PASSWORD) -> str:
    """The address at the provider that the page leads on to."""
    answer = client.post(CONNECTION, {"current_password": password, "connect": "1"})
    assert answer.status_code == 200, answer.content
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.content.decode())
    assert found is not None
    return found[1].replace("&amp;", "&")


def asked_to_disconnect(client: Client, password: str = PASSWORD) -> HttpResponse:
    return client.post(CONNECTION, {"current_password": password, "disconnect": "1"})


def actions(user: User) -> list[str]:
    return [entry.action for entry in wiring.audit_log().of(f"Users#{user.user_id}").items]


def test_the_owner_connects_with_their_password_and_comes_in_that_way(client: Client, ada: User) -> None:
    assert f'href="{CONNECTION}"' in client.get("/account/").content.decode()
    assert "Not connected" in client.get(CONNECTION).content.decode()
    answer = back(client, at_provider(asked_to_connect(client)))
    assert (answer.status_code, answer["Location"]) == (302, CONNECTION)
    page = client.get(CONNECTION).content.decode()
    assert "From now on you can sign in with Example ID" in page
    assert "ada@example.org" in page
    assert come_in(Client()).status_code == 302
    entry = next(e for e in wiring.audit_log().of(f"Users#{ada.user_id}").items if e.action == "user.identity_linked")
    assert (entry.actor_id, entry.address) == (ada.user_id, "127.0.0.1")


def test_a_wrong_password_connects_nothing_and_counts_as_a_failure_to_sign_in(client: Client, provider: Any) -> None:
    for _ in range(5):
        answer = client.post(CONNECTION, {"current_password": "wrong", "connect": "1"})
        assert answer.status_code == 422
        assert "This is not your current password" in answer.content.decode()
    assert client.post(CONNECTION, {"current_password": PASSWORD, "connect": "1"}).status_code == 429
    assert client.post(CONNECTION, {"connect": "1"}).status_code == 422
    assert "Enter your current password" in client.post(CONNECTION, {"connect": "1"}).content.decode()
    assert not provider.asked


def test_nobody_can_be_made_to_connect_an_account_with_a_stranger(client: Client, provider: Any, ada: User) -> None:
    stranger = Client()
    provider.person = {"sub": "s-stranger"}
    address = at_provider(left(stranger))
    assert back(client, address).status_code == 400
    assert wiring.identities().of(ada.user_id) == []


def test_a_way_that_began_with_one_account_does_not_connect_another(
    client: Client, make_user: Callable[..., User], sign_in: Callable[..., HttpResponse]
) -> None:
    bob = make_user(email="bob@example.org", name="Bob")
    address = at_provider(asked_to_connect(client))
    way = client.session["single_sign_on"]
    client.post("/account/sign-out/")
    sign_in(client, email="bob@example.org")
    session = client.session
    session["single_sign_on"] = way
    session.save()
    assert back(client, address).status_code == 400
    assert wiring.identities().of(bob.user_id) == []


def test_a_way_to_connect_signs_nobody_in(client: Client, ada: User, connect: Callable[..., None]) -> None:
    connect(ada)
    address = at_provider(asked_to_connect(client))
    way = client.session["single_sign_on"]
    client.post("/account/sign-out/")
    left(client)
    session = client.session
    session["single_sign_on"] = way
    session.save()
    assert back(client, address).status_code == 400
    assert client.get("/").status_code == 302


def test_connecting_again_changes_nothing(client: Client, ada: User, connect: Callable[..., None]) -> None:
    connect(ada)
    before = actions(ada)
    assert back(client, at_provider(asked_to_connect(client))).status_code == 302
    assert actions(ada) == before


def test_a_person_at_the_provider_belongs_to_one_account_and_an_account_to_one_person(
    client: Client, ada: User, provider: Any, make_user: Callable[..., User], connect: Callable[..., None]
) -> None:
    bob = make_user(email="bob@example.org", name="Bob")
    connect(bob, "s-bob")
    provider.person = {"sub": "s-bob"}
    back(client, at_provider(asked_to_connect(client)))
    assert "is connected with another account here" in client.get(CONNECTION).content.decode()
    assert wiring.identities().of(ada.user_id) == []
    connect(ada, "s-ada")
    provider.person = {"sub": "s-third"}
    back(client, at_provider(asked_to_connect(client)))
    assert "connected already" in client.get(CONNECTION).content.decode()
    assert [found.subject for found in wiring.identities().of(ada.user_id)] == ["s-ada"]


def test_a_session_that_ended_meanwhile_connects_nothing(
    client: Client, ada: User, connect: Callable[..., None]
) -> None:
    services.sign_out_everywhere(
        wiring.users(),
        user=ada,
        actor=ADMIN,
        now=datetime.now(UTC),
        audit=wiring.audit_log(),
        sessions=wiring.web_sessions(),
    )
    with pytest.raises(Conflict, match="signed out meanwhile"):
        connect(ada)
    assert "user.identity_linked" not in actions(ada)


def test_the_owner_disconnects_with_their_password(client: Client, ada: User, connect: Callable[..., None]) -> None:
    connect(ada)
    assert asked_to_disconnect(client, "wrong").status_code == 422
    assert come_in(Client()).status_code == 302
    assert asked_to_disconnect(client)["Location"] == CONNECTION
    page = client.get(CONNECTION).content.decode()
    assert "Not connected" in page
    assert come_in(Client()).status_code == 403
    assert actions(ada)[0] == "user.identity_unlinked"
    connect(ada)
    assert come_in(Client()).status_code == 302, "what was let go can be taken again"


def test_the_last_way_in_is_not_closed(provider: Any, choose: Any, store: Any) -> None:
    choose(new_accounts=True)
    client = Client()
    come_in(client)
    page = client.get(CONNECTION).content.decode()
    assert "This is your only way in" in page
    assert "current_password" not in page
    assert asked_to_disconnect(client).status_code == 422
    [user] = wiring.users().listed().items
    whole = wiring.users().get(user.user_id)
    with pytest.raises(DomainError, match="only way in"):
        disconnect(whole)
    assert come_in(Client()).status_code == 302


@pytest.mark.parametrize("page", ["/account/password/", "/account/tokens/", "/account/second-factor/"])
def test_who_has_no_password_is_offered_one_where_it_is_asked_for(
    provider: Any, choose: Any, store: Any, page: str
) -> None:
    choose(new_accounts=True)
    client = Client()
    come_in(client)
    offered = client.get(page).content.decode()
    assert 'type="password"' not in offered
    assert NO_PASSWORD.findall(offered) == ["ada@example.org"]


def test_a_role_that_demands_a_second_factor_shuts_nobody_out_who_has_no_password(
    provider: Any, choose: Any, store: Any, settings: Any
) -> None:
    settings.SECOND_FACTOR_ROLES = frozenset({Role.ADMIN})
    choose(new_accounts=True, new_account_roles=frozenset({Role.ADMIN}))
    client = Client()
    come_in(client)
    assert client.get("/")["Location"] == "/account/second-factor/"
    [email] = NO_PASSWORD.findall(client.get("/account/second-factor/").content.decode())
    assert client.post("/account/forgot-password/", {"email": email}).status_code == 200
    assert wiring.later().settle(seconds=10)
    link = re.search(r"/account/link/\S+", str(mail.outbox[-1].body))
    assert link is not None
    client.get(link[0])
    client.post("/account/choose-password/", {"new_password": PASSWORD, "repeated_password": PASSWORD})
    set_up(client)
    assert client.get("/").content.startswith(b"Hello ")


def disconnect(user: User) -> None:
    services.disconnect(
        wiring.users(),
        wiring.identities(),
        user=user,
        chosen=wiring.single_sign_on(),
        actor=user.acting(),
        now=datetime.now(UTC),
        audit=wiring.audit_log(),
    )


def test_of_many_who_disconnect_at_once_one_does_and_it_is_written_once(
    connected: User, in_threads: Callable[..., None]
) -> None:
    done: list[bool] = []

    def work(_position: int) -> None:
        try:
            disconnect(connected)
        except NotFound:
            done.append(False)
        else:
            done.append(True)

    in_threads(4, work)
    assert sorted(done) == [False, False, False, True]
    assert actions(connected).count("user.identity_unlinked") == 1


def test_connecting_while_another_browser_disconnects_ends_whole(
    connected: User, connect: Callable[..., None], in_threads: Callable[..., None]
) -> None:
    for turn in range(5):

        def work(position: int, turn: int = turn) -> None:
            try:
                if position:
                    connect(connected, f"s-{turn}")
                else:
                    disconnect(connected)
            except DomainError:
                return

        in_threads(2, work)
        held = wiring.identities().held_by(connected.user_id, issuer=wiring.single_sign_on().issuer)
        found = wiring.identities().of(connected.user_id)
        assert [one.identity for one in found] == ([held.identity] if held else [])


def test_several_who_connect_one_person_at_once_are_one(
    ada: User, make_user: Callable[..., User], connect: Callable[..., None], in_threads: Callable[..., None]
) -> None:
    users = [ada, *(make_user(email=f"u{number}@example.org", name=f"U{number}") for number in range(3))]
    done: list[str] = []

    def work(position: int) -> None:
        try:
            connect(users[position], "s-one")
        except Conflict:
            return
        done.append(users[position].user_id)

    in_threads(4, work)
    identity = wiring.identities().named(issuer=wiring.single_sign_on().issuer, subject="s-one")
    assert done == [identity.user_id]


def test_the_pages_of_the_connection_cost_what_they_must(
    client: Client, ada: User, connect: Callable[..., None], costs: Any
) -> None:
    with costs(requests=3, queries=0, scans=0):  # session, user, the guard that nobody holds
        client.get(CONNECTION)
    connect(ada)
    with costs(requests=4, queries=0, scans=0):
        client.get(CONNECTION)


def test_an_answer_without_a_code_connects_nothing(client: Client, ada: User) -> None:
    state = parameters(asked_to_connect(client))["state"]
    answer = client.get(CALLBACK, {"state": state})
    assert answer.status_code == 400
    assert "Back to your account" in answer.content.decode()
    assert wiring.identities().of(ada.user_id) == []
