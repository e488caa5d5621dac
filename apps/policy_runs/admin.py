"""The hosts that runs may go to, in the back office: here, since what may be done with them depends on roles."""

from collections.abc import Mapping
from typing import ClassVar

from apps.accounts.permissions import Permission
from apps.console.entity_admin import EntityAdmin
from apps.terminal.entities import Host
from apps.terminal.repository import Hosts


class HostAdmin(EntityAdmin[Host]):
    """Few rows, in the table's own order."""

    repository = Hosts
    sees = Permission.HOSTS_SEE
    labels: ClassVar[Mapping[str, str]] = {
        "host_name": "name",
        "use_tls": "TLS",
        "sessions_at_once": "sessions of one run",
        "sessions_a_user_id": "sessions of one user id (0: any number)",
    }
    list_display = ("host_name", "description", "address", "port", "use_tls", "enabled")
