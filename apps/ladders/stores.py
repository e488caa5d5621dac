"""Every repository that ladders touch, as one value to hand around."""

from dataclasses import dataclass

from apps.accounts.repository import Users
from apps.audit.repository import AuditLog
from apps.ladders.repository import LadderVersions
from apps.storage.connection import Store
from apps.storage.pointers import Pointers


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Repositories on one store."""

    store: Store
    ladders: LadderVersions
    pointers: Pointers
    users: Users
    audit: AuditLog


def stores_on(store: Store) -> Stores:
    """The repositories on this store."""
    return Stores(
        store=store,
        ladders=LadderVersions(store),
        pointers=Pointers(store),
        users=Users(store),
        audit=AuditLog(store),
    )
