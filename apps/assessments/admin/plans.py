"""Plans in the back office: for administrators, through the services that the pages call."""

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.middleware import actor_of, signed_in_user
from apps.accounts.permissions import Permission
from apps.assessments.entities import Plan, PlanStatus
from apps.assessments.repository import Plans
from apps.assessments.services.activation import activate_plan
from apps.assessments.services.plans import (
    IN_A_DRAFT,
    PlanContent,
    archive_plan,
    change_plan,
    complete_plan,
    create_plan,
    delete_plan,
)
from apps.assessments.wiring import default_stores
from apps.console.entity_admin import EntityAdmin
from apps.console.lists.actions import row_action
from apps.console.lists.filters import Choices, Exactly
from apps.console.lists.listings import Listing
from apps.teams.admin import TeamAdmin


class PlanAdmin(EntityAdmin[Plan]):
    """Plans by state, team or season; active ones where nothing is asked for."""

    repository = Plans
    sees = Permission.ORGANISATION_SEE
    changes = Permission.PLAN_MANAGE
    sees_history = Permission.AUDIT_SEE
    about = "What each team assesses in a season, and how far it is."
    listings = (
        Listing(index="status-index", by=("status",)),
        Listing(index="teamId-index", by=("team_id",)),
        Listing(index="season-index", by=("season",)),
    )
    filters = (
        Choices("status", default=lambda: PlanStatus.ACTIVE),
        Exactly("team_id", label="Team"),
        Exactly("season"),
    )
    related: ClassVar[Mapping[str, type[EntityAdmin[Any]]]] = {"team_id": TeamAdmin}
    labels: ClassVar[Mapping[str, str]] = {
        "plan_id": "id",
        "plan_name": "name",
        "team_id": "team",
        "start_date": "start",
        "end_date": "due",
        "config_version": "version of the ladder",
        "member_count": "members",
        "self_submitted": "submitted by members",
        "manager_submitted": "submitted by the manager",
        "report_count": "reports",
    }
    filled: ClassVar[Mapping[str, Callable[[], Any]]] = {
        "plan_id": lambda: str(uuid.uuid4()),
        "config_id": str,
        "config_version": str,
    }
    list_display = ("plan_name", "team_id", "season", "status", "end_date", "member_count", "report_count")
    fields = (
        *("team_id", "plan_name", "season", "start_date", "end_date", "description", "status", "config_version"),
        *("member_count", "self_submitted", "manager_submitted", "report_count", "activated_at", "completed_at"),
        *("created_at", "created_by", "updated_at", "plan_id"),
    )
    readonly_fields = fields[6:-1]
    row_actions = ("activate", "complete", "archive")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Of a new plan, which is a draft, what can be said of it."""
        return super().get_fields(request, obj) if obj is not None else ["team_id", *IN_A_DRAFT]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Of one that is there the team stays."""
        return [*super().get_readonly_fields(request, obj), *(() if obj is None else ("team_id",))]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Of drafts only: what people wrote under a plan is kept."""
        is_draft = obj is None or obj.entity.status is PlanStatus.DRAFT
        return is_draft and super().has_delete_permission(request, obj)

    def create(self, request: HttpRequest, entity: Plan) -> Plan:
        """Prepare a draft."""
        content = PlanContent(**{name: getattr(entity, name) for name in IN_A_DRAFT})
        return create_plan(default_stores(), team_id=entity.team_id, content=content, **_by(request))

    def change(self, request: HttpRequest, *, before: Plan, after: Plan) -> Plan:
        """Change a draft, or what an active plan lets be changed."""
        names = [name for name in IN_A_DRAFT if getattr(after, name) != getattr(before, name)]
        changes = {name: getattr(after, name) for name in names}
        edition = before.edition
        return change_plan(default_stores(), plan_id=before.plan_id, edition=edition, changes=changes, **_by(request))

    def remove(self, request: HttpRequest, entity: Plan) -> None:
        """Delete a draft. Raises `PlanRefused` for what was activated."""
        delete_plan(default_stores(), plan_id=entity.plan_id, edition=entity.edition, **_by(request))

    @row_action(
        "Activate …",
        permission=Permission.PLAN_MANAGE,
        done="activated",
        confirm="Each member of the team, and its manager for each, is asked for an assessment.",
    )
    def activate(self, request: HttpRequest, entity: Plan, data: Mapping[str, Any]) -> None:
        """Ask for the assessments."""
        del data
        activate_plan(default_stores(), plan_id=entity.plan_id, **_by(request))

    @row_action(
        "Complete …",
        permission=Permission.PLAN_MANAGE,
        done="completed",
        confirm="What is not submitted stays unfinished and is locked. This cannot be undone.",
        is_destructive=True,
    )
    def complete(self, request: HttpRequest, entity: Plan, data: Mapping[str, Any]) -> None:
        """End it."""
        del data
        complete_plan(default_stores(), plan_id=entity.plan_id, **_by(request))

    @row_action(
        "Archive …",
        permission=Permission.PLAN_MANAGE,
        done="archived",
        confirm="They can only be read from then on. This cannot be undone.",
    )
    def archive(self, request: HttpRequest, entity: Plan, data: Mapping[str, Any]) -> None:
        """Put it away."""
        del data
        archive_plan(default_stores(), plan_id=entity.plan_id, **_by(request))

    def site_page(self, request: HttpRequest, entity: Plan) -> str:
        """The plan's own page."""
        del request
        return reverse("plans:plan", args=[entity.plan_id])


def _by(request: HttpRequest) -> dict[str, Any]:
    """Who does it, from where and when."""
    return {"user": signed_in_user(request), "actor": actor_of(request), "now": datetime.now(UTC)}
