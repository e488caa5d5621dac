"""People for a developer's machine: one for each kind of work, and an organisation of forty."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from apps.accounts.entities import Role, User
from apps.accounts.passwords import Passwords
from apps.accounts.repository import Users
from apps.accounts.services import create_user
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.errors import Forbidden
from apps.storage.connection import Store
from apps.storage.errors import Duplicate
from apps.storage.transaction import Transaction

DEMO_PASSWORD: Final = "rungs-demo-2026"  # noqa: S105  (documented, and refused outside dev)
DEMO_ACTOR: Final = Actor(actor_id="command:demo", name="demo data")
DEMO_USERS: Final = (
    ("Ada Admin", "ada@example.org", (Role.ADMIN,)),
    ("Olga Operator", "olga@example.org", (Role.OPERATOR,)),
    ("Oskar Operator", "oskar@example.org", (Role.OPERATOR,)),
    ("Sam Support", "sam@example.org", (Role.SUPPORT,)),
    ("Vera Viewer", "vera@example.org", (Role.VIEWER,)),
)
DEMO_MANAGERS: Final = ("Mara Lindholm", "Ngozi Ekwueme", "Hiro Tanabe", "Leila Farahani")
DEMO_MANAGING_MEMBER: Final = "Tomasz Brodka"  # leads one team and is in another
DEMO_MEMBERS: Final = (
    "Timo Kellermann",
    "Aino Salmela",
    "Bilal Haddad",
    "Carmen Ibarra",
    "Dmitri Volkanov",
    "Esi Mensah",
    "Fatima Zahrani",
    "Gustav Nyberg",
    "Hana Kobayakawa",
    "Inês Carvalho",
    "Jonas Weidler",
    "Kamala Iyer",
    "Luca Ferrante",
    "Mei Zhuang",
    "Nadia Petrenko",
    "Walid Benali",
    "Priya Raghunath",
    "Quentin Marchal",
    "Rosa Quispe",
    "Søren Dalgaard",
    "Tariq Aslam",
    "Uma Devanand",
    "Viktor Hradec",
    "Wanjiru Kamau",
    "Ximena Rojas",
    "Yusuf Demirci",
    "Zofia Leśniak",
    "Amara Diallo",
    "Bruno Tavares",
    "Chloé Beaumont",
    "Dara Oakley",
    "Emre Aydoğan",
    "Freya Hollis",
    "Goran Babić",
    "Helga Brandt",
)
_ORGANISATION: Final = uuid.UUID("0c9b6a52-6d3e-4c39-9d0e-5b6f0d7e41aa")
_ASCII: Final = str.maketrans("êøśéğć", "eosegc")
_A_TRANSACTION: Final = 30  # each person is three items: user, guard of the address, audit entry


class _OneHash(Passwords):
    """Makes one hash and gives it to everybody: for people who share a published password anyway."""

    _made = ""

    def hashed(self, password: str) -> str:
        self._made = self._made or super().hashed(password)
        return self._made


def seed_demo_users(store: Store, now: datetime) -> list[tuple[str, str, frozenset[Role]]]:
    """Make the demo users that are missing, all with `DEMO_PASSWORD`, and return name, e-mail and roles of all.

    Raises `Forbidden` where the store is not of the environment dev.
    """
    _refuse_outside_dev(store)
    users, audit, passwords = Users(store), AuditLog(store), _OneHash()
    for name, email, roles in DEMO_USERS:
        if users.by_email(email) is not None:
            continue
        try:
            create_user(
                users,
                email=email,
                name=name,
                roles=roles,
                password=DEMO_PASSWORD,
                actor=DEMO_ACTOR,
                now=now,
                passwords=passwords,
                audit=audit,
            )
        except Duplicate:  # another process seeds at the same time
            continue
    return [(name, email, frozenset(roles)) for name, email, roles in DEMO_USERS]


def demo_email(name: str) -> str:
    """The address of somebody of the demo organisation: their first name."""
    return f"{name.split(maxsplit=1)[0].casefold().translate(_ASCII)}@example.org"


def seed_demo_organisation(store: Store, *, joined_at: datetime) -> Mapping[str, str]:
    """Make those of the forty who are missing, all with `DEMO_PASSWORD`; returns the user id of each by name.

    Who has the address of one of them already stands in for them. Raises `Forbidden` outside dev.
    """
    _refuse_outside_dev(store)
    users, audit = Users(store), AuditLog(store)
    ids: dict[str, str] = {}
    missing: list[User] = []
    password_hash = ""
    for name, roles in _organisation().items():
        found = users.by_email(demo_email(name))
        if found is None:
            password_hash = password_hash or Passwords().hashed(DEMO_PASSWORD)
            found = _person(name, roles, joined_at=joined_at).evolve(password_hash=password_hash)
            missing.append(found)
        ids[name] = found.user_id
    for start in range(0, len(missing), _A_TRANSACTION):
        made = Transaction(store)
        for user in missing[start : start + _A_TRANSACTION]:
            made.include(users.adding(user))
            after = {"email": user.email, "name": user.name, "roles": user.roles}
            object_of = f"Users#{user.user_id}"
            made.include(audit.recording(object_of, action="user.created", actor=DEMO_ACTOR, at=joined_at, after=after))
        made.commit()
    return ids


def _organisation() -> dict[str, frozenset[Role]]:
    return {
        **{name: frozenset({Role.MANAGER}) for name in DEMO_MANAGERS},
        DEMO_MANAGING_MEMBER: frozenset({Role.MANAGER, Role.TEAM_MEMBER}),
        **{name: frozenset({Role.TEAM_MEMBER}) for name in DEMO_MEMBERS},
    }


def _person(name: str, roles: frozenset[Role], *, joined_at: datetime) -> User:
    email = demo_email(name)
    return User(
        user_id=str(uuid.uuid5(_ORGANISATION, email)),
        email=email,
        name=name,
        roles=roles,
        created_at=joined_at,
        updated_at=joined_at,
        created_by=DEMO_ACTOR.actor_id,
    )


def _refuse_outside_dev(store: Store) -> None:
    if store.environment != "dev":
        raise Forbidden("Demo users have a published password: they exist only where RUNGS_ENV is dev.")
