"""Every repository that a run touches, as one value to hand around."""

from dataclasses import dataclass

from apps.audit.repository import AuditLog
from apps.policy_runs.repository import AstRegistrations, Executions, Results, RunSecrets
from apps.storage.connection import Store
from apps.storage.unique import Guards
from apps.terminal.repository import Hosts, HostSlots, Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Repositories on one store; `leases` are the runs for those who hurry."""

    store: Store
    executions: Executions
    leases: Executions
    results: Results
    secrets: RunSecrets
    asts: AstRegistrations
    hosts: Hosts
    sessions: Sessions
    slots: HostSlots
    guards: Guards
    audit: AuditLog


def stores_on(store: Store) -> Stores:
    """The repositories on this store."""
    return Stores(
        store=store,
        executions=Executions(store),
        leases=Executions(store.prompt()),
        results=Results(store),
        secrets=RunSecrets(store),
        asts=AstRegistrations(store),
        hosts=Hosts(store),
        sessions=Sessions(store),
        slots=HostSlots(store),
        guards=Guards(store),
        audit=AuditLog(store),
    )
