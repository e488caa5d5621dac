"""Signing in through a real provider: who comes in, who does not, and what that costs."""

import copy
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.http import HttpResponse
from django.test import Client

from apps.accounts import services, wiring
from apps.accounts.entities import Role, User
from apps.accounts.oidc import flows
from apps.storage.conditions import Update
from apps.storage.sessions import WebSessions, session_hash
from tests.accounts.deeds import deactivate
from tests.accounts.oidc_provider import SigningKey, rsa_key, signed_by, token
from tests.accounts.people import ADMIN, BOSS, PASSWORD
from tests.accounts.single_sign_on import CONNECTION, START, at_provider, back, come_in, left, parameters

pytestmark = pytest.mark.usefixtures("store")


def test_without_the_setting_there_is_no_button_and_no_address(
    client: Client, ada: User, sign_in: Callable[..., HttpResponse]
) -> None:
    assert "single-sign-on" not in client.get("/account/sign-in/").content.decode()
    for _ in range(2):
        for address in (START, CONNECTION, "/account/single-sign-on/callback/"):
            assert client.get(address).status_code == 404
        sign_in(client)
    assert "single-sign-on" not in client.get("/account/").content.decode()


def test_the_button_says_whose_it_is_and_keeps_where_one_wanted_to_go(client: Client, provider: Any) -> None:
    page = client.get("/account/sign-in/?next=/launch/%3Fa=1%26b=2").content.decode()
    assert "Sign in with Example ID" in page
    assert f'href="{START}?next=%2Flaunch%2F%3Fa%3D1%26b%3D2"' in page


def test_whoever_is_connected_comes_in_and_goes_where_they_wanted(client: Client, connected: User) -> None:
    answer = come_in(client, "/whoever/?x=1")
    assert (answer.status_code, answer["Location"]) == (302, "/whoever/?x=1")
    assert client.get("/").content == b"Hello Ada"


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/x", "/\\evil.example", "javascript:x"])
def test_one_is_only_led_to_pages_of_ours(client: Client, connected: User, wanted: str) -> None:
    assert come_in(client, wanted)["Location"] == "/"


def test_the_request_carries_all_that_ties_the_answer_to_it(client: Client, provider: Any) -> None:
    sent = [parameters(left(client)) for _ in range(2)]
    for query in sent:
        assert {"state", "nonce", "code_challenge"} <= set(query)
        assert (query["code_challenge_method"], query["scope"]) == ("S256", "openid email profile")
        assert "a secret" not in str(query)
    for name in ("state", "nonce", "code_challenge"):
        assert sent[0][name] != sent[1][name]
        assert len(sent[0][name]) >= 43


def test_the_session_is_one_like_any_other(client: Client, connected: User) -> None:
    left(client)
    before = client.cookies["sessionid"].value
    come_in(client)
    assert client.cookies["sessionid"].value != before, "a key that was known before is worth nothing"
    services.sign_out_everywhere(
        wiring.users(),
        user=connected,
        actor=ADMIN,
        now=datetime.now(UTC),
        audit=wiring.audit_log(),
        sessions=wiring.web_sessions(),
    )
    assert client.get("/").status_code == 302


def test_it_is_recorded_like_any_sign_in_and_asks_for_no_code_of_ours(client: Client, connected: User) -> None:
    wiring.users().update(connected.user_id, Update(set={"has_second_factor": True}))
    assert come_in(client)["Location"] == "/"
    assert client.get("/").content == b"Hello Ada"
    entry = wiring.audit_log().of(f"Users#{connected.user_id}").items[0]
    assert (entry.action, entry.after["by"]) == ("user.signed_in", "single sign-on")


def test_whoever_never_comes_back_leaves_a_session_of_minutes_and_whoever_does_one_of_weeks(
    client: Client, connected: User
) -> None:
    def days_kept() -> float:
        found = WebSessions(wiring.users().store).get(session_hash(client.cookies["sessionid"].value))
        return (found.expires_at - datetime.now(UTC)) / timedelta(days=1)

    way = left(client)
    assert days_kept() < 0.02
    back(client, at_provider(way))
    assert days_kept() > 13


def test_who_is_signed_in_already_goes_straight_on(
    client: Client, ada: User, provider: Any, sign_in: Callable[..., HttpResponse]
) -> None:
    sign_in(client)
    assert client.get(START, {"next": "/launch/"})["Location"] == "/launch/"


def test_nobody_unknown_gets_in_and_is_told_whom_to_ask(client: Client, ada: User, provider: Any) -> None:
    answer = come_in(client)
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Ask an administrator" in page
    assert client.get("/").status_code == 302
    assert wiring.identities().of(ada.user_id) == []


