"""Assessments in the back office: administrators read them, and reopen what was submitted by mistake."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.admin import UserAdmin
from apps.accounts.middleware import actor_of, signed_in_user
from apps.accounts.permissions import Permission
from apps.assessments.entities import Assessment
from apps.assessments.repository import Assessments
from apps.assessments.services.submitting import LONGEST_REASON, reopen
from apps.assessments.wiring import default_stores
from apps.console.entity_admin import EntityAdmin
from apps.console.lists.actions import row_action
from apps.console.lists.filters import Choices, Exactly
from apps.console.lists.listings import Listing


class ReopenForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        max_length=LONGEST_REASON, help_text="The audit log keeps it, with your name.", widget=forms.Textarea
    )


class AssessmentAdmin(EntityAdmin[Assessment]):
    """What people say about their levels: read only, by assessor or by plan."""

    repository = Assessments
    sees = Permission.MANAGER_ASSESSMENT_SEE
    sees_history = Permission.AUDIT_SEE
    about = "What members and their managers say about levels, by assessor or by plan."
    listings = (
        Listing(index="assessorId-status-index", by=("assessor_id",)),
        Listing(index="planId-matrix-index", by=("plan_id",)),
    )
    filters = (Exactly("assessor_id", label="Assessor"), Exactly("plan_id", label="Plan"), Choices("status"))
    related: ClassVar[Mapping[str, type[EntityAdmin[Any]]]] = {"assessor_id": UserAdmin, "team_member_id": UserAdmin}
    labels: ClassVar[Mapping[str, str]] = {
        "assessment_id": "assessment",
        "plan_id": "plan",
        "team_id": "team",
        "team_member_id": "about",
        "assessment_type": "view",
        "assessor_id": "assessor",
        "config_id": "ladder",
        "answered_count": "answered",
        "competency_count": "competencies",
        "selections": "levels",
        "current_level": "overall level",
        "submitted_at": "submitted",
        "reopened_at": "reopened",
        "ended_at": "ended unfinished",
    }
    list_display = ("assessment_id", "team_member_id", "assessment_type", "season", "status", "answered_count")
    fields = (
        *("assessment_id", "plan_id", "team_id", "season", "team_member_id", "assessment_type", "assessor_id"),
        *("config_id", "status", "answered_count", "competency_count", "submitted_at", "reopened_at", "ended_at"),
        *("current_level", "way_forward", "selections", "feedback", "created_at", "updated_at"),
    )
    row_actions = ("reopen",)

    @row_action(
        "Reopen …",
        permission=Permission.ASSESSMENT_REOPEN,
        done="reopened",
        confirm="The assessor can change it then, and has to submit it again.",
        form=ReopenForm,
    )
    def reopen(self, request: HttpRequest, entity: Assessment, data: Mapping[str, Any]) -> None:
        """Take the submission back."""
        reopen(
            default_stores(),
            assessment_id=entity.assessment_id,
            reason=data["reason"],
            by=signed_in_user(request),
            actor=actor_of(request),
            now=datetime.now(UTC),
        )

    def site_page(self, request: HttpRequest, entity: Assessment) -> str:
        """The assessment's own page."""
        del request
        return reverse("assessments:assessment", args=[entity.assessment_id])
