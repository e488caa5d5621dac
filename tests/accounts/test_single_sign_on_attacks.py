"""What somebody might try: every lie of a token, every swap of an answer, and a provider in trouble."""

import gzip
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.http import HttpResponse
from django.test import Client
from structlog.testing import capture_logs

from apps.accounts import wiring
from apps.accounts.entities import User, identity_key
from apps.accounts.oidc import transport
from apps.storage import connection
from tests.accounts.oidc_provider import (
    CLIENT_SECRET,
    SigningKey,
    rsa_key,
    send,
    send_json,
    signed_by,
    signed_with_public_key,
    token,
    unsigned,
)
from tests.accounts.people import PASSWORD
from tests.accounts.single_sign_on import CALLBACK, START, at_provider, back, come_in, left, parameters

pytestmark = pytest.mark.usefixtures("store")

NOW = int(time.time())


def expect_refused(client: Client, answer: HttpResponse, status: int = 400) -> None:
    assert answer.status_code == status, answer.content
    assert client.get("/").status_code == 302, "nobody is signed in"


# --- tokens that lie -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param({"nonce": "another"}, id="another nonce"),
        pytest.param({"nonce": ["x"]}, id="nonce of another type"),
        pytest.param({"aud": "another-client"}, id="another audience"),
        pytest.param({"aud": ["another-client"]}, id="another audience in a list"),
        pytest.param({"aud": ["rungs", "another-client"]}, id="two audiences and no party"),
        pytest.param({"aud": ["rungs", "another-client"], "azp": "another-client"}, id="another party of two"),
        pytest.param({"azp": "another-client"}, id="another party"),
        pytest.param({"iss": "https://evil.example"}, id="another issuer"),
        pytest.param({"iss": "HTTP://127.0.0.1"}, id="nearly the issuer"),
        pytest.param({"exp": NOW - 120}, id="expired"),
        pytest.param({"exp": "tomorrow"}, id="expiry in words"),
        pytest.param({"exp": True}, id="expiry as truth"),
        pytest.param({"iat": NOW + 3600, "exp": NOW + 7200}, id="from the future"),
        pytest.param({"iat": NOW - 7200}, id="issued long ago"),
        pytest.param({"nbf": NOW + 3600}, id="not valid yet"),
        pytest.param({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, id="of another access token"),
        pytest.param({"sub": ""}, id="nobody"),
        pytest.param({"sub": "x" * 256}, id="too long a subject"),
        pytest.param({"sub": "s-ada\n"}, id="subject that cannot be shown"),
        pytest.param({"sub": 7}, id="subject of another type"),
    ],
)
def test_a_token_that_claims_what_is_not_so_signs_nobody_in(
    connected: User, provider: Any, lie: dict[str, Any]
) -> None:
    client = Client()
    provider.more = lie
    expect_refused(client, come_in(client))


@pytest.mark.parametrize("missing", ["iss", "sub", "aud", "exp", "iat", "nonce"])
def test_a_token_without_what_it_must_claim_signs_nobody_in(connected: User, provider: Any, missing: str) -> None:
    client = Client()
    provider.without = (missing,)
    expect_refused(client, come_in(client))


def test_several_audiences_are_fine_where_the_token_was_made_for_us(connected: User, provider: Any) -> None:
    provider.more = {"aud": ["rungs", "another-client"], "azp": "rungs"}
    assert come_in(Client()).status_code == 302


def test_a_clock_that_is_a_little_off_is_forgiven(connected: User, provider: Any) -> None:
    now = int(time.time())
    provider.more = {"iat": now + 30, "exp": now - 30}
    assert come_in(Client()).status_code == 302


def _forged(of: SigningKey) -> Callable[[dict[str, Any]], str]:
    return signed_by(SigningKey(of.key_id, rsa_key(9)))


def _altered(of: SigningKey) -> Callable[[dict[str, Any]], str]:
    def sign(claims: dict[str, Any]) -> str:
        header, _, rest = signed_by(of)({**claims, "sub": "s-eve"}).partition(".")
        honest = signed_by(of)(claims)
        return ".".join([header, honest.split(".")[1], rest.split(".")[1]])

    return sign


def _own_key(of: SigningKey) -> Callable[[dict[str, Any]], str]:
    """A token that brings the key it is to be verified with."""
    mine = SigningKey(of.key_id, rsa_key(9))
    header = {"alg": "RS256", "kid": of.key_id, "jwk": mine.public()}
    return lambda claims: token(header, claims, mine.signature)


