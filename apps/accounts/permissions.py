"""Who may do what, as one table; whose run or requirement it is decides its own domain."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from apps.accounts.entities import Anonymous, Role, User
from apps.errors import Forbidden, NotFound


class Permission(StrEnum):
    """Something that some roles allow."""

    RUN_LAUNCH = "run.launch"
    RUN_SEE_OWN = "run.see_own"
    RUN_SEE_ANY = "run.see_any"
    RUN_CONTROL_OWN = "run.control_own"
    RUN_CONTROL_ANY = "run.control_any"
    RUN_SCREENS_OWN = "run.screens_own"
    RUN_SCREENS_ANY = "run.screens_any"
    HOSTS_SEE = "hosts.see"
    HOSTS_CHANGE = "hosts.change"
    SHOPS_SEE = "shops.see"
    SHOPS_CHANGE = "shops.change"
    REQUIREMENTS_SEE_SHARED = "requirements.see_shared"
    REQUIREMENTS_CHANGE_OWN = "requirements.change_own"
    REQUIREMENTS_ANY = "requirements.any"
    WAITLIST_SEE = "waitlist.see"
    WAITLIST_CHANGE = "waitlist.change"
    USERS_SEE = "users.see"
    USERS_CHANGE = "users.change"
    USERS_UNLOCK = "users.unlock"
    USERS_INVITE = "users.invite"
    TABLES_SEE = "tables.see"
    TABLES_CHANGE = "tables.change"
    AUDIT_SEE = "audit.see"


_P = Permission
_ADMIN, _OPERATOR, _SHOP, _ANALYST, _SUPPORT, _VIEWER = (
    Role.ADMIN,
    Role.OPERATOR,
    Role.SHOP_OPERATOR,
    Role.ANALYST,
    Role.SUPPORT,
    Role.VIEWER,
)

ROLES: Final[Mapping[str, frozenset[Role]]] = {
    _P.RUN_LAUNCH: frozenset({_ADMIN, _OPERATOR}),
    _P.RUN_SEE_OWN: frozenset({_ADMIN, _OPERATOR}),
    _P.RUN_SEE_ANY: frozenset({_ADMIN, _OPERATOR, _SUPPORT}),
    _P.RUN_CONTROL_OWN: frozenset({_ADMIN, _OPERATOR}),
    _P.RUN_CONTROL_ANY: frozenset({_ADMIN}),
    _P.RUN_SCREENS_OWN: frozenset({_ADMIN, _OPERATOR}),
    _P.RUN_SCREENS_ANY: frozenset({_ADMIN}),
    _P.HOSTS_SEE: frozenset({_ADMIN, _OPERATOR, _SUPPORT}),
    _P.HOSTS_CHANGE: frozenset({_ADMIN}),
    _P.SHOPS_SEE: frozenset({_ADMIN, _SHOP, _SUPPORT, _VIEWER}),
    _P.SHOPS_CHANGE: frozenset({_ADMIN, _SHOP}),
    _P.REQUIREMENTS_SEE_SHARED: frozenset({_ADMIN, _ANALYST, _VIEWER}),
    _P.REQUIREMENTS_CHANGE_OWN: frozenset({_ADMIN, _ANALYST}),
    _P.REQUIREMENTS_ANY: frozenset({_ADMIN}),
    _P.WAITLIST_SEE: frozenset({_ADMIN, _SUPPORT, _VIEWER}),
    _P.WAITLIST_CHANGE: frozenset({_ADMIN, _SUPPORT}),
    _P.USERS_SEE: frozenset({_ADMIN, _SUPPORT}),
    _P.USERS_CHANGE: frozenset({_ADMIN}),
    _P.USERS_UNLOCK: frozenset({_ADMIN, _SUPPORT}),
    _P.USERS_INVITE: frozenset({_ADMIN, _SUPPORT}),
    _P.TABLES_SEE: frozenset({_ADMIN, _SUPPORT}),
    _P.TABLES_CHANGE: frozenset({_ADMIN}),
    _P.AUDIT_SEE: frozenset({_ADMIN}),
}

# Who may see the thing is told plainly that they may not change it; to others it does not exist.
SEEN_BY: Final[Mapping[str, str]] = {
    _P.RUN_LAUNCH: _P.RUN_SEE_ANY,
    _P.RUN_CONTROL_OWN: _P.RUN_SEE_OWN,
    _P.RUN_CONTROL_ANY: _P.RUN_SEE_ANY,
    _P.RUN_SCREENS_OWN: _P.RUN_SEE_OWN,
    _P.RUN_SCREENS_ANY: _P.RUN_SEE_ANY,
    _P.HOSTS_CHANGE: _P.HOSTS_SEE,
    _P.SHOPS_CHANGE: _P.SHOPS_SEE,
    _P.REQUIREMENTS_CHANGE_OWN: _P.REQUIREMENTS_SEE_SHARED,
    _P.WAITLIST_CHANGE: _P.WAITLIST_SEE,
    _P.USERS_CHANGE: _P.USERS_SEE,
    _P.USERS_UNLOCK: _P.USERS_SEE,
    _P.USERS_INVITE: _P.USERS_SEE,
    _P.TABLES_CHANGE: _P.TABLES_SEE,
}


def allowed(user: User | Anonymous, permission: str) -> bool:
    """Whether a role of this user allows it. Raises `KeyError` for a permission that is not in the table: a bug."""
    return user.is_active and bool(user.roles & ROLES[permission])


def require(user: User | Anonymous, permission: str) -> None:
    """Raise `Forbidden` where the user may see such a thing but not do this, `NotFound` where not even that."""
    if allowed(user, permission):
        return
    if permission in SEEN_BY and allowed(user, SEEN_BY[permission]):
        raise Forbidden("You may see this, but your role does not allow you to do this. Ask an administrator.")
    raise NotFound("There is no such page, or you may not see it.")
