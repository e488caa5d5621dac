"""Every repository that teams touch, as one value to hand around."""

from dataclasses import dataclass

from apps.accounts.repository import Users
from apps.audit.repository import AuditLog
from apps.storage.connection import Store
from apps.teams.repository import Memberships, Teams


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Repositories on one store."""

    store: Store
    teams: Teams
    memberships: Memberships
    users: Users
    audit: AuditLog


def stores_on(store: Store) -> Stores:
    """The repositories on this store."""
    return Stores(
        store=store,
        teams=Teams(store),
        memberships=Memberships(store),
        users=Users(store),
        audit=AuditLog(store),
    )
