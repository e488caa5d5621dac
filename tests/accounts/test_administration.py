"""What administrators and support do with other people's accounts, by the services."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from apps.accounts import services, wiring
from apps.accounts.entities import Role, User
from apps.accounts.sockets import user_of_scope
from apps.errors import Forbidden, Invalid, NotFound
from apps.storage.errors import Duplicate, StaleVersion
from apps.storage.sessions import session_hash
from tests.accounts.deeds import by, change, deactivate, entries, set_password
from tests.accounts.people import PASSWORD, CountingPasswords

OTHERS = [role for role in Role if role is not Role.ADMIN]


@pytest.fixture
def boss(make_user: Callable[..., User]) -> User:
    return make_user(email="boss@example.org", name="Boss", roles=[Role.ADMIN])


@pytest.fixture
def second(make_user: Callable[..., User]) -> User:
    return make_user(email="second@example.org", name="Second", roles=[Role.ADMIN])


@pytest.fixture
def sam(make_user: Callable[..., User]) -> User:
    return make_user(email="sam@example.org", name="Sam", roles=[Role.SUPPORT])


@pytest.fixture
def adas(ada: User, sign_in: Callable[..., HttpResponse]) -> Client:
    client = Client(headers={"User-Agent": "Firefox/1 Linux"})
    assert sign_in(client).status_code == 302
    return client


def _stored(user: User) -> User:
    return wiring.users().get(user.user_id, consistent=True)


def test_a_change_is_stored_with_what_was_before_and_after(ada: User, boss: User) -> None:
    changed = change(ada, boss, name="Ada L.", email="Lovelace@Example.org", roles={Role.VIEWER})
    assert _stored(ada) == changed
    assert (changed.name, changed.email, changed.roles) == ("Ada L.", "lovelace@example.org", {Role.VIEWER})
    (entry, _) = entries(ada)
    assert (entry.action, entry.actor_id, entry.address) == ("user.changed", boss.user_id, "192.0.2.9")
    assert entry.before == {"name": "Ada", "email": "ada@example.org", "roles": ["operator"]}
    assert entry.after == {"name": "Ada L.", "email": "lovelace@example.org", "roles": ["viewer"]}


def test_a_change_reaches_nothing_but_what_it_is_for(ada: User, boss: User) -> None:
    changed = change(ada, boss, name="Ada L.", password_hash="planted", auth_epoch=7, created_by="somebody")
    assert changed == ada.evolve(name="Ada L.", updated_at=changed.updated_at).at_version(2)


def test_what_changes_nothing_is_not_written(ada: User, boss: User) -> None:
    assert change(ada, boss) == ada
    assert [entry.action for entry in entries(ada)] == ["user.created"]


def test_nobody_is_given_an_address_that_another_has(ada: User, boss: User, sam: User) -> None:
    with pytest.raises(Duplicate) as taken:
        change(ada, boss, email=sam.email)
    assert taken.value.field == "email"
    assert len(entries(ada)) == 1


def test_of_two_editors_the_second_is_told(ada: User, boss: User, second: User) -> None:
    theirs = change(ada, boss, roles={Role.VIEWER})
    with pytest.raises(StaleVersion) as stale:
        change(ada, second, roles={Role.SUPPORT})
    assert stale.value.stored == theirs
    assert entries(ada)[0].actor_id == boss.user_id


@pytest.mark.parametrize("role", OTHERS)
def test_only_administrators_change_people(ada: User, make_user: Callable[..., User], role: Role) -> None:
    other = make_user(email="other@example.org", name="Other", roles=[role])
    refusal = Forbidden if role is Role.SUPPORT else NotFound
    session = "0" * 64
    for deed in (
        lambda: change(ada, other, name="Changed"),
        lambda: deactivate(ada, other),
        lambda: set_password(ada, other, "another battery staple", passwords=wiring.passwords()),
        lambda: services.sign_out_user(wiring.users(), user=ada, sessions=wiring.web_sessions(), **by(other)),
        lambda: services.end_session_of(wiring.web_sessions(), user=ada, session_hash=session, **by(other)),
        lambda: services.show_link(wiring.invitations(), user=ada, **by(other)),
    ):
        with pytest.raises(refusal):
            deed()
    assert _stored(ada) == ada
    assert len(entries(ada)) == 1


@pytest.mark.parametrize("role", [role for role in OTHERS if role is not Role.SUPPORT])
def test_nobody_else_unlocks_or_adds(ada: User, make_user: Callable[..., User], role: Role) -> None:
    other = make_user(email="other@example.org", name="Other", roles=[role])
    with pytest.raises(NotFound):
        services.unlock(wiring.throttle(), user=ada, **by(other))
    with pytest.raises(NotFound):
        _add(other)
    assert wiring.users().by_email("new@example.org") is None


def _add(who: User, *, roles: Any = (), password: str | None = None) -> User:
    return services.add_user(
        wiring.users(),
        email="new@example.org",
        name="New",
        roles=roles,
        password=password,
        passwords=wiring.passwords(),
        **by(who),
    )


def test_support_invites_but_gives_neither_roles_nor_passwords(sam: User, passwords: CountingPasswords) -> None:
    for given in ({"roles": [Role.VIEWER]}, {"password": PASSWORD}):
        with pytest.raises(Forbidden):
            _add(sam, **given)
    made = _add(sam)
    assert (made.roles, made.password_hash, made.created_by) == (frozenset(), "", sam.user_id)


def test_who_has_no_password_yet_cannot_sign_in_with_any(
    boss: User, passwords: CountingPasswords, sign_in: Callable[..., HttpResponse]
) -> None:
    _add(boss, roles=[Role.VIEWER])
    assert sign_in(Client(), email="new@example.org", password=PASSWORD).status_code == 422
    assert sign_in(Client(), email="new@example.org", password="x").status_code == 422


def test_who_is_deactivated_is_signed_out_at_the_next_request_and_signs_in_no_more(
    ada: User, boss: User, adas: Client, sign_in: Callable[..., HttpResponse]
) -> None:
    assert adas.get("/").status_code == 200
    gone = deactivate(ada, boss)
    assert adas.get("/").status_code == 302
    assert sign_in(Client()).status_code == 422
    assert entries(ada)[0].action == "user.deactivated"

    services.reactivate(wiring.users(), user=gone, sessions=wiring.web_sessions(), **by(boss))
    assert adas.get("/").status_code == 302, "a session that ended stays so"
    assert sign_in(Client()).status_code == 302
    assert entries(ada)[0].action == "user.reactivated"


def test_nobody_shuts_themselves_out(boss: User, second: User) -> None:
    for changes, field in (({"roles": {Role.SUPPORT}}, "roles"), ({"is_active": False}, "is_active")):
        with pytest.raises(Invalid) as refused:
            change(boss, boss, **changes)
        assert refused.value.field == field
        assert "ask another administrator" in refused.value.message
    assert change(boss, boss, roles={Role.ADMIN, Role.OPERATOR}).is_administrator


def test_an_administrator_may_take_that_away_from_another(boss: User, second: User) -> None:
    assert not change(second, boss, roles={Role.VIEWER}).is_administrator


def test_of_two_administrators_who_shut_each_other_out_at_once_one_stays(
    boss: User, second: User, in_threads: Any
) -> None:
    def shut_out(number: int) -> User | Exception:
        ready.wait()
        try:
            return deactivate(*((boss, second) if number else (second, boss)))
        except (Forbidden, StaleVersion) as error:
            return error

    for _ in range(5):
        ready = threading.Barrier(2)
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(shut_out, range(2)))
        left = [user for user in (_stored(boss), _stored(second)) if user.is_administrator]
        assert len(left) == 1, outcomes
        gone = next(user for user in (_stored(boss), _stored(second)) if not user.is_active)
        again = services.reactivate(wiring.users(), user=gone, sessions=wiring.web_sessions(), **by(left[0]))
        boss, second = left[0], again


def test_who_is_no_administrator_any_more_at_the_moment_of_the_write_unmakes_none(boss: User, second: User) -> None:
    change(boss, second, roles=set())
    with pytest.raises(Forbidden):
        deactivate(second, boss)  # as the page knew Boss a moment ago
    assert _stored(second) == second


def test_a_password_that_is_set_ends_sessions_and_old_waits(
    ada: User, boss: User, adas: Client, sign_in: Callable[..., HttpResponse], passwords: CountingPasswords
) -> None:
    elsewhere = Client(REMOTE_ADDR="203.0.113.7")
    assert [sign_in(elsewhere, password="wrong").status_code for _ in range(6)] == [422] * 5 + [429]
    set_password(ada, boss, "another battery staple", passwords=passwords)
    assert adas.get("/").status_code == 302
    assert wiring.web_sessions().of(ada.user_id) == []
    assert sign_in(elsewhere).status_code == 422
    assert sign_in(elsewhere, password="another battery staple").status_code == 302
    assert entries(ada)[0].action == "user.password_set"
    assert "battery" not in str(entries(ada))


def test_a_password_that_is_set_keeps_the_rules_and_ones_own_is_set_elsewhere(
    ada: User, boss: User, passwords: CountingPasswords
) -> None:
    for user, password in ((ada, "password1234"), (boss, "another battery staple")):
        with pytest.raises(Invalid) as refused:
            set_password(user, boss, password, passwords=passwords)
        assert refused.value.field == "password"
        assert _stored(user) == user


def test_one_session_is_ended_and_the_others_stay(
    ada: User, boss: User, adas: Client, sign_in: Callable[..., HttpResponse]
) -> None:
    other = Client()
    sign_in(other)
    hashed = session_hash(adas.cookies["sessionid"].value)
    services.end_session_of(wiring.web_sessions(), user=ada, session_hash=hashed, **by(boss))
    assert (adas.get("/").status_code, other.get("/").status_code) == (302, 200)
    assert (entries(ada)[0].action, entries(ada)[0].before["device"]) == ("user.session_ended", "Firefox on Linux")
    assert hashed not in str(entries(ada))
    with pytest.raises(NotFound):
        services.end_session_of(wiring.web_sessions(), user=ada, session_hash=hashed, **by(boss))


def test_a_session_is_not_ended_in_the_name_of_another(ada: User, boss: User, sam: User, adas: Client) -> None:
    hashed = session_hash(adas.cookies["sessionid"].value)
    with pytest.raises(NotFound):
        services.end_session_of(wiring.web_sessions(), user=sam, session_hash=hashed, **by(boss))
    assert adas.get("/").status_code == 200


def test_signing_somebody_out_ends_every_session_of_theirs(ada: User, boss: User, adas: Client) -> None:
    services.sign_out_user(wiring.users(), user=ada, sessions=wiring.web_sessions(), **by(boss))
    assert adas.get("/").status_code == 302
    assert entries(ada)[0].actor_id == boss.user_id


async def test_a_socket_of_somebody_whose_session_is_ended_belongs_to_nobody(
    ada: User, boss: User, adas: Client
) -> None:
    key = adas.cookies["sessionid"].value
    scope = {"type": "websocket", "headers": [(b"cookie", f"sessionid={key}".encode())]}
    assert await user_of_scope(scope) == ada
    services.end_session_of(wiring.web_sessions(), user=ada, session_hash=session_hash(key), **by(boss))
    assert await user_of_scope(scope) is None


def test_support_unlocks_whatever_address_it_is_tried_from(
    ada: User, sam: User, sign_in: Callable[..., HttpResponse]
) -> None:
    clients = [Client(REMOTE_ADDR=address) for address in ("203.0.113.7", "2001:db8::1")]
    for client in clients:
        assert [sign_in(client, password="wrong").status_code for _ in range(6)][-1] == 429
    services.unlock(wiring.throttle(), user=ada, **by(sam))
    assert [sign_in(client).status_code for client in clients] == [302, 302]
    assert (entries(ada)[0].action, entries(ada)[0].actor_id) == ("user.unlocked", sam.user_id)


def test_the_last_sign_in_is_kept_and_disturbs_no_edit(
    ada: User, boss: User, sign_in: Callable[..., HttpResponse], costs: Any
) -> None:
    before = datetime.now(UTC)
    client = Client(headers={"User-Agent": "Firefox/1 Linux"}, REMOTE_ADDR="203.0.113.7")
    with costs() as cost:
        sign_in(client)
    assert cost.requests["transact_write_items", "AuditLog+SignIns"] == 1, "with the audit entry"
    noted = wiring.sign_ins().get(ada.user_id)
    assert (noted.address, noted.device) == ("203.0.113.7", "Firefox on Linux")
    assert abs((noted.at - before).total_seconds()) < 10
    assert _stored(ada) == ada
    change(ada, boss, name="Ada L.")  # read before the sign-in, and not stale
