"""The hosts that runs may go to, in the back office: here, since what may be done with them depends on roles."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.http import HttpRequest

from apps.accounts.middleware import actor_of, signed_in_user
from apps.accounts.permissions import Permission
from apps.console.entity_admin import EntityAdmin
from apps.console.lists.actions import row_action
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
    about = "The mainframes that policy runs may go to: where they answer, and how many sessions they bear."
    labels: ClassVar[Mapping[str, str]] = {
        "host_name": "name",
        "use_tls": "TLS",
        "sessions_at_once": "sessions of one run",
        "sessions_a_user_id": "sessions of one user id (0: any number)",
    }
    list_display = ("host_name", "description", "address", "port", "use_tls", "enabled")
    finds: ClassVar[Mapping[str, Callable[[str], str]]] = {"host_name": str}
    search_help_text = "Whole name"
    exports = Permission.HOSTS_CHANGE
    row_actions = ("switch_on", "switch_off")

    @row_action("Switch on", permission=Permission.HOSTS_CHANGE, done="switched on")
    def switch_on(self, request: HttpRequest, entity: Host, data: Mapping[str, Any]) -> None:
        """Let runs be started on it."""
        del data
        self._switch(request, entity, enabled=True)

    @row_action(
        "Switch off …",
        permission=Permission.HOSTS_CHANGE,
        done="switched off",
        confirm="No run can be started on them until they are switched on again. Runs under way go on.",
    )
    def switch_off(self, request: HttpRequest, entity: Host, data: Mapping[str, Any]) -> None:
        """Let no more runs be started on it."""
        del data
        self._switch(request, entity, enabled=False)

    def _switch(self, request: HttpRequest, host: Host, *, enabled: bool) -> None:
        if host.enabled is not enabled:
            self.change(request, before=host, after=host.evolve(enabled=enabled))

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
