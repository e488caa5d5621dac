"""The audit log in the back office: to be read, by nobody but administrators; it has a page of its own at `/audit/`."""

from apps.accounts.permissions import Permission
from apps.audit.entities import AuditEntry
from apps.audit.repository import AuditLog
from apps.console.entity_admin import EntityAdmin
from apps.console.lists.filters import Day, Exactly
from apps.console.lists.listings import Listing


class AuditAdmin(EntityAdmin[AuditEntry]):
    """Entries of a day, of an object, or of a person, the newest first."""

    repository = AuditLog
    plural = "audit entries"
    sees = Permission.AUDIT_SEE
    about = "Who did what and when; nobody can change it."
    listings = (
        Listing(index="day-entry-index", by=("day",), descending=True, sorts="at"),
        Listing(by=("object",), descending=True, sorts="at"),
        Listing(index="actor_id-entry-index", by=("actor_id",), descending=True, sorts="at"),
    )
    filters = (Day("day", label="Day (UTC)"), Exactly("object"), Exactly("actor_id", label="Id of who did it"))
    list_display = ("at", "action", "object")
    fields = ("object", "action", "at", "actor_id", "actor_name", "address", "via", "before", "after", "expires_at")
