"""Tables that serve every domain rather than one."""

from apps.storage.table import Index, Key, Recovery, Table

UNIQUES = Table(
    name="Uniques",
    partition_key=Key("guard"),
    description="Guard items: one for each value that must be unique, written with what it guards.",
)
POINTERS = Table(
    name="Pointers",
    partition_key=Key("name"),
    description="Named states that every process must read consistently.",
)
WEB_SESSIONS = Table(
    name="WebSessions",
    partition_key=Key("session_hash"),
    indexes=(
        Index(
            name="user_id-index",
            partition_key=Key("user_id"),
            include=("created_at", "last_seen_at", "device", "expires_at"),
            question="Where is this user signed in?",
        ),
    ),
    ttl="expires_at",
    recovery=Recovery.NEVER,
    description="Signed-in browsers, by the SHA-256 of the session key.",
)
RATE_LIMITS = Table(
    name="RateLimits",
    partition_key=Key("bucket"),
    ttl="expires_at",
    recovery=Recovery.NEVER,
    description="Counters that slow guessing down.",
)
CHECKPOINTS = Table(
    name="Checkpoints",
    partition_key=Key("task"),
    recovery=Recovery.NEVER,
    description="How far long work over a whole table has come, and what failed in it.",
)
TRASH = Table(
    name="Trash",
    partition_key=Key("item"),
    indexes=(
        Index(
            name="table-deleted_at-index",
            partition_key=Key("table"),
            sort_key=Key("deleted_at"),
            include=("deleted_by", "expires_at"),
            question="What was deleted from this table, and when?",
        ),
    ),
    ttl="expires_at",
    description="Deleted items that can still be restored, by table and key.",
)

TABLES = (UNIQUES, POINTERS, WEB_SESSIONS, RATE_LIMITS, CHECKPOINTS, TRASH)
