from typing import Any

import pytest

from apps.accounts.entities import ANONYMOUS, Role, User
from apps.accounts.permissions import ROLES, SEEN_BY, Permission, allowed, require
from apps.errors import Forbidden, NotFound


def person(*roles: Role, is_active: bool = True) -> User:
    return User(user_id="u", email="u@example.org", name="U", roles=frozenset(roles), is_active=is_active)


TABLE = {
    "run.launch": "admin operator",
    "run.see_own": "admin operator",
    "run.see_any": "admin operator support",
    "run.control_own": "admin operator",
    "run.control_any": "admin",
    "run.screens_own": "admin operator",
    "run.screens_any": "admin",
    "hosts.see": "admin operator support",
    "hosts.change": "admin",
    "shops.see": "admin shop_operator support viewer",
    "shops.change": "admin shop_operator",
    "requirements.see_shared": "admin analyst viewer",
    "requirements.change_own": "admin analyst",
    "requirements.any": "admin",
    "waitlist.see": "admin support viewer",
    "waitlist.change": "admin support",
    "users.see": "admin support",
    "users.change": "admin",
    "users.unlock": "admin support",
    "users.invite": "admin support",
    "tables.see": "admin support",
    "tables.change": "admin",
    "audit.see": "admin",
}


@pytest.mark.parametrize("permission", list(Permission))
def test_the_table_is_as_agreed(permission: Permission) -> None:
    assert {role.value for role in Role if allowed(person(role), permission)} == set(TABLE[permission].split())


def test_every_permission_has_its_row() -> None:
    assert set(ROLES) == set(Permission) == set(TABLE)
    assert set(SEEN_BY) <= set(Permission)
    assert all(ROLES[done] <= ROLES[seen] for done, seen in SEEN_BY.items())


def test_roles_add_up() -> None:
    both = person(Role.ANALYST, Role.SHOP_OPERATOR)
    assert allowed(both, "shops.change")
    assert allowed(both, "requirements.change_own")
    assert not allowed(both, "run.see_any")


def test_support_and_viewer_never_see_screens() -> None:
    for role in (Role.SUPPORT, Role.VIEWER):
        assert not allowed(person(role), Permission.RUN_SCREENS_ANY)
        assert not allowed(person(role), Permission.RUN_SCREENS_OWN)


def test_nobody_and_the_inactive_may_nothing() -> None:
    assert not any(allowed(ANONYMOUS, permission) for permission in Permission)
    assert not any(allowed(person(Role.ADMIN, is_active=False), permission) for permission in Permission)


def test_who_sees_it_is_told_that_they_may_not_do_it() -> None:
    with pytest.raises(Forbidden):
        require(person(Role.SUPPORT), "run.control_any")
    with pytest.raises(Forbidden):
        require(person(Role.OPERATOR), "hosts.change")


def test_who_may_not_see_it_is_not_told_that_it_exists() -> None:
    for permission in ("run.launch", "run.control_any", "run.see_any", "audit.see", "users.change"):
        with pytest.raises(NotFound):
            require(person(Role.VIEWER), permission)
        with pytest.raises(NotFound):
            require(ANONYMOUS, permission)


def test_what_is_allowed_is_not_refused() -> None:
    require(person(Role.OPERATOR), "run.launch")


def test_a_permission_that_does_not_exist_is_a_bug() -> None:
    with pytest.raises(KeyError):
        allowed(person(Role.ADMIN), "run.lunch")


@pytest.mark.parametrize(
    ("role", "opens"), [(Role.ADMIN, True), (Role.SUPPORT, True), (Role.VIEWER, True), (Role.OPERATOR, False)]
)
def test_the_back_office_is_open_to_its_three_roles(role: Role, opens: Any) -> None:
    assert person(role).is_staff is opens
    assert not person(role, is_active=False).is_staff
