"""Where the first page's own state is stored."""

from apps.storage.table import Key, Recovery, Table

HEALTH_CHECKS = Table(
    name="HealthChecks",
    partition_key=Key("subject"),
    recovery=Recovery.NEVER,
    description="How things were when the worker last looked at them, so that no page has to.",
)

TABLES = (HEALTH_CHECKS,)