def _other_kind(of: SigningKey) -> Callable[[dict[str, Any]], str]:
    return lambda claims: token({"alg": "ES256", "kid": of.key_id}, claims, of.signature)


def _header(**values: Any) -> Callable[[SigningKey], Callable[[dict[str, Any]], str]]:
    return lambda of: lambda claims: token({"alg": "RS256", "kid": of.key_id, **values}, claims, of.signature)


@pytest.mark.parametrize(
    "forger",
    [
        pytest.param(_forged, id="another key under the same name"),
        pytest.param(_altered, id="claims changed after signing"),
        pytest.param(lambda _: unsigned, id="no signature"),
        pytest.param(signed_with_public_key, id="the public key as a secret"),
        pytest.param(_own_key, id="a key of its own"),
        pytest.param(_other_kind, id="an algorithm of another kind of key"),
        pytest.param(_header(kid="nobody's"), id="an unknown key"),
        pytest.param(_header(alg="RS1"), id="an algorithm nobody knows"),
        pytest.param(_header(alg=["RS256"]), id="algorithms in a list"),
        pytest.param(_header(crit=["x"], x=1), id="an extension that must be understood"),
        pytest.param(lambda _: lambda _claims: "not.a.token", id="garbage"),
        pytest.param(lambda _: lambda _claims: "\udcff", id="no text"),
        pytest.param(lambda _: lambda _claims: "", id="nothing"),
    ],
)
def test_a_token_that_the_provider_did_not_sign_signs_nobody_in(
    connected: User, provider: Any, forger: Callable[[SigningKey], Any]
) -> None:
    client = Client()
    provider.sign = forger(provider.keys[0])
    expect_refused(client, come_in(client))


def test_a_weak_key_counts_for_nothing(connected: User, provider: Any) -> None:
    provider.keys = [SigningKey("weak", rsa_key(4, bits=1024))]
    client = Client()
    expect_refused(client, come_in(client))


def test_a_key_for_something_else_signs_nobody_in(connected: User, provider: Any) -> None:
    class ForEncryption(SigningKey):
        def public(self) -> dict[str, str]:
            return {**super().public(), "use": "enc"}

    provider.keys = [ForEncryption("k", rsa_key(5))]
    client = Client()
    expect_refused(client, come_in(client))


def test_broken_keys_beside_a_good_one_do_no_harm(connected: User, provider: Any) -> None:
    class Broken(SigningKey):
        def public(self) -> dict[str, str]:
            return {"kty": "RSA", "kid": "k", "n": "!", "e": "AQAB"}

    curve = SigningKey("k", ec.generate_private_key(ec.SECP256R1()))
    provider.keys = [SigningKey("k", rsa_key(6)), Broken("k", rsa_key(6)), curve]
    assert come_in(Client()).status_code == 302


# --- answers in the wrong place --------------------------------------------------------------------------------------


def test_an_answer_counts_once(connected: User, provider: Any) -> None:
    client = Client()
    address = at_provider(left(client))
    assert back(client, address).status_code == 302
    client.post("/account/sign-out/")
    provider.asked.clear()
    expect_refused(client, back(client, address))
    assert not provider.asked, "a state that was used is not worth a question"


def test_an_answer_that_comes_twice_at_once_counts_once(
    connected: User, provider: Any, in_threads: Callable[..., None]
) -> None:
    client = Client()
    address = at_provider(left(client))
    cookie = client.cookies["sessionid"].value
    statuses: list[int] = []

    def work(_position: int) -> None:
        twin = Client()
        twin.cookies["sessionid"] = cookie
        statuses.append(back(twin, address).status_code)

    in_threads(4, work)
    assert sorted(statuses) == [302, 400, 400, 400]
    assert provider.asked["/token"] == 1


def test_an_answer_counts_in_no_other_browser(connected: User, provider: Any) -> None:
    mine, yours = Client(), Client()
    address = at_provider(left(mine))
    left(yours)
    provider.asked.clear()
    expect_refused(yours, back(yours, address))
    assert not provider.asked
    assert back(mine, address).status_code == 302


