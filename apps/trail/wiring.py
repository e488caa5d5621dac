"""Where the default parts are made, on the process's own store."""

from apps.audit.repository import AuditLog
from apps.storage import connection


def audit_log() -> AuditLog:
    """The audit log."""
    return AuditLog(connection.default_store())
