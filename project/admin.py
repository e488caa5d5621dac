"""What the layer below keeps for itself, in the back office: what was deleted, and how far long work has come."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.http import HttpRequest

from apps.accounts.middleware import actor_of, signed_in_user
from apps.accounts.permissions import Permission
from apps.audit.repository import AuditLog
from apps.console.entity_admin import EntityAdmin
from apps.console.lists.actions import row_action
from apps.console.lists.filters import Exactly
from apps.console.lists.listings import Listing
from apps.storage.connection import default_store
from apps.storage.trash import Deleted, Trash
from apps.storage.upkeep.backfill import Checkpoint, Checkpoints
from project.restoring import restore_deleted


class TrashAdmin(EntityAdmin[Deleted]):
    """Deleted items that can still be restored; what is in them is shown nowhere."""

    repository = Trash  # type: ignore[assignment]  # a writer: nothing here needs more
    sees = Permission.TABLES_CHANGE
    about = "What was deleted and can still be restored."
    listings = (Listing(index="table-deleted_at-index", by=("table",), descending=True),)
    filters = (Exactly("table"),)
    list_display = ("item", "table", "deleted_at", "deleted_by", "expires_at")
    fields = ("item", "table", "deleted_at", "deleted_by", "expires_at")
    row_actions = ("restore",)

    @row_action("Restore", permission=Permission.TABLES_CHANGE, done="restored")
    def restore(self, request: HttpRequest, entity: Deleted, data: Mapping[str, Any]) -> None:
        """Put it back where it was."""
        del data
        restore_deleted(
            default_store(),
            deleted=entity,
            user=signed_in_user(request),
            actor=actor_of(request),
            now=datetime.now(UTC),
            audit=AuditLog(default_store()),
        )


class CheckpointAdmin(EntityAdmin[Checkpoint]):
    """How far long work over a whole table has come; few, in the table's own order."""

    repository = Checkpoints
    sees = Permission.TABLES_SEE
    about = "How far work over whole tables has come."
    labels: ClassVar[Mapping[str, str]] = {"looked_at": "items looked at", "written": "items written"}
    list_display = ("task", "looked_at", "written", "failed", "updated_at", "finished_at")
    fields = (
        "task",
        "goal",
        "pages",
        "looked_at",
        "written",
        "failed",
        "failures",
        "started_at",
        "updated_at",
        "finished_at",
    )
