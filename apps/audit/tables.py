"""Where the audit log is stored."""

from apps.storage.table import Index, Key, Recovery, Table

AUDIT_LOG = Table(
    name="AuditLog",
    partition_key=Key("object"),
    sort_key=Key("entry"),
    indexes=(
        Index(
            name="actor_id-entry-index",
            partition_key=Key("actor_id"),
            sort_key=Key("entry"),
            include=("action", "at", "expires_at"),
            question="What did this person do?",
        ),
        Index(
            name="day-entry-index",
            partition_key=Key("day"),
            sort_key=Key("entry"),
            include=("action", "at", "actor_id", "expires_at"),
            question="What was done on this day?",
        ),
    ),
    ttl="expires_at",
    recovery=Recovery.EVERYWHERE,
    description="Who did what to which object, and when.",
)

TABLES = (AUDIT_LOG,)
