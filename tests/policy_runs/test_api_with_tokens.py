"""The API for programs: a token beside the session, the roles of the moment, one refusal for every wrong token."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from apps.accounts import throttle
from apps.accounts.entities import Role
from apps.accounts.passwords import Passwords
from apps.accounts.repository import ApiTokens, Users
from apps.accounts.services import create_token, deactivate, revoke_token
from apps.accounts.throttle import Buckets, Throttle
from apps.accounts.tokens import new_token, token_hash
from apps.audit.repository import AuditLog
from apps.storage.connection import Store
from apps.storage.sessions import WebSessions
from tests.policy_runs.web import ApiClient, launch_body, member, openapi

PASSWORD = "correct horse battery"
DAY = timedelta(days=1)


@pytest.fixture
def tokens(store: Store) -> ApiTokens:
    return ApiTokens(store)


@pytest.fixture
def token_of(store, tokens):
    """The text of a new token of this user."""
    passwords = Passwords()

    def make(user, *, at=None):
        return create_token(
            tokens,
            user=user.evolve(password_hash=passwords.hashed(PASSWORD)),
            password=PASSWORD,
            name="a script",
            valid_for=DAY,
            actor=user.acting(),
            address="192.0.2.1",
            now=at or datetime.now(UTC),
            throttle=Throttle(Buckets(store)),
            passwords=passwords,
            audit=AuditLog(store),
        ).text

    return make


def told(answer):
    """Status, header and body of a refusal, without the reference that is each one's own."""
    answer.body["error"].pop("reference")
    return answer.status, answer.headers["WWW-Authenticate"], answer.body


def test_a_token_reads_and_launches_without_a_cookie_and_without_csrf(run, owner, token_of):
    api = ApiClient(None, bearer=token_of(owner))
    assert [item["executionId"] for item in api.get("").body["items"]] == [run.execution_id]
    launched = api.post("", launch_body(key="by a token"), token=None)
    assert launched.status == 202
    assert api.get(f"/{launched.body['executionId']}").body["userId"] == owner.user_id
    assert "Set-Cookie" not in launched.headers


def test_the_audit_log_names_the_token_that_acted_for_its_owner(run, owner, store, token_of):
    text = token_of(owner)
    api = ApiClient(None, bearer=text)
    launched = api.post("", launch_body(key="by a token"), token=None).body["executionId"]
    api.post(f"/{launched}/control", {"action": "pause"}, token=None)
    ApiClient(owner).post(f"/{launched}/control", {"action": "cancel"})
    entries = AuditLog(store).of(f"AstExecutions#{launched}").items
    assert {(entry.actor_id, entry.via) for entry in entries if entry.action != "run.cancel"} == {
        (owner.user_id, f"token a script (…{text[-4:]})")
    }
    assert [entry.via for entry in entries if entry.action == "run.cancel"] == [""]
    assert len(entries) == 3


def test_the_session_still_needs_its_csrf_token(run, owner):
    assert ApiClient(owner).post("", launch_body(), token=None).code == "csrf"


def test_every_wrong_token_gets_one_and_the_same_401(run, owner, store, tokens, token_of):
    now = datetime.now(UTC)
    revoked = token_of(owner)
    kept = {"user": owner, "actor": owner.acting(), "now": now, "audit": AuditLog(store)}
    revoke_token(tokens, token_hash=token_hash(revoked), **kept)
    inactive, gone = member(store, Role.ADMIN), member(store, Role.ADMIN)
    of_inactive, of_gone = token_of(inactive), token_of(gone)
    deactivate(
        Users(store),
        user=inactive,
        by=gone,
        actor=owner.acting(),
        now=now,
        audit=AuditLog(store),
        sessions=WebSessions(store),
    )
    Users(store).delete(gone)
    right = token_of(owner)
    wrong = {
        "unknown": new_token(),
        "expired": token_of(owner, at=now - 2 * DAY),
        "revoked": revoked,
        "of an inactive user": of_inactive,
        "of a user who is gone": of_gone,
        "of another service": "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "in other letters": right.upper(),
        "too long": f"{right}0",
        "empty": "",
    }
    answers = {}
    for why, text in wrong.items():
        api = ApiClient(None, bearer=text)
        answers[why] = [told(api.get("")), told(api.post("", launch_body(), token=None))]

    expected = answers["unknown"]
    assert expected[0] == expected[1]
    assert expected[0][0] == 401
    assert expected[0][2]["error"]["code"] == "wrong_token"
    assert answers == dict.fromkeys(wrong, expected)
    assert ApiClient(None, bearer=right).get("").status == 200


