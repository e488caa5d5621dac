"""One plan: how far each member is, and what can be done with it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.decorators import sign_in_required
from apps.accounts.middleware import actor_of, signed_in_user
from apps.assessments.entities import Assessment, Plan, PlanStatus
from apps.assessments.services.activation import activate_plan
from apps.assessments.services.plans import archive_plan, complete_plan, delete_plan
from apps.assessments.services.reminders import AGAIN_AFTER, remind
from apps.assessments.showing.plan_board import Board, board_for
from apps.assessments.showing.plan_dialogs import dialogs_for
from apps.assessments.showing.plan_words import assessment_state, due_words, is_due_soon, plan_state
from apps.assessments.wiring import default_stores, send_later
from apps.errors import Conflict


@never_cache
@sign_in_required
@require_GET
def plan_page(request: HttpRequest, plan_id: str) -> HttpResponse:
    """A plan with its matrix; three requests for up to 99 people."""
    now = datetime.now(UTC)
    board = board_for(default_stores(), plan_id=plan_id, user=signed_in_user(request))
    plan, today = board.plan, timezone.localdate(now)
    why_not_active = _why_not_active(board)
    may_remind = bool(board.awaited) and (plan.reminded_at is None or now - plan.reminded_at >= AGAIN_AFTER)
    context = {
        "plan": plan,
        "team": board.team,
        "manager_name": board.name(board.team.manager_id) if board.team else "",
        "rows": [{"member": row, "cells": [_cell(one) for one in row.both]} for row in board.rows],
        "lacking": board.lacking,
        "state": plan_state(plan),
        "due": due_words(plan, today),
        "is_soon": is_due_soon(plan, today),
        "is_overdue": plan.is_overdue(today),
        "in_progress": board.in_progress,
        "not_started": max(0, board.unfinished - board.in_progress),
        "why_not_active": why_not_active,
        "awaits": bool(board.awaited),
        "may_remind": may_remind,
        "dialogs": dialogs_for(board, may_activate=not why_not_active, may_remind=may_remind),
        **{f"is_{status}": plan.status is status for status in PlanStatus},
    }
    return render(request, "plans/plan.html", context)


@never_cache
@sign_in_required
@require_POST
def activate(request: HttpRequest, plan_id: str) -> HttpResponse:
    """Activate, and back to the plan."""

    def told(plan: Plan) -> str:
        if plan.unsettled:
            return "The plan is active. Its assessments are still being created: look again in a minute."
        return f"The plan is active: {plan.assessment_count} assessments were created."

    return _done(request, plan_id, activate_plan, told)


@never_cache
@sign_in_required
@require_POST
def complete(request: HttpRequest, plan_id: str) -> HttpResponse:
    """Complete, and back to the plan."""

    def told(plan: Plan) -> str:
        left = plan.assessment_count - plan.submitted
        return "The plan is completed." + (f" {left} assessments stay unfinished and are locked." if left else "")

    return _done(request, plan_id, complete_plan, told)


@never_cache
@sign_in_required
@require_POST
def archive(request: HttpRequest, plan_id: str) -> HttpResponse:
    """Archive, and back to the plan."""
    return _done(request, plan_id, archive_plan, lambda _: "The plan is archived. It can only be read from now on.")


@never_cache
@sign_in_required
@require_POST
def delete(request: HttpRequest, plan_id: str) -> HttpResponse:
    """Delete a draft, and to the list; back to the plan where that is refused."""
    try:
        delete_plan(default_stores(), plan_id=plan_id, edition=_edition(request), **_by(request))
    except Conflict as error:
        messages.error(request, error.public_message)
        return redirect("plans:plan", plan_id)
    messages.success(request, "The draft is deleted.")
    return redirect("plans:list")


@never_cache
@sign_in_required
@require_POST
def send(request: HttpRequest, plan_id: str) -> HttpResponse:
    """Remind everybody who has yet to submit something, and back to the plan."""
    stores, by = default_stores(), _by(request)
    try:
        plan = remind(stores, plan_id=plan_id, **by)
    except Conflict as error:
        messages.error(request, error.public_message)
    else:
        site = f"{request.scheme}://{request.get_host()}"
        send_later([plan_id], now=by["now"], stores=stores, site=site)
        number = len(plan.unreminded)
        messages.success(request, f"{number} {'person is' if number == 1 else 'people are'} being reminded by e-mail.")
    return redirect("plans:plan", plan_id)


def _done(
    request: HttpRequest, plan_id: str, service: Callable[..., Plan], told: Callable[[Plan], str]
) -> HttpResponse:
    try:
        plan = service(default_stores(), plan_id=plan_id, edition=_edition(request), **_by(request))
    except Conflict as error:
        messages.error(request, error.public_message)
    else:
        messages.success(request, told(plan))
    return redirect("plans:plan", plan_id)


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"user": signed_in_user(request), "actor": actor_of(request), "now": datetime.now(UTC)}


def _edition(request: HttpRequest) -> int | None:
    """The edition that was looked at when this was chosen."""
    given = request.POST.get("edition", "")
    return int(given) if given.isdecimal() and given.isascii() and len(given) < len("1000000000") else None


def _cell(one: Assessment | None) -> dict[str, Any] | None:
    return {"assessment": one, "state": assessment_state(one)} if one else None


def _why_not_active(board: Board) -> str:
    """Why a draft cannot be activated now, and what to do; empty where it can."""
    if board.team is None or not board.team.is_active:
        return "The team is not active. An administrator can activate it."
    return "" if board.team.member_ids else "The team has no members yet. Add them to the team first."
