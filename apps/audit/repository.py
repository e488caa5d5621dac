"""The audit log: written in the transaction of the change, read by object, by actor and by day."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NoReturn

from django.conf import settings
from ulid import ULID

from apps.audit.entities import Actor, AuditEntry, blanked
from apps.audit.tables import AUDIT_LOG
from apps.storage.conditions import Query, SortKey, attribute, between, everything
from apps.storage.page import Page
from apps.storage.repository import Repository
from apps.storage.requests.paging import READ_BUDGET_ITEMS
from apps.storage.writes import Write

ONLY_ADDED = "entries of the audit log are added, never changed or deleted"
_NOTHING: Mapping[str, Any] = {}
_ULID_TIME = 10  # the characters that tell when; the rest is random
_ULID_REST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which entries: of an object, by an actor, on a UTC day, of actions that begin so; all that is given must hold.

    One of the first three has to be given: each is answered by a key or an index. The rest is a range or a filter.
    """

    object: str = ""
    actor_id: str = ""
    day: date | None = None
    action: str = ""

    def query(self) -> Query:
        """The question to the store, newest first. Raises `ValueError` where nothing but an action is given."""
        action = attribute("action").begins_with(self.action) if self.action else None
        moments = _moments(self.day) if self.day else None
        if self.object:
            actor = attribute("actor_id").equals(self.actor_id) if self.actor_id else None
            return Query(partition=self.object, sort=moments, descending=True, filter=everything(action, actor))
        if self.actor_id:
            index = "actor_id-entry-index"
            return Query(partition=self.actor_id, index=index, sort=moments, descending=True, filter=action)
        if self.day is None:
            raise ValueError("name an object, an actor or a day")
        return Query(partition=self.day.isoformat(), index="day-entry-index", descending=True, filter=action)


class AuditLog(Repository[AuditEntry]):
    """Who did what. Entries are kept for `AUDIT_RETENTION_DAYS`, or for ever where the setting is None.

    They are only ever added: every other write raises `TypeError`, alone and in a transaction.
    """

    entity = AuditEntry
    table = AUDIT_LOG
    noun = "audit entry"

    def recording(
        self,
        object: str,  # noqa: A002  (the attribute's own name)
        *,
        action: str,
        actor: Actor,
        at: datetime,
        before: Mapping[str, Any] = _NOTHING,
        after: Mapping[str, Any] = _NOTHING,
    ) -> Write:
        """The write that records this, to go into the transaction of the change. Secrets are blanked here."""
        days = settings.AUDIT_RETENTION_DAYS
        entry = AuditEntry(
            object=object,
            entry=str(ULID.from_datetime(at)),
            action=action,
            at=at,
            actor_id=actor.actor_id,
            actor_name=actor.name,
            address=actor.address,
            via=actor.via,
            before=blanked(before),
            after=blanked(after),
            expires_at=at + timedelta(days=days) if days else None,
        )
        return self.adding(entry)

    def putting(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Raise `TypeError`, as do the other three: what writes is made by these and by `adding`."""
        raise TypeError(ONLY_ADDED)

    saving = updating = deleting = _write_batches = putting

    def of(self, object: str, *, limit: int = 50, cursor: str | None = None) -> Page[AuditEntry]:  # noqa: A002
        """What was done to this object, newest first. Raises `BadCursor`."""
        return self.page(Query(partition=object, descending=True), limit=limit, cursor=cursor)

    def by(self, actor_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[AuditEntry]:
        """What this actor did, newest first, without before and after. Raises `BadCursor`."""
        query = Query(partition=actor_id, index="actor_id-entry-index", descending=True)
        return self.page(query, limit=limit, cursor=cursor)

    def on(self, day: date, *, limit: int = 50, cursor: str | None = None) -> Page[AuditEntry]:
        """What was done on this UTC day, newest first, without before and after. Raises `BadCursor`."""
        query = Query(partition=day.isoformat(), index="day-entry-index", descending=True)
        return self.page(query, limit=limit, cursor=cursor)

    def selected(
        self, selection: Selection, *, limit: int = 50, cursor: str | None = None, budget: int = READ_BUDGET_ITEMS
    ) -> Page[AuditEntry]:
        """What was selected, newest first, whole entries: what an index does not carry is read by key, in one request.

        With a filter it looks at `budget` entries at most and says so in the page. Raises `BadCursor`.
        """
        query = selection.query()
        page = self.page(query, limit=limit, cursor=cursor, budget=budget)
        if query.index is None or not page.items:
            return page
        return replace(page, items=self.get_many((entry.object, entry.entry) for entry in page.items))


def _moments(day: date) -> SortKey:
    """The range of the ULIDs of a UTC day."""
    start = datetime.combine(day, time(), tzinfo=UTC)
    end = start + timedelta(days=1) - timedelta(milliseconds=1)
    first, last = (str(ULID.from_datetime(moment))[:_ULID_TIME] for moment in (start, end))
    return between(first + "0" * _ULID_REST, last + "Z" * _ULID_REST)
