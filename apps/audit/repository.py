"""The audit log: written in the transaction of the change, read by object, by actor and by day."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from ulid import ULID

from apps.audit.entities import Actor, AuditEntry, blanked
from apps.audit.tables import AUDIT_LOG
from apps.storage.conditions import Query
from apps.storage.page import Page
from apps.storage.repository import Repository
from apps.storage.writes import Write

_NOTHING: Mapping[str, Any] = {}


class AuditLog(Repository[AuditEntry]):
    """Who did what. Entries are kept for `AUDIT_RETENTION_DAYS`, or for ever where the setting is absent."""

    entity = AuditEntry
    table = AUDIT_LOG
    noun = "audit entry"

    def recording(
        self,
        object: str,  # noqa: A002  (the attribute's own name)
        *,
        action: str,
        actor: Actor,
        at: datetime,
        before: Mapping[str, Any] = _NOTHING,
        after: Mapping[str, Any] = _NOTHING,
    ) -> Write:
        """The write that records this, to go into the transaction of the change. Secrets are blanked here."""
        days = getattr(settings, "AUDIT_RETENTION_DAYS", None)
        entry = AuditEntry(
            object=object,
            entry=str(ULID.from_datetime(at)),
            action=action,
            at=at,
            actor_id=actor.actor_id,
            actor_name=actor.name,
            address=actor.address,
            before=blanked(before),
            after=blanked(after),
            expires_at=at + timedelta(days=days) if days else None,
        )
        return self.adding(entry)

    def of(self, object: str, *, limit: int = 50, cursor: str | None = None) -> Page[AuditEntry]:  # noqa: A002
        """What was done to this object, newest first. Raises `BadCursor`."""
        return self.page(Query(partition=object, descending=True), limit=limit, cursor=cursor)

    def by(self, actor_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[AuditEntry]:
        """What this actor did, newest first, without before and after. Raises `BadCursor`."""
        query = Query(partition=actor_id, index="actor_id-entry-index", descending=True)
        return self.page(query, limit=limit, cursor=cursor)

    def on(self, day: date, *, limit: int = 50, cursor: str | None = None) -> Page[AuditEntry]:
        """What was done on this UTC day, newest first, without before and after. Raises `BadCursor`."""
        query = Query(partition=day.isoformat(), index="day-entry-index", descending=True)
        return self.page(query, limit=limit, cursor=cursor)
