"""The hosts that runs may go to, in the back office: here, since what may be done with them depends on roles."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.http import HttpRequest

from apps.accounts.middleware import actor_of, signed_in_user
from apps.accounts.permissions import Permission
from apps.console.entity_admin import EntityAdmin
from apps.policy_runs.hosts import add_host, change_host, remove_host
from apps.policy_runs.wiring import default_stores
from apps.terminal.entities import Host
from apps.terminal.repository import Hosts


class HostAdmin(EntityAdmin[Host]):
    """Few rows, in the table's own order."""

    repository = Hosts
    sees = Permission.HOSTS_SEE
    changes = Permission.HOSTS_CHANGE
    sees_history = Permission.AUDIT_SEE
    labels: ClassVar[Mapping[str, str]] = {
        "host_name": "name",
        "use_tls": "TLS",
        "sessions_at_once": "sessions of one run",
        "sessions_a_user_id": "sessions of one user id (0: any number)",
    }
    list_display = ("host_name", "description", "address", "port", "use_tls", "enabled")

    def create(self, request: HttpRequest, entity: Host) -> Host:
        """Add a host."""
        return add_host(default_stores().hosts, host=entity, **_by(request))

    def change(self, request: HttpRequest, *, before: Host, after: Host) -> Host:
        """Change a host."""
        return change_host(default_stores().hosts, before=before, after=after, **_by(request))

    def remove(self, request: HttpRequest, entity: Host) -> None:
        """Delete a host."""
        remove_host(default_stores().hosts, host=entity, **_by(request))


def _by(request: HttpRequest) -> dict[str, Any]:
    """Who does it, from where and when, and where that is noted."""
    who = {"user": signed_in_user(request), "actor": actor_of(request)}
    return {**who, "now": datetime.now(UTC), "audit": default_stores().audit}
