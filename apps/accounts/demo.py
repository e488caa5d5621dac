"""People for a developer's machine, one for each kind of work."""

from datetime import datetime
from typing import Final

from apps.accounts.entities import Role
from apps.accounts.passwords import Passwords
from apps.accounts.repository import Users
from apps.accounts.services import create_user
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.errors import Forbidden
from apps.storage.connection import Store
from apps.storage.errors import Duplicate

DEMO_PASSWORD: Final = "rungs-demo-2026"  # noqa: S105  (documented, and refused outside dev)
DEMO_USERS: Final = (
    ("Ada Admin", "ada@example.org", (Role.ADMIN,)),
    ("Olga Operator", "olga@example.org", (Role.OPERATOR,)),
    ("Oskar Operator", "oskar@example.org", (Role.OPERATOR,)),
    ("Sam Support", "sam@example.org", (Role.SUPPORT,)),
    ("Vera Viewer", "vera@example.org", (Role.VIEWER,)),
)


def seed_demo_users(store: Store, now: datetime) -> list[tuple[str, str, frozenset[Role]]]:
    """Make the demo users that are missing, all with `DEMO_PASSWORD`, and return name, e-mail and roles of all.

    Raises `Forbidden` where the store is not of the environment dev.
    """
    if store.environment != "dev":
        raise Forbidden("Demo users have a published password: they exist only where RUNGS_ENV is dev.")
    users, audit, passwords = Users(store), AuditLog(store), Passwords()
    actor = Actor(actor_id="command:demo", name="demo data")
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
                actor=actor,
                now=now,
                passwords=passwords,
                audit=audit,
            )
        except Duplicate:  # another process seeds at the same time
            continue
    return [(name, email, frozenset(roles)) for name, email, roles in DEMO_USERS]
