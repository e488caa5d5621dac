"""The queue of open work and the conditional writes that decide who does it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from apps.jobs.entities import CLOCK_SKEW, LEASE, Control, Job
from apps.storage.conditions import Condition, Query, Update, at_most, attribute
from apps.storage.errors import ConditionFailed, ItemNotFound
from apps.storage.repository import Repository
from apps.storage.transaction import Transaction
from apps.storage.writes import Write

J = TypeVar("J", bound=Job)


class JobRepository(Repository[J]):
    """Work in a table with a sparse index of what is open; a subclass names its entity, table and index."""

    queue_index = "queue-available_at-index"

    def waiting(self, *, now: datetime, limit: int) -> list[str]:
        """Keys of work that may be taken, longest waiting first; the index may lag, so claiming decides."""
        query = Query(partition="open", index=self.queue_index, sort=at_most(now))
        return [str(key) for key in self.keys(query, limit=limit)]

    def claim(self, key: str, *, owner: str, now: datetime, changes: Callable[[J], Mapping[str, Any]]) -> J | None:
        """Take the work under a new fence, with the changes that follow from what it was; None if another was first.

        Decided on a consistent read and a condition on what was read, so exactly one of many workers wins.
        """
        found = self.find(key, consistent=True)
        if found is None or not found.is_available(now):
            return None
        until = now + LEASE
        lease = {"lease_owner": owner, "lease_until": until, "available_at": until + CLOCK_SKEW}
        unchanged = attribute("fence").equals(found.fence) & attribute("available_at").equals(found.available_at)
        try:
            return self.update(
                key,
                Update(set={**lease, "fence": found.fence + 1, **changes(found)}),
                condition=unchanged & attribute("queue").equals("open"),
                mine=("lease_owner",),
            )
        except (ConditionFailed, ItemNotFound):
            return None

    def renew(self, job_key: str, *, owner: str, fence: int, now: datetime, changes: Mapping[str, Any]) -> J:
        """Extend the lease, with these changes, and return the work with its present control.

        Raises `ConditionFailed` where the lease is no longer ours.
        """
        until = now + LEASE
        lease = {"lease_until": until, "available_at": until + CLOCK_SKEW}
        return self.update(job_key, Update(set={**lease, **changes}), condition=held_by(owner, fence))

    def let_go(
        self,
        key: str,
        *,
        owner: str,
        fence: int,
        changes: Mapping[str, Any],
        wanted: Control | None = None,
        also: Sequence[Write] = (),
    ) -> J:
        """End our lease with these changes, which say what becomes of the queue, and write `also` or neither.

        Raises `ConditionFailed` where the lease is no longer ours, or where people do not want `wanted` any more.
        """
        condition = held_by(owner, fence)
        if wanted is not None:
            condition &= attribute("control").equals(wanted)
        update = Update(set={"lease_owner": None, "lease_until": None, **changes})
        if not also:
            return self.update(key, update, condition=condition)
        Transaction(self.store, self.updating(key, update, condition=condition), *also).commit()
        return self.get(key, consistent=True)


def held_by(owner: str, fence: int) -> Condition:
    """The lease is this owner's, under this fence."""
    return attribute("lease_owner").equals(owner) & attribute("fence").equals(fence)