def test_an_inactive_account_is_refused_in_the_words_for_an_unknown_one(
    client: Client, connected: User, provider: Any
) -> None:
    deactivate(connected, BOSS)
    inactive = come_in(client)
    provider.person = {"sub": "nobody"}
    unknown = come_in(Client())
    assert (inactive.status_code, inactive.content) == (unknown.status_code, unknown.content)
    assert inactive.status_code == 403


def test_signing_in_costs_what_it_must_and_one_question_to_the_provider(
    client: Client, connected: User, provider: Any, costs: Any
) -> None:
    come_in(Client())
    provider.asked.clear()
    with costs(requests=1, wcu=2, gets=0):
        way = left(client)
    assert not provider.asked, "discovery document and keys are kept"
    address = at_provider(way)
    provider.asked.clear()
    # The session read, the state used up, identity and user read, the session put under a new key, the old one gone,
    # that they signed in noted, and the session saved as the request left it.
    with costs(requests=8, gets=3, queries=0):
        assert back(client, address).status_code == 302
    assert provider.asked == {"/token": 1}


def test_the_sign_in_page_asks_the_provider_nothing(client: Client, provider: Any, costs: Any) -> None:
    with costs(requests=0):
        client.get("/account/sign-in/")
    assert not provider.asked


# --- the first time --------------------------------------------------------------------------------------------------


def test_a_new_account_is_made_where_the_deployment_wants_that(client: Client, provider: Any, choose: Any) -> None:
    choose(new_accounts=True, new_account_roles=frozenset({Role.ANALYST}))
    provider.person = {"sub": "s-eve", "email": "Eve@Example.org", "email_verified": True, "name": " Eve\u202e Ek "}
    assert come_in(client).status_code == 302
    assert client.get("/").content == b"Hello Eve Ek"
    eve = wiring.users().by_email("eve@example.org")
    assert eve is not None
    assert (eve.roles, eve.password_hash, eve.created_by) == ({Role.ANALYST}, "", eve.user_id)
    entries = {entry.action: entry for entry in wiring.audit_log().of(f"Users#{eve.user_id}").items}
    assert set(entries) == {"user.created", "user.identity_linked", "user.signed_in"}
    assert entries["user.identity_linked"].after["subject"] == "s-eve"
    assert entries["user.created"].actor_id == eve.user_id
    assert come_in(Client()).status_code == 302
    assert len(wiring.users().listed().items) == 1


@pytest.mark.parametrize("verified", [False, None, "false", 1, [], "yes"])
@pytest.mark.parametrize("setting", ["new_accounts", "trusts_emails"])
def test_an_address_that_is_not_confirmed_opens_nothing(
    client: Client, ada: User, provider: Any, choose: Any, setting: str, verified: Any
) -> None:
    choose(**{setting: True})
    provider.person = {"sub": "s-eve", "email": "ada@example.org", "email_verified": verified}
    assert come_in(client).status_code == 403
    provider.person["email"] = "new@example.org"
    assert come_in(client).status_code == 403
    assert len(wiring.users().listed().items) == 1
    assert wiring.identities().of(ada.user_id) == []


def test_a_confirmed_address_that_somebody_has_connects_nobody_unless_the_provider_is_trusted(
    client: Client, ada: User, provider: Any, choose: Any
) -> None:
    choose(new_accounts=True)
    assert come_in(client).status_code == 403
    assert wiring.identities().of(ada.user_id) == []
    choose(trusts_emails=True)
    assert come_in(client).status_code == 302
    assert client.get("/").content == b"Hello Ada"
    entry = next(e for e in wiring.audit_log().of(f"Users#{ada.user_id}").items if e.action == "user.identity_linked")
    assert (entry.actor_id, entry.after["email"]) == (ada.user_id, "ada@example.org")


def test_a_trusted_address_connects_once_and_nobody_else_after_that(
    client: Client, ada: User, provider: Any, choose: Any
) -> None:
    choose(trusts_emails=True)
    come_in(client)
    provider.person["sub"] = "s-other"
    assert come_in(Client()).status_code == 403
    assert [found.subject for found in wiring.identities().of(ada.user_id)] == ["s-ada"]


def test_a_trusted_address_does_not_open_an_inactive_account(
    client: Client, ada: User, provider: Any, choose: Any
) -> None:
    choose(trusts_emails=True, new_accounts=True)
    deactivate(ada, BOSS)
    assert come_in(client).status_code == 403
    assert wiring.identities().of(ada.user_id) == []


@pytest.mark.parametrize("confirmed", ["stra\u00dfe", "\uff53trasse", "\u017ftrasse"], ids=range(3))
def test_a_confirmed_address_that_only_looks_like_somebodys_when_it_is_folded_is_not_theirs(
    client: Client, make_user: Callable[..., User], provider: Any, choose: Any, confirmed: str
) -> None:
    owner = make_user(email="strasse@example.org")
    choose(trusts_emails=True, new_accounts=True)
    provider.person = {"sub": "s-eve", "email": f"{confirmed}@example.org", "email_verified": True}
    assert come_in(client).status_code == 403
    assert wiring.identities().of(owner.user_id) == []
    provider.person["email"] = "Strasse@Example.org"
    assert come_in(client).status_code == 302


