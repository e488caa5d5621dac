"""Versions of the ladder in the back office: read there, activated there, and uploaded on their own page."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.middleware import address_of, signed_in_user
from apps.accounts.permissions import Permission
from apps.console.entity_admin import EntityAdmin
from apps.console.lists.actions import row_action
from apps.console.lists.listings import Listing
from apps.ladders.entities import LadderVersion
from apps.ladders.repository import LadderVersions
from apps.ladders.services import activate_ladder
from apps.ladders.wiring import default_stores


class LadderAdmin(EntityAdmin[LadderVersion]):
    """Versions of the ladder, newest first. None is ever changed or deleted: assessments go by them."""

    repository = LadderVersions
    plural = "versions of the ladder"
    sees = Permission.LADDER_SEE
    sees_history = Permission.AUDIT_SEE
    about = "What is expected at each level. New versions are uploaded on the page of the career ladder."
    labels: ClassVar[Mapping[str, str]] = {
        "config_id": "id",
        "ladder_version": "version",
        "config_content": "as Markdown",
        "is_active": "active",
        "created_at": "uploaded",
        "created_by": "uploaded by",
        "updated_at": "changed",
    }
    listings = (Listing(index="directory-index", partition="ladders", descending=True, sorts="created_at"),)
    list_display = ("ladder_version", "is_active", "note", "created_at", "created_by")
    fields = (
        "ladder_version",
        "is_active",
        "note",
        "config_content",
        "config_id",
        "created_at",
        "created_by",
        "updated_at",
    )
    row_actions = ("activate",)

    @row_action(
        "Activate …",
        permission=Permission.LADDER_CHANGE,
        done="activated",
        confirm="Plans made from then on go by it. Existing plans, their assessments and reports keep the version they "
        "were made with. What it changes is on the version's own page.",
    )
    def activate(self, request: HttpRequest, entity: LadderVersion, data: Mapping[str, Any]) -> None:
        """Let plans that are made from now on go by it."""
        del data
        activate_ladder(
            default_stores(),
            config_id=entity.config_id,
            actor=signed_in_user(request),
            now=datetime.now(UTC),
            address=address_of(request),
        )

    def site_page(self, request: HttpRequest, entity: LadderVersion) -> str:
        """The version's own page."""
        del request
        return reverse("ladders:version", args=[entity.config_id])