def test_a_wrong_token_is_refused_whoever_the_browser_is_signed_in_as(run, owner):
    assert ApiClient(owner, bearer=new_token()).get("").status == 401
    assert ApiClient(owner, bearer=new_token()).post("", launch_body()).status == 401


def test_a_token_speaks_for_its_owner_and_not_for_the_session_beside_it(run, owner, store, token_of):
    viewer = member(store, Role.VIEWER)
    assert ApiClient(owner, bearer=token_of(viewer)).get(f"/{run.execution_id}").status == 404
    assert ApiClient(viewer, bearer=token_of(owner)).get(f"/{run.execution_id}").status == 200


def test_roles_taken_away_are_gone_at_the_next_request(run, owner, store, token_of):
    api = ApiClient(None, bearer=token_of(owner))
    assert api.get(f"/{run.execution_id}").status == 200
    users = Users(store)
    users.save(users.get(owner.user_id).evolve(roles=frozenset({Role.VIEWER})))
    assert api.get(f"/{run.execution_id}").status == 404


def test_tokens_open_the_api_and_no_page(run, owner, token_of):
    page = Client(headers={"Authorization": f"Bearer {token_of(owner)}"}).get("/policy-runs/")
    assert page.status_code == 302
    assert page["Location"].startswith("/account/sign-in/")


def test_use_is_noted_at_most_every_five_minutes_and_changes_nothing_else(run, owner, store, tokens, token_of, costs):
    text = token_of(owner)
    before, owner_before = tokens.get(token_hash(text)), Users(store).get(owner.user_id)
    api = ApiClient(None, bearer=text)
    with costs(requests=4, gets=2, queries=1, writes=1, wcu=2):
        api.get("")
    first = tokens.get(token_hash(text))
    assert first.last_used_at is not None
    assert first.evolve(last_used_at=None, version=before.version) == before
    with costs(requests=3, gets=2, queries=1, rcu=3, wcu=0):
        api.get("")
    assert tokens.get(token_hash(text)) == first
    assert Users(store).get(owner.user_id) == owner_before

    tokens.note_used(first, now=first.last_used_at + timedelta(minutes=5))
    assert tokens.get(token_hash(text)).last_used_at == first.last_used_at + timedelta(minutes=5)


def test_what_cannot_be_a_token_is_refused_without_reading_users_or_tokens(run, costs):
    with costs(requests=3, wcu=2) as cost:
        assert ApiClient(None, bearer="rungs_abc").get("").status == 401
    assert {table for _, table in cost.requests} <= {"RateLimits"}


def test_wrong_tokens_without_end_are_slowed_but_right_ones_beside_them_are_not(
    run, owner, token_of, monkeypatch, costs
):
    monkeypatch.setattr(throttle, "FAILURES_AN_ADDRESS", 3)
    guessing = ApiClient(None, bearer=new_token())
    assert [guessing.get("").status for _ in range(3)] == [401] * 3
    with costs(requests=2, wcu=0):
        answer = guessing.get("")
    assert (answer.status, answer.code) == (429, "too_many_attempts")
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    assert ApiClient(None, bearer=token_of(owner)).get("").status == 200
    signing_in = Client().post("/account/sign-in/", {"email": owner.email, "password": "a guess, and wrong"})
    assert signing_in.status_code == 422, "counted apart from sign-in"


def test_no_token_is_in_a_log_or_an_answer(run, owner, token_of, caplog):
    caplog.set_level(logging.DEBUG)
    right, wrong = token_of(owner), new_token()
    answers = [ApiClient(None, bearer=text).get(path) for text in (right, wrong) for path in ("", "/no-such-run")]
    assert [answer.status for answer in answers] == [200, 404, 401, 401]
    shown = caplog.text + "".join(str((answer.body, dict(answer.headers))) for answer in answers)
    for text in (right, wrong):
        assert text not in shown
        assert text.removeprefix("rungs_") not in shown


def test_the_openapi_document_names_both_ways_to_sign_in():
    document = openapi()
    schemes = document["components"]["securitySchemes"]
    assert (schemes["TokenAuth"]["type"], schemes["TokenAuth"]["scheme"]) == ("http", "bearer")
    assert "Bearer rungs_" in schemes["TokenAuth"]["description"]
    assert schemes["SessionAuth"]["in"] == "cookie"
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    secured = [operation for operation in operations if "security" in operation]
    assert secured
    for operation in secured:
        assert operation["security"] == [{"TokenAuth": []}, {"SessionAuth": []}]
        assert {"401", "429"} <= operation["responses"].keys()