def test_one_person_s_two_browsers_at_their_first_time_make_one_account(
    provider: Any, choose: Any, in_threads: Callable[..., None]
) -> None:
    choose(new_accounts=True)
    clients = [Client() for _ in range(4)]
    addresses = [at_provider(left(client)) for client in clients]
    statuses = [0] * 4

    def work(position: int) -> None:
        statuses[position] = back(clients[position], addresses[position]).status_code

    in_threads(4, work)
    assert statuses == [302] * 4
    [made] = wiring.users().listed().items
    assert len(wiring.identities().of(made.user_id)) == 1


@pytest.mark.parametrize(
    ("email", "verified", "status"),
    [
        ("ada@example.org", True, 302),
        ("ada@EXAMPLE.org", True, 302),
        ("ada@example.org", False, 403),
        ("ada@example.org.evil.example", True, 403),
        ("ada@evil.example", True, 403),
        ("ada@evil.example@example.org", True, 403),
        ("", True, 403),
        ("ada@\uff45xample.org", True, 403),
    ],
    ids=range(8),
)
def test_only_people_of_the_domains_named_come_in(
    client: Client, connected: User, provider: Any, choose: Any, email: str, verified: Any, status: int
) -> None:
    choose(email_domains=frozenset({"example.org"}))
    provider.person |= {"email": email, "email_verified": verified}
    assert come_in(client).status_code == status


# --- keys and ways of the provider -----------------------------------------------------------------------------------


def test_keys_that_the_provider_changes_are_fetched_again_once_a_minute_at_most(
    connected: User, provider: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert come_in(Client()).status_code == 302
    provider.keys = [SigningKey("k2", ec.generate_private_key(ec.SECP256R1()))]
    assert come_in(Client()).status_code == 302
    provider.keys = [SigningKey("k3", rsa_key(3))]
    provider.asked.clear()
    assert come_in(Client()).status_code == 400
    assert provider.asked["/keys"] == 0
    keys = wiring.identity_provider(settings.SINGLE_SIGN_ON).keys
    clock = keys._clock
    monkeypatch.setattr(keys, "_clock", lambda: clock() + 61)
    assert come_in(Client()).status_code == 302
    assert provider.asked["/keys"] == 1


def test_a_key_that_was_withdrawn_counts_for_an_hour_at_most(
    connected: User, provider: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stolen = copy.copy(provider.keys[0])
    come_in(Client())
    provider.keys = [SigningKey("k2", rsa_key(2))]
    provider.sign = signed_by(stolen)
    keys = wiring.identity_provider(settings.SINGLE_SIGN_ON).keys
    clock = keys._clock
    monkeypatch.setattr(keys, "_clock", lambda: clock() + 3601)
    assert come_in(Client()).status_code == 400


def test_a_token_that_names_no_key_is_tried_with_each_of_its_kind(connected: User, provider: Any) -> None:
    first, second = SigningKey("a", rsa_key(2)), SigningKey("b", rsa_key(3))
    provider.keys = [first, second]
    provider.sign = lambda claims: unnamed(second, claims)
    assert come_in(Client()).status_code == 302


def unnamed(key: SigningKey, claims: dict[str, Any]) -> str:
    return token({"alg": key.algorithm}, claims, key.signature)


def test_a_provider_that_wants_the_secret_in_the_form_gets_it_there(connected: User, provider: Any) -> None:
    provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert come_in(Client()).status_code == 302


def test_an_unfinished_way_is_forgotten_after_a_quarter_of_an_hour() -> None:
    session: dict[str, Any] = {}
    now = datetime.now(UTC).replace(microsecond=0)
    flow = flows.begin(session, wanted="/", now=now)
    other = flows.begin(session, wanted="/", now=now)
    assert flows.take(session, state=flow.state, now=now + flows.LIFETIME) == flow
    assert flows.take(session, state=flow.state, now=now) is None
    assert flows.take(session, state=other.state, now=now + flows.LIFETIME + timedelta(seconds=1)) is None
    for _ in range(9):
        last = flows.begin(session, wanted="/", now=now)
    assert len(session["single_sign_on"]) == flows.MOST_AT_ONCE
    assert flows.take(session, state=last.state, now=now) == last


def test_nothing_of_it_is_imported_before_somebody_signs_in_that_way() -> None:
    program = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "import project.asgi, project.urls, sys\n"
        "print([name for name in ('authlib', 'joserfc', 'requests') if name in sys.modules])"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "RUNGS_OIDC_ISSUER": "https://id.example.org",
        "RUNGS_OIDC_CLIENT_ID": "rungs",
        "RUNGS_OIDC_CLIENT_SECRET": PASSWORD,
    }
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
