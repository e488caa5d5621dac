"""Reports in the back office: to be read by administrators; what they say stands on the report's own page."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.admin import UserAdmin
from apps.accounts.permissions import Permission
from apps.assessments.entities import Report
from apps.assessments.repository import Reports
from apps.console.entity_admin import EntityAdmin
from apps.console.lists.filters import Exactly
from apps.console.lists.listings import Listing


class ReportAdmin(EntityAdmin[Report]):
    """Reports of a plan or on a person; they are made by submissions, and nobody changes them here."""

    repository = Reports
    sees = Permission.REPORT_SEE
    sees_history = Permission.AUDIT_SEE
    about = "What came of two assessments, by plan or by person; made when both are submitted."
    asks_first = "Choose a person, or enter the id of a plan: reports are read by one of them."
    labels: ClassVar[Mapping[str, str]] = {
        "report_id": "report",
        "plan_id": "plan",
        "team_id": "team",
        "team_member_id": "member",
        "config_id": "version of the ladder",
        "self_assessed_level": "self-assessed level",
        "generated_at": "made",
        "exported_at": "last exported",
        "reopened_at": "assessment reopened",
        "discussed_on": "discussed",
    }
    listings = (
        Listing(index="planId-index", by=("plan_id",)),
        Listing(index="teamMemberId-index", by=("team_member_id",)),
    )
    filters = (Exactly("team_member_id", label="Member"), Exactly("plan_id", label="Id of the plan"))
    related: ClassVar[Mapping[str, type[EntityAdmin[Any]]]] = {"team_member_id": UserAdmin}
    list_display = ("report_id", "season", "team_member_id", "final_level", "self_assessed_level", "generated_at")
    fields = (
        *("report_id", "season", "team_member_id", "team_id", "plan_id", "config_id", "final_level"),
        *("self_assessed_level", "variance", "generated_at", "exported_at", "reopened_at", "discussed_on"),
    )

    def site_page(self, request: HttpRequest, entity: Report) -> str:
        """The report's own page, with its charts and all that was written."""
        del request
        return reverse("reports:report", args=[entity.report_id])

    def links(self, request: HttpRequest, entity: Report) -> list[tuple[str, str]]:
        """The plan's reports, and the person's."""
        del request
        return [
            ("Reports of the plan", reverse("reports:plan", args=[entity.plan_id])),
            ("The person over the seasons", reverse("reports:member", args=[entity.team_member_id])),
        ]