def test_two_ways_at_once_in_one_browser_both_arrive(connected: User, provider: Any) -> None:
    client = Client()
    first, second = at_provider(left(client, "/launch/")), at_provider(left(client, "/whoever/"))
    assert back(client, first)["Location"] == "/launch/"
    assert back(client, second)["Location"] == "/whoever/"


def test_a_code_of_another_way_is_refused_by_its_verifier(connected: User, provider: Any) -> None:
    mine, yours = Client(), Client()
    my_answer, your_answer = (parameters(at_provider(left(client))) for client in (mine, yours))
    swapped = mine.get(CALLBACK, {"state": my_answer["state"], "code": your_answer["code"]})
    expect_refused(mine, swapped)


def test_a_code_that_was_used_already_is_refused(connected: User, provider: Any) -> None:
    client = Client()
    first = parameters(at_provider(left(client)))
    provider.codes.clear()
    expect_refused(client, client.get(CALLBACK, first))


@pytest.mark.parametrize("given", [{}, {"state": "x"}, {"code": "x"}, {"state": "\u00e9", "code": "x"}])
def test_an_answer_that_nobody_waits_for_is_refused(connected: User, provider: Any, given: dict[str, str]) -> None:
    client = Client()
    left(client)
    expect_refused(client, client.get(CALLBACK, given))


def test_an_answer_without_a_code_is_refused(connected: User, provider: Any) -> None:
    client = Client()
    state = parameters(left(client))["state"]
    expect_refused(client, client.get(CALLBACK, {"state": state}))


def test_an_answer_of_another_issuer_is_refused_before_its_code_goes_anywhere(connected: User, provider: Any) -> None:
    client = Client()
    address = at_provider(left(client))
    provider.asked.clear()
    expect_refused(client, back(client, f"{address}&iss=https://evil.example"))
    assert provider.asked["/token"] == 0


def test_a_provider_that_names_itself_must_do_so_each_time(connected: User, provider: Any) -> None:
    provider.metadata = {"authorization_response_iss_parameter_supported": True}
    client = Client()
    expect_refused(client, come_in(client))
    provider.names_itself = provider.issuer
    assert come_in(client).status_code == 302


def test_the_same_subject_at_another_provider_is_somebody_else(connected: User, provider: Any, choose: Any) -> None:
    choose(issuer=f"{provider.issuer}/tenant")
    provider.issuer += "/tenant"
    provider.metadata = {
        name: f"{provider.issuer.removesuffix('/tenant')}/{path}"
        for name, path in (("authorization_endpoint", "authorize"), ("token_endpoint", "token"), ("jwks_uri", "keys"))
    }
    client = Client()
    expect_refused(client, come_in(client), 403)


@pytest.mark.parametrize("other", ["S-ADA", "s-ada ", "s-ada#", "s-ad\u0430"])
def test_a_subject_that_only_looks_alike_is_somebody_else(connected: User, provider: Any, other: str) -> None:
    provider.person["sub"] = other
    client = Client()
    expect_refused(client, come_in(client), 403)


def test_issuer_and_subject_cannot_run_into_each_other() -> None:
    parts = ["a", "a#b", "a%23b", "b", "#", "%23", "b#c", "", "a#", "#b"]
    pairs = [(issuer, subject) for issuer in parts for subject in parts]
    assert len({identity_key(*pair) for pair in pairs}) == len(pairs)


# --- a provider in trouble -------------------------------------------------------------------------------------------


def test_somebody_who_cancels_is_told_so_and_can_try_again(connected: User, provider: Any) -> None:
    provider.error = "access_denied"
    client = Client()
    answer = come_in(client, "/launch/")
    expect_refused(client, answer, 403)
    page = answer.content.decode()
    assert "You cancelled at Example ID" in page
    assert f'href="{START}?next=%2Flaunch%2F"' in page
    assert 'href="/account/sign-in/?next=%2Flaunch%2F"' in page


def test_an_error_of_the_provider_is_logged_only_where_it_is_a_known_word(connected: User, provider: Any) -> None:
    for error, logged in (("server_error", "server_error"), ("x\nforged line", "an unknown error")):
        provider.error = error
        client = Client()
        with capture_logs() as logs:
            expect_refused(client, come_in(client), 503)
        assert [entry["reason"] for entry in logs] == [f"provider said: {logged}"]


