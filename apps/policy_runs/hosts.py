"""What administrators do with hosts; each change is written together with its audit entry, or not at all."""

from datetime import datetime

from apps.accounts.entities import User
from apps.accounts.permissions import Permission, require
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.terminal.entities import Host
from apps.terminal.repository import Hosts


def add_host(hosts: Hosts, *, host: Host, user: User, actor: Actor, now: datetime, audit: AuditLog) -> Host:
    """Let runs go to a new host. Raises `AlreadyExists`, `Forbidden`, `NotFound`."""
    require(user, Permission.HOSTS_CHANGE)
    after = host.model_dump(exclude={"version"})
    return hosts.add(host, audit.recording(_object(host), action="host.added", actor=actor, at=now, after=after))


def change_host(
    hosts: Hosts, *, before: Host, after: Host, user: User, actor: Actor, now: datetime, audit: AuditLog
) -> Host:
    """Change what is known of a host. Raises `StaleVersion`, `Forbidden`, `NotFound`."""
    require(user, Permission.HOSTS_CHANGE)
    old, new = before.model_dump(), after.model_dump()
    changed = [name for name in new if new[name] != old[name]]
    entry = audit.recording(
        _object(after),
        action="host.changed",
        actor=actor,
        at=now,
        before={name: old[name] for name in changed},
        after={name: new[name] for name in changed},
    )
    return hosts.save(after, entry)


def remove_host(hosts: Hosts, *, host: Host, user: User, actor: Actor, now: datetime, audit: AuditLog) -> None:
    """Let no run go to this host any more. Raises `StaleVersion`, `Forbidden`, `NotFound`."""
    require(user, Permission.HOSTS_CHANGE)
    before = host.model_dump(exclude={"version"})
    hosts.delete(host, audit.recording(_object(host), action="host.deleted", actor=actor, at=now, before=before))


def _object(host: Host) -> str:
    return f"Hosts#{host.host_name}"
