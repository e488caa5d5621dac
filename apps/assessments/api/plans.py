"""The API of plans."""

from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from apps.accounts.middleware import actor_of, signed_in_user
from apps.api_shapes import CHANGING, READING, CursorText
from apps.assessments.entities import PlanStatus
from apps.assessments.schemas.plans import (
    PlanChangeIn,
    PlanDetailOut,
    PlanIn,
    PlanOut,
    PlanPageOut,
    PlanVersionIn,
    RemindedOut,
    detail_out,
    listed_out,
    plan_out,
)
from apps.assessments.services.activation import activate_plan
from apps.assessments.services.plans import archive_plan, change_plan, complete_plan, create_plan, delete_plan
from apps.assessments.services.reminders import remind
from apps.assessments.showing.plan_board import board_for
from apps.assessments.showing.plan_lists import listed_plans
from apps.assessments.wiring import default_stores, send_later

IdText = Annotated[str, Field(max_length=64)]
SeasonText = Annotated[str, Field(max_length=10)]

router = Router(tags=["plans"], by_alias=True)


@router.get("", response={200: PlanPageOut, **READING}, summary="List plans")
def list_plans(
    request: HttpRequest,
    teamId: IdText = "",  # noqa: N803  (the query's own name)
    season: SeasonText = "",
    status: PlanStatus | None = None,
    cursor: CursorText = None,
) -> PlanPageOut:
    """Plans that this user manages, by team, season and state. Administrators who ask for nothing get what is active.

    Of a team the newest season first, of one's own teams the last to end first, of all active ones the first due first.
    """
    found = listed_plans(
        default_stores(),
        user=signed_in_user(request),
        team_id=teamId,
        season=season.upper(),
        status=status,
        cursor=cursor,
    ).page
    return PlanPageOut(items=[listed_out(plan) for plan in found.items], next=found.next, previous=found.previous)


@router.post("", response={201: PlanOut, **CHANGING}, summary="Prepare a plan")
def new_plan(request: HttpRequest, body: PlanIn) -> Status[PlanOut]:
    """A draft, by the ladder that is active now."""
    plan = create_plan(default_stores(), team_id=body.team_id, content=body.content(), **_by(request))
    return Status(201, plan_out(plan))


@router.get("/{plan_id}", response={200: PlanDetailOut, **READING}, summary="Get a plan with its matrix")
def get_plan(request: HttpRequest, plan_id: str) -> PlanDetailOut:
    """The plan as it is now, and how far each member is."""
    return detail_out(board_for(default_stores(), plan_id=plan_id, user=signed_in_user(request)))


@router.patch("/{plan_id}", response={200: PlanOut, **CHANGING}, summary="Change a plan")
def edit_plan(request: HttpRequest, plan_id: str, body: PlanChangeIn) -> PlanOut:
    """A draft, or name, description and end of an active plan."""
    changes = body.changes()
    by = _by(request)
    return plan_out(change_plan(default_stores(), plan_id=plan_id, edition=body.version, changes=changes, **by))


@router.delete("/{plan_id}", response={204: None, **CHANGING}, summary="Delete a draft")
def remove_plan(request: HttpRequest, plan_id: str, version: int | None = None) -> Status[None]:
    """A draft only."""
    delete_plan(default_stores(), plan_id=plan_id, edition=version, **_by(request))
    return Status(204, None)


@router.post("/{plan_id}/activate", response={200: PlanOut, **CHANGING}, summary="Activate a draft")
def activate(request: HttpRequest, plan_id: str, body: PlanVersionIn | None = None) -> PlanOut:
    """Each member gets a self- and a manager assessment; done again it finishes what broke off."""
    edition = body.version if body else None
    return plan_out(activate_plan(default_stores(), plan_id=plan_id, edition=edition, **_by(request)))


@router.post("/{plan_id}/complete", response={200: PlanOut, **CHANGING}, summary="Complete an active plan")
def complete(request: HttpRequest, plan_id: str, body: PlanVersionIn | None = None) -> PlanOut:
    """What was not submitted stays unfinished and is locked."""
    edition = body.version if body else None
    return plan_out(complete_plan(default_stores(), plan_id=plan_id, edition=edition, **_by(request)))


@router.post("/{plan_id}/archive", response={200: PlanOut, **CHANGING}, summary="Archive a completed plan")
def archive(request: HttpRequest, plan_id: str, body: PlanVersionIn | None = None) -> PlanOut:
    """It can only be read from then on."""
    edition = body.version if body else None
    return plan_out(archive_plan(default_stores(), plan_id=plan_id, edition=edition, **_by(request)))


@router.post("/{plan_id}/remind", response={202: RemindedOut, **CHANGING}, summary="Remind who has not submitted")
def remind_people(request: HttpRequest, plan_id: str) -> Status[RemindedOut]:
    """One mail a person, at most once an hour."""
    stores, by = default_stores(), _by(request)
    plan = remind(stores, plan_id=plan_id, **by)
    send_later([plan_id], now=by["now"], stores=stores, site=f"{request.scheme}://{request.get_host()}")
    return Status(202, RemindedOut(people=len(plan.unreminded)))


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"user": signed_in_user(request), "actor": actor_of(request), "now": datetime.now(UTC)}
