"""Deleted items that can be restored: moved here in the transaction that deletes them.

They leave their own table for good, and with it every index and list: nothing has to filter them out. The content is
kept as it was stored; what was encrypted stays encrypted, and opens again only where it came from.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.storage.conditions import Query
from apps.storage.entity import Entity, Expiry, Instant
from apps.storage.items.codec import decode_any, encode_any
from apps.storage.page import Page
from apps.storage.requests.writing import Writer
from apps.storage.table import Table
from apps.storage.tables import TRASH
from apps.storage.unique import owner_text


class Deleted(Entity):
    """A deleted item: `item` names table and key (`Teams#42`); `content` is empty when read from a list."""

    item: str
    table: str
    deleted_at: Instant
    deleted_by: str = ""
    expires_at: Expiry
    content: Mapping[str, Any] = {}

    @property
    def stored(self) -> dict[str, Any]:
        """The item as it was stored, in DynamoDB's JSON."""
        return {name: encode_any(value) for name, value in self.content.items()}


class Trash(Writer[Deleted]):
    """The deleted items, by table and key; each until its time is up."""

    entity = Deleted
    table = TRASH
    noun = "deleted item"

    def of(self, table: Table, *, limit: int = 50, cursor: str | None = None) -> Page[Deleted]:
        """What was deleted from a table, the latest first, without content."""
        query = Query(partition=table.name, index="table-deleted_at-index", descending=True)
        return self.page(query, limit=limit, cursor=cursor)


def place_in_trash(table: Table, key: Mapping[str, Any]) -> str:
    """The key under which an item of this table with this key (DynamoDB's JSON) is kept."""
    return f"{table.name}#{owner_text(key)}"


def deleted(
    table: Table, stored: Mapping[str, Any], *, key: Mapping[str, Any], now: datetime, until: datetime, by: str
) -> Deleted:
    """A stored item (DynamoDB's JSON) as it goes to the trash."""
    return Deleted(
        item=place_in_trash(table, key),
        table=table.name,
        deleted_at=now,
        deleted_by=by,
        expires_at=until,
        content={name: decode_any(json) for name, json in stored.items()},
    )
