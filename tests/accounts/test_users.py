import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from apps.accounts import services, wiring
from apps.accounts.entities import ANONYMOUS, Role, User
from apps.accounts.passwords import Passwords
from apps.errors import Invalid
from apps.storage.connection import Store
from apps.storage.errors import Duplicate, StaleVersion
from apps.storage.metering import metering
from apps.storage.unique import Guards
from tests.accounts.people import ADMIN, PASSWORD, CountingPasswords


def test_of_two_who_take_the_same_address_at_once_one_gets_it(store: Store, passwords: CountingPasswords) -> None:
    ready = threading.Barrier(2)

    def create(name: str) -> User | Duplicate:
        ready.wait()
        try:
            return services.create_user(
                wiring.users(),
                email="Same@Example.org",
                name=name,
                roles=[Role.VIEWER],
                password=PASSWORD,
                actor=ADMIN,
                now=datetime.now(UTC),
                passwords=passwords,
                audit=wiring.audit_log(),
            )
        except Duplicate as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(create, ["One", "Two"]))

    made = [outcome for outcome in outcomes if isinstance(outcome, User)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, Duplicate)]
    assert (len(made), len(refused)) == (1, 1)
    assert refused[0].field == "email"
    assert [user.user_id for user in wiring.users().listed().items] == [made[0].user_id]


def test_an_address_is_found_whatever_its_case_and_width(ada: User) -> None:
    assert wiring.users().by_email("  ADA@example.ORG ").user_id == ada.user_id


def test_looking_for_an_unknown_address_costs_what_a_known_one_costs(ada: User) -> None:
    with metering() as known:
        assert wiring.users().by_email("ada@example.org")
    with metering() as unknown:
        assert wiring.users().by_email("nobody@example.org") is None
    assert known.requests == unknown.requests


def test_an_address_is_looked_up_by_key_and_never_through_the_index(ada: User) -> None:
    with metering() as cost:
        wiring.users().by_email(ada.email)
    assert cost.count("query", "scan") == 0
    assert cost.count("get_item") == 2


def test_changing_the_address_frees_the_old_one_and_takes_the_new(ada: User, make_user: Callable[..., User]) -> None:
    users = wiring.users()
    moved = users.save(ada.evolve(email="Lovelace@example.org"))
    assert users.by_email("ada@example.org") is None
    assert users.by_email("lovelace@example.org") == moved == users.get(ada.user_id, consistent=True)
    assert make_user(email="ada@example.org", name="Another").user_id != ada.user_id


def test_nobody_moves_to_an_address_that_is_taken(ada: User, make_user: Callable[..., User]) -> None:
    olga = make_user(email="olga@example.org", name="Olga")
    with pytest.raises(Duplicate):
        wiring.users().save(olga.evolve(email="ada@example.org"))
    assert wiring.users().by_email("olga@example.org") == olga
    assert Guards(wiring.users().store).owner("Users.email", "ada@example.org") == ada.user_id


def test_of_two_changes_to_one_user_the_later_is_refused(ada: User) -> None:
    users = wiring.users()
    users.save(ada.evolve(name="Ada L."))
    with pytest.raises(StaleVersion):
        users.save(ada.evolve(name="Ada K."))


def test_creating_a_user_is_in_the_audit_log_without_the_password(ada: User) -> None:
    (entry,) = wiring.audit_log().of(f"Users#{ada.user_id}").items
    assert (entry.action, entry.actor_id, entry.address) == ("user.created", "admin-1", "192.0.2.9")
    assert entry.after == {"email": "ada@example.org", "name": "Ada", "roles": ["operator"]}


@pytest.mark.parametrize("password", ["short", "password1234", "123456789012345"])
def test_a_weak_password_is_refused_and_nothing_is_stored(make_user: Callable[..., User], password: str) -> None:
    with pytest.raises(Invalid) as refused:
        make_user(password=password)
    assert refused.value.field == "password"
    assert refused.value.details()
    assert wiring.users().by_email("ada@example.org") is None


@pytest.mark.parametrize("password", ["Ada.Lovelace@Example.org", "augusta ada byron"], ids=range(2))
def test_a_name_or_an_address_is_no_password_of_its_owner(make_user: Callable[..., User], password: str) -> None:
    with pytest.raises(Invalid, match="must not be the name or the e-mail address"):
        make_user(email="ada.lovelace@example.org", name="Augusta Ada Byron", password=password)
    assert make_user(email="other@example.org", password=password).has_password


@pytest.mark.parametrize("email", ["", "ada", "ada@", "a b@example.org", "x" * 250 + "@example.org", "a\x07@b.org"])
def test_what_is_no_address_is_refused_with_its_field(make_user: Callable[..., User], email: str) -> None:
    with pytest.raises(Invalid) as refused:
        make_user(email=email)
    assert refused.value.field == "email"
    assert "name@example.org" in refused.value.message


def test_people_are_listed_by_name_whatever_its_case(make_user: Callable[..., User]) -> None:
    for name in ("bob", "Ålan", "Alice", "alan#2"):
        make_user(email=f"{len(name)}{ord(name[0])}@example.org", name=name)
    users = wiring.users()
    assert [user.name for user in users.listed("AL").items] == ["alan#2", "Alice"]
    first = users.listed(limit=2)
    second = users.listed(limit=2, cursor=first.next)
    assert [user.name for user in (*first.items, *second.items)] == ["alan#2", "Alice", "bob", "Ålan"]
    assert all(user.password_hash == "" for user in first.items)


def test_a_hash_is_neither_printed_nor_serialised(ada: User) -> None:
    assert ada.password_hash.startswith("argon2$")
    assert ada.password_hash not in repr(ada)
    assert "password_hash" not in ada.model_dump()


def test_a_user_survives_the_store_unchanged(ada: User) -> None:
    assert wiring.users().get(ada.user_id, consistent=True) == ada


def test_a_role_that_does_not_exist_is_refused(ada: User) -> None:
    with pytest.raises(ValidationError):
        ada.evolve(roles={"emperor"})


def test_nobody_is_nobody() -> None:
    assert ANONYMOUS.is_anonymous
    assert not ANONYMOUS.is_authenticated
    assert not ANONYMOUS.is_active
    assert not ANONYMOUS.roles


def test_passwords_are_hashed_by_argon2_at_full_cost(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    encoded = Passwords().hashed(PASSWORD)
    assert encoded.startswith("argon2$argon2id$")
    assert "m=102400" in encoded
    assert Passwords().matches(PASSWORD, encoded)
