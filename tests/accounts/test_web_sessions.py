from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.http import HttpResponse
from django.test import Client

from apps.accounts import wiring
from apps.accounts.entities import User
from apps.storage import sessions as sessions_module
from apps.storage.conditions import Update
from apps.storage.connection import Store
from apps.storage.metering import metering
from apps.storage.sessions import SessionStore, WebSessions, session_hash


@pytest.fixture
def raw(store: Store) -> Callable[[], list[dict[str, Any]]]:
    def scan() -> list[dict[str, Any]]:
        return store.client.scan(TableName=store.physical(WebSessions.table))["Items"]

    return scan


@pytest.fixture
def stored(store: Store) -> SessionStore:
    session = SessionStore()
    session.update({"user_id": "u1", "device": "Firefox on Linux", "cart": [1, "two"]})
    session.save()
    return session


def _expire(key: str) -> None:
    past = datetime.now(UTC) - timedelta(seconds=2)
    wiring.web_sessions().update(session_hash(key), Update(set={"expires_at": past}))


def test_a_session_is_read_as_it_was_saved(stored: SessionStore) -> None:
    again = SessionStore(stored.session_key)
    assert (again["cart"], again["user_id"]) == ([1, "two"], "u1")


def test_the_key_is_nowhere_in_the_store(stored: SessionStore, raw: Callable[[], list[dict[str, Any]]]) -> None:
    (item,) = raw()
    assert stored.session_key not in str(item)
    assert item["session_hash"] == {"S": session_hash(stored.session_key)}
    assert item["user_id"] == {"S": "u1"}


def test_what_is_stored_cannot_be_read_as_a_key(stored: SessionStore) -> None:
    assert SessionStore(session_hash(stored.session_key)).get("user_id") is None


def test_the_expiry_is_in_epoch_seconds_and_two_weeks_away(
    stored: SessionStore, raw: Callable[[], list[dict[str, Any]]]
) -> None:
    until = int(raw()[0]["expires_at"]["N"]) - datetime.now(UTC).timestamp()
    assert 14 * 86400 - 5 < until <= 14 * 86400


def test_an_expired_session_is_gone_although_the_store_still_has_it(
    stored: SessionStore, raw: Callable[[], list[dict[str, Any]]]
) -> None:
    _expire(stored.session_key)
    again = SessionStore(stored.session_key)
    assert again.get("user_id") is None
    assert again.session_key is None
    assert not again.exists(stored.session_key)
    assert len(raw()) == 1


def test_an_expired_session_is_not_revived_by_saving_it(stored: SessionStore) -> None:
    _expire(stored.session_key)
    stored["more"] = 1
    with pytest.raises(UpdateError):
        stored.save()


def test_a_session_that_was_deleted_meanwhile_is_not_saved_again(
    stored: SessionStore, raw: Callable[[], list[dict[str, Any]]]
) -> None:
    SessionStore(stored.session_key).delete()
    stored["more"] = 1
    with pytest.raises(UpdateError):
        stored.save()
    assert raw() == []


def test_a_taken_key_is_not_created_again(stored: SessionStore) -> None:
    with pytest.raises(CreateError):
        SessionStore(stored.session_key).save(must_create=True)


def test_a_key_that_a_client_made_up_is_never_adopted(store: Store) -> None:
    session = SessionStore("a-key-that-nobody-gave-out")
    session["user_id"] = "u1"
    session.save()
    assert session.session_key != "a-key-that-nobody-gave-out"
    assert SessionStore(session.session_key)["user_id"] == "u1"


def test_cycling_the_key_keeps_the_data_and_ends_the_old_key(
    stored: SessionStore, raw: Callable[[], list[dict[str, Any]]]
) -> None:
    old = stored.session_key
    stored.cycle_key()
    assert SessionStore(old).get("cart") is None
    assert SessionStore(stored.session_key)["cart"] == [1, "two"]
    assert len(raw()) == 1


def test_flushing_leaves_nothing(stored: SessionStore, raw: Callable[[], list[dict[str, Any]]]) -> None:
    stored.flush()
    assert raw() == []
    assert stored.session_key is None


def test_changed_data_without_the_signing_key_reads_as_empty(stored: SessionStore) -> None:
    tampered = wiring.web_sessions().get(session_hash(stored.session_key)).data[:-2] + "xx"
    wiring.web_sessions().update(session_hash(stored.session_key), Update(set={"data": tampered}))
    assert SessionStore(stored.session_key).get("user_id") is None


def test_a_users_sessions_are_listed_with_the_latest_first_and_no_data(store: Store, stored: SessionStore) -> None:
    other = SessionStore()
    other.update({"user_id": "u1", "device": "curl"})
    other.save()
    SessionStore().save()
    listed = wiring.web_sessions().of("u1")
    assert [session.device for session in listed] == ["curl", "Firefox on Linux"]
    assert {session.data for session in listed} == {""}
    assert wiring.web_sessions().end_all_of("u1", but=session_hash(other.session_key)) == 1
    assert [session.device for session in wiring.web_sessions().of("u1")] == ["curl"]


def test_being_seen_is_noted_at_most_every_five_minutes_and_rewrites_nothing_else(
    stored: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = wiring.web_sessions().get(session_hash(stored.session_key))
    with metering() as cost:
        assert SessionStore(stored.session_key)["user_id"] == "u1"
    assert cost.count("update_item", "put_item") == 0

    later = datetime.now(UTC) + timedelta(minutes=6)
    monkeypatch.setattr(sessions_module, "_now", lambda: later)
    with metering() as cost:
        assert SessionStore(stored.session_key)["user_id"] == "u1"
        assert SessionStore(stored.session_key)["user_id"] == "u1"
    assert cost.count("update_item") == 1
    after = wiring.web_sessions().get(session_hash(stored.session_key))
    assert after.last_seen_at - before.last_seen_at > timedelta(minutes=5)
    assert after == before.evolve(last_seen_at=after.last_seen_at, version=after.version)


async def test_the_async_side_does_the_same(store: Store) -> None:
    session = SessionStore()
    await session.aset("user_id", "u1")
    await session.asave()
    assert await SessionStore(session.session_key).aget("user_id") == "u1"
    await session.aflush()
    assert wiring.web_sessions().of("u1") == []


def test_a_request_that_changes_nothing_writes_nothing(ada: User, sign_in: Callable[..., HttpResponse]) -> None:
    client = Client()
    sign_in(client)
    with metering() as cost:
        client.get("/")
    assert cost.write_units == 0
