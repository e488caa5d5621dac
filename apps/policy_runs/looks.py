"""Who looked at a run's screens, and who took its results away: recorded before anything is shown."""

from datetime import datetime, timedelta

from apps.accounts.throttle import Bucket, Buckets
from apps.audit.entities import Actor
from apps.policy_runs.entities import AstExecution, PolicyStatus
from apps.policy_runs.stores import Stores
from apps.storage.errors import AlreadyExists
from apps.storage.transaction import Transaction

ONE_LOOK = timedelta(minutes=10)


def note_screens_seen(stores: Stores, *, run: AstExecution, policy_number: str, actor: Actor, now: datetime) -> None:
    """Record that somebody looks at the screens or the data of a run's policies.

    Whoever leafs through a run makes one entry in ten minutes, from each address and by each token, which names the
    policy that they began with. A second look costs one small read.
    """
    buckets = Buckets(stores.store, clock=lambda: now)
    name = f"screens#{run.execution_id}#{actor.actor_id}#{actor.address}#{actor.via}"
    if buckets.find(name) is not None:
        return
    entry = stores.audit.recording(
        object_of(run),
        action="run.screens_seen",
        actor=actor,
        at=now,
        after={"first_policy_number": policy_number},
    )
    try:
        Transaction(stores.store, buckets.adding(Bucket(bucket=name, expires_at=now + ONE_LOOK)), entry).commit()
    except AlreadyExists:
        return  # another request of theirs was faster


def note_export(stores: Stores, *, run: AstExecution, status: PolicyStatus | None, actor: Actor, now: datetime) -> None:
    """Record that somebody takes a run's results away: all, or those in one state."""
    after = {"results": status.value if status else "all", "policies": run.total_items}
    entry = stores.audit.recording(object_of(run), action="run.exported", actor=actor, at=now, after=after)
    Transaction(stores.store, entry).commit()


def object_of(run: AstExecution) -> str:
    """The run as the audit log names it."""
    return f"AstExecutions#{run.execution_id}"
