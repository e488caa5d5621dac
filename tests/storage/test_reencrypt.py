"""After a rotation every secret is sealed with today's key, and the former one can be taken away."""

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from apps.storage.engine import EngineKind
from apps.storage.entity import Entity
from apps.storage.errors import SecretUnreadable
from apps.storage.repository import Repository
from apps.storage.secrets import Secret
from apps.storage.tables import CHECKPOINTS, POINTERS, TRASH
from apps.storage.upkeep.backfill import sweep
from apps.storage.upkeep.reencrypt import Resealing, count_former, passes
from tests.storage.engines import run, using
from tests.storage.shared import Endpoints, emptied

OLD, NEW, LOST = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2, 3))
NUMBER = 12


class Login(Entity):
    name: str
    password: Secret
    token: Secret | None = None


class Logins(Repository[Login]):
    entity = Login
    table = POINTERS
    noun = "login"


@pytest.fixture
def keys(settings: Any) -> Callable[..., None]:
    def have(*keys: str) -> None:
        settings.STORAGE = {**settings.STORAGE, "ENCRYPTION_KEYS": keys}

    return have


@pytest.fixture
def logins(engine_endpoint: Endpoints, keys: Any) -> Logins:
    """Twelve, sealed with the old key, after the new one was put before it."""
    store = emptied(engine_endpoint(EngineKind.DYNOXIDE), POINTERS, CHECKPOINTS)
    found = Logins(store)
    keys(OLD)
    found.put_many(Login(name=f"l{number:02}", password=Secret(str(number))) for number in range(NUMBER))
    keys(NEW, OLD)
    found.save(found.get("l00").evolve(token=Secret("t")))  # this one is sealed anew by its own save
    return found


@pytest.fixture
def command(logins: Logins, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    monkeypatch.setattr("apps.storage.registry.declared_repositories", lambda: (Logins,))
    with using(logins.store, settings):
        yield lambda *arguments: run("reencrypt", *arguments)


def test_afterwards_nothing_needs_the_old_key(logins: Logins, keys: Any) -> None:
    assert count_former(logins) == NUMBER - 1
    done = sweep(logins, Resealing())
    assert (done.looked_at, done.written, done.failed) == (NUMBER, NUMBER - 1, 0)
    assert count_former(logins) == 0
    keys(NEW)
    found = logins.get_many(f"l{number:02}" for number in range(NUMBER))
    assert [login.password.reveal() for login in found] == [str(number) for number in range(NUMBER)]
    assert found[0].token == Secret("t")
    assert {login.version for login in found} == {2}


def test_a_second_rotation_begins_afresh_even_if_the_first_was_not_finished(logins: Logins, keys: Any) -> None:
    first = sweep(logins, Resealing())
    keys(LOST, NEW)
    second = sweep(logins, Resealing())
    assert first.goal != second.goal
    assert (second.looked_at, second.written) == (NUMBER, NUMBER)


def test_a_secret_that_no_key_opens_is_listed_and_the_rest_is_done(logins: Logins, keys: Any) -> None:
    keys(LOST)
    logins.put_many([Login(name="l05", password=Secret("gone"))])
    keys(NEW, OLD)
    done = sweep(logins, Resealing())
    assert (done.written, done.failed, [failure.key for failure in done.failures]) == (NUMBER - 2, 1, ["name=l05"])
    assert "RUNGS_ENCRYPTION_KEYS" in done.failures[0].reason
    assert count_former(logins) == 1
    with pytest.raises(SecretUnreadable):
        logins.get("l05").password.reveal()


class Key(Login):
    kept_deleted = timedelta(days=30)


class Keys(Repository[Key]):
    entity = Key
    table = POINTERS
    noun = "key"


def test_deleted_items_that_can_be_restored_are_sealed_anew_as_well(engine_endpoint: Endpoints, keys: Any) -> None:
    store = emptied(engine_endpoint(EngineKind.DYNOXIDE), POINTERS, CHECKPOINTS, TRASH)
    shelf = Keys(store)
    keys(OLD)
    for name in ("k1", "k2"):
        shelf.add(Key(name=name, password=Secret(name)))
        shelf.delete(name)
    keys(NEW, OLD)
    assert count_former(shelf) == 2
    assert [sweep(repository, change).written for repository, change in passes(shelf)] == [0, 2]
    assert count_former(shelf) == 0
    keys(NEW)
    assert shelf.restore("k1").password.reveal() == "k1"


def test_the_command_seals_anew_and_says_that_the_old_key_may_go(command: Any) -> None:
    before = command("--check")
    assert (before.code, before.out) == (1, "11 items still need a former key: 11 in Pointers.Login.\n")
    dry = command("--dry-run", "--json")
    assert (dry.code, dry.json["tasks"][0]["written"], dry.json["needFormerKey"]) == (0, 11, {"Pointers.Login": 11})
    ran = command()
    assert ran.code == 0
    assert ran.out.splitlines()[-1].startswith("11 items encrypted anew, 0 failed, in ")
    assert ran.out.endswith("No secret needs a former key any more.\n")
    after = command("--check", "--json")
    assert (after.code, after.json["success"], after.json["needFormerKey"]) == (0, True, {"Pointers.Login": 0})


def test_the_command_says_how_many_still_need_a_former_key(command: Any, logins: Logins, keys: Any) -> None:
    keys(LOST)
    logins.put_many([Login(name="l05", password=Secret("gone"))])
    keys(NEW, OLD)
    ran = command()
    assert ran.code == 2
    assert ran.out.endswith("1 item still needs a former key: 1 in Pointers.Login.\n")
    assert ran.err.startswith("    name=l05: A stored secret was encrypted with a key that is not in")


def test_the_host_credentials_of_runs_are_among_what_is_sealed_anew(store: Any, settings: Any) -> None:
    store.fill()
    with using(store, settings):
        ran = run("reencrypt", "--json")
    assert ran.code == 0
    assert "RunSecrets.RunSecret" in ran.json["needFormerKey"]
