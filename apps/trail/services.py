"""What is recorded about reading the record."""

from datetime import datetime

from apps.audit.entities import Actor
from apps.audit.repository import AuditLog, Selection
from apps.storage.transaction import Transaction

EXPORTS = "AuditLog#exports"


def note_export(audit: AuditLog, *, selection: Selection, most: int, actor: Actor, now: datetime) -> None:
    """Record that somebody takes these entries away, at most so many of them: before the first one is sent."""
    after = {
        "object": selection.object or None,
        "actor_id": selection.actor_id or None,
        "day": selection.day and selection.day.isoformat(),
        "action": selection.action or None,
        "at_most": most,
    }
    entry = audit.recording(EXPORTS, action="audit.exported", actor=actor, at=now, after=after)
    Transaction(audit.store, entry).commit()
