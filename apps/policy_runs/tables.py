"""Where runs, their results and their secrets are stored."""

from apps.storage.table import Index, Key, Recovery, Table

_LISTED = (
    "session_id",
    "user_id",
    "ast_name",
    "host_name",
    "status",
    "control",
    "progress",
    "total_items",
    "completed_items",
    "success_count",
    "failed_count",
    "skipped_count",
    "unknown_count",
    "created_at",
    "started_at",
    "completed_at",
)

AST_REGISTRY = Table(
    name="AstRegistry",
    partition_key=Key("ast_name"),
    description="The Automated Streamlined Transactions that the code offers.",
)
AST_EXECUTIONS = Table(
    name="AstExecutions",
    partition_key=Key("execution_id"),
    indexes=(
        Index(
            name="session_id-index",
            partition_key=Key("session_id"),
            question="Which runs used this host session?",
        ),
        Index(
            name="user_id-execution_id-index",
            partition_key=Key("user_id"),
            sort_key=Key("execution_id"),
            include=tuple(name for name in _LISTED if name != "user_id"),
            question="Which runs did this user start, newest first?",
        ),
        Index(
            name="board-execution_id-index",
            partition_key=Key("board"),
            sort_key=Key("execution_id"),
            include=_LISTED,
            question="Which runs are there, newest first?",
        ),
        Index(
            name="status-execution_id-index",
            partition_key=Key("status"),
            sort_key=Key("execution_id"),
            include=tuple(name for name in _LISTED if name != "status"),
            question="Which runs are in this state, newest first?",
        ),
        Index(
            name="parent_execution_id-index",
            partition_key=Key("parent_execution_id"),
            include=("status", "total_items", "created_at"),
            question="Which runs retry this one?",
        ),
        Index(
            name="under_way-execution_id-index",
            partition_key=Key("under_way"),
            sort_key=Key("execution_id"),
            include=_LISTED,
            question="Which runs have not ended, newest first?",
        ),
        Index(
            name="queue-available_at-index",
            partition_key=Key("queue"),
            sort_key=Key("available_at"),
            include=(),
            question="Which runs wait for a worker, longest first?",
        ),
    ),
    recovery=Recovery.EVERYWHERE,
    description="Runs: what was started, by whom, and how far it is.",
)
POLICY_RESULTS = Table(
    name="PolicyResults",
    partition_key=Key("execution_id"),
    sort_key=Key("policy_number"),
    indexes=(
        Index(
            name="execution_id-status_key-index",
            partition_key=Key("execution_id"),
            sort_key=Key("status_key"),
            include=("status", "started_at", "completed_at", "duration_ms", "attempt", "error", "expires_at"),
            question="Which policies of this run are in this state, by number?",
        ),
        Index(
            name="policy_number-execution_id-index",
            partition_key=Key("policy_number"),
            sort_key=Key("execution_id"),
            include=("status", "completed_at", "duration_ms", "error", "expires_at"),
            question="What became of this policy, run by run?",
        ),
    ),
    ttl="expires_at",
    recovery=Recovery.EVERYWHERE,
    description="What became of each policy of a run, with the screens it went through.",
)
RUN_SECRETS = Table(
    name="RunSecrets",
    partition_key=Key("execution_id"),
    ttl="expires_at",
    recovery=Recovery.NEVER,
    description="Host credentials of a run, encrypted, while it lives.",
)

TABLES = (AST_REGISTRY, AST_EXECUTIONS, POLICY_RESULTS, RUN_SECRETS)
