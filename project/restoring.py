"""Bringing back what was deleted, whatever table it was in."""

from datetime import datetime

from apps.accounts.entities import User
from apps.accounts.permissions import Permission, require
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.errors import NotFound
from apps.storage.connection import Store
from apps.storage.registry import declared_repositories
from apps.storage.trash import Deleted
from apps.storage.unique import owner_key


def restore_deleted(
    store: Store, *, deleted: Deleted, user: User, actor: Actor, now: datetime, audit: AuditLog
) -> None:
    """Put a deleted item back into its table, with the entry that says so.

    Raises `NotFound` and `Forbidden`, `ItemNotFound` where it is no longer kept, `AlreadyExists` where something has
    its key by now, `Duplicate` where something else has its unique value.
    """
    require(user, Permission.TABLES_CHANGE)
    kinds = [kind for kind in declared_repositories() if kind.table.name == deleted.table]
    if len(kinds) != 1:
        raise NotFound(f"{deleted.table} holds nothing, or things of several kinds: its own pages restore them.")
    repository = kinds[0](store)
    owner = deleted.item.removeprefix(f"{deleted.table}#")
    entry = audit.recording(deleted.item, action="item.restored", actor=actor, at=now)
    repository.restore(owner_key(repository.table, owner), entry)