ALL = ("/.well-known/openid-configuration", "/keys", "/token")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda handler: send(handler, 500, b"broken"), id="broken"),
        pytest.param(lambda handler: send(handler, 200, b"<html>a portal</html>"), id="a page"),
        pytest.param(lambda handler: send(handler, 200, b"\xff\xfe\x00"), id="garbage"),
        pytest.param(lambda handler: send_json(handler, 200, ["a list"]), id="a list"),
        pytest.param(lambda handler: send_json(handler, 200, {}), id="nothing in it"),
        pytest.param(lambda handler: send(handler, 302, b"", Location="https://evil.example/"), id="a redirect"),
        pytest.param(lambda handler: send(handler, 200, b" " * 300_000), id="far too much"),
        pytest.param(
            lambda handler: send(handler, 200, gzip.compress(b" " * 10**7), **{"Content-Encoding": "gzip"}),
            id="far too much packed small",
        ),
        pytest.param(lambda handler: handler.wfile.close(), id="no answer"),
    ],
)
@pytest.mark.parametrize("place", ALL, ids=["discovery", "keys", "token"])
def test_a_provider_in_trouble_is_a_clear_page_and_a_line_in_the_log(
    connected: User, provider: Any, sign_in: Callable[..., HttpResponse], place: str, answer: Any
) -> None:
    provider.answers[place] = answer
    client = Client()
    with capture_logs() as logs:
        told = client.get(START)
        if told.status_code == 302:
            told = back(client, at_provider(told["Location"]))
    # An answer without an ID token is no trouble of the provider's, but none to be accepted either.
    assert told.status_code in {400, 503}
    assert "What to do" in told.content.decode()
    [entry] = [entry for entry in logs if entry["event"] == "single sign-on failed"]
    assert entry["reason"]
    assert CLIENT_SECRET not in str(logs) and CLIENT_SECRET not in told.content.decode()
    assert client.get("/").status_code == 302
    assert sign_in(client).status_code == 302, "passwords go on working"


def test_a_provider_that_is_not_there_leaves_no_session_behind(provider: Any, choose: Any) -> None:
    choose(issuer="http://127.0.0.1:9")
    client = Client()
    assert client.get(START).status_code == 503
    assert "sessionid" not in client.cookies


def test_a_provider_that_trickles_is_given_up(connected: User, provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "WHOLE_SECONDS", 0.5)
    over = threading.Event()

    def trickle(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while not over.wait(0.05):
            handler.wfile.write(b" ")

    provider.answers["/.well-known/openid-configuration"] = trickle
    started = time.monotonic()
    try:
        assert Client().get(START).status_code == 503
    finally:
        over.set()
    assert time.monotonic() - started < 3


def test_a_silent_provider_takes_no_more_than_a_few_threads(
    provider: Any, monkeypatch: pytest.MonkeyPatch, in_threads: Callable[..., None]
) -> None:
    monkeypatch.setattr(transport, "READ_SECONDS", 0.5)
    over = threading.Event()
    provider.answers["/.well-known/openid-configuration"] = lambda handler: over.wait(10) and handler.wfile.close()
    started = time.monotonic()
    try:
        in_threads(8, lambda _: Client().get(START))
    finally:
        over.set()
    assert time.monotonic() - started < 3, "they wait together, not one after another"
    assert provider.asked["/.well-known/openid-configuration"] == 1


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "http://evil.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "http://[broken"},
        {"token_endpoint": 7},
    ],
    ids=range(7),
)
def test_a_discovery_document_that_leads_astray_is_not_followed(provider: Any, metadata: dict[str, Any]) -> None:
    provider.metadata = metadata
    assert Client().get(START).status_code == 503


def test_secrets_are_in_no_log_no_page_and_no_audit_entry(
    provider: Any, choose: Any, caplog: pytest.LogCaptureFixture, store: connection.Store
) -> None:
    caplog.set_level("DEBUG")
    choose(new_accounts=True)
    client = Client()
    with capture_logs() as logs:
        address = at_provider(left(client))
        back(client, address)
        back(client, address)
    query = parameters(address)
    stored = [
        store.client.scan(TableName=store.physical(table))["Items"]
        for table in (wiring.audit_log().table, wiring.identities().table, wiring.users().table)
    ]
    for secret in (CLIENT_SECRET, query["code"], query["state"], PASSWORD):
        assert secret not in caplog.text + str(logs) + str(stored)
    assert CLIENT_SECRET not in repr(wiring.single_sign_on())
