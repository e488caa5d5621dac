"""Every repository that a season touches, as one value to hand around."""

from dataclasses import dataclass

from apps.accounts.repository import Users
from apps.assessments.repository import Assessments, Plans, Reports, Seasons
from apps.audit.repository import AuditLog
from apps.ladders.repository import LadderVersions
from apps.storage.connection import Store
from apps.teams.repository import Memberships, Teams


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Repositories on one store."""

    store: Store
    plans: Plans
    assessments: Assessments
    reports: Reports
    seasons: Seasons
    ladders: LadderVersions
    teams: Teams
    memberships: Memberships
    users: Users
    audit: AuditLog


def stores_on(store: Store) -> Stores:
    """The repositories on this store."""
    return Stores(
        store=store,
        plans=Plans(store),
        assessments=Assessments(store),
        reports=Reports(store),
        seasons=Seasons(store),
        ladders=LadderVersions(store),
        teams=Teams(store),
        memberships=Memberships(store),
        users=Users(store),
        audit=AuditLog(store),
    )
