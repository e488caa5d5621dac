"""A plan for somebody: found as far as the table of permissions lets them, and refused in words where it moved on."""

from typing import Final

from apps.accounts.entities import Role, User
from apps.accounts.permissions import Permission, allowed
from apps.assessments.access import concerning
from apps.assessments.entities import Plan
from apps.assessments.errors import PlanNotFound
from apps.assessments.stores import Stores
from apps.errors import NotFound
from apps.storage.errors import StaleVersion
from apps.teams.entities import Team

PLANNERS: Final = frozenset({Role.ADMIN, Role.MANAGER})
"""Who may have plans to manage: which ones the table of permissions says."""

CHANGED_MEANWHILE = "Somebody changed this plan in the meantime. Look at it as it is now, and make your change again."


def managed_plan(stores: Stores, *, plan_id: str, user: User) -> tuple[Plan, Team | None]:
    """The plan and its team as they are now, if this person may manage it: its team's present manager, or an admin.

    Raises `PlanNotFound` both for a missing and for a hidden one.
    """
    plan = stores.plans.find(plan_id, consistent=True)
    if plan is None:
        raise PlanNotFound
    team = stores.teams.find(plan.team_id, consistent=True)
    if not may_manage(user, team):
        raise PlanNotFound
    return plan, team


def require_planner(user: User) -> None:
    """Raise `NotFound` for who has no part in plans, whichever they are."""
    if not user.roles & PLANNERS:
        raise NotFound("There is no such page, or you may not see it.")


def may_manage(user: User, team: Team | None) -> bool:
    """Whether this person manages plans of this team."""
    return allowed(user, Permission.PLAN_MANAGE, concerning(team))


def expect_edition(plan: Plan, edition: int | None) -> None:
    """Raise `StaleVersion` where somebody changed the plan since this edition of it was read; None asks for nothing."""
    if edition is not None and plan.edition != edition:
        raise stale(plan)


def stale(plan: Plan) -> StaleVersion:
    """The error that somebody else was quicker, with what they made of the plan."""
    error = StaleVersion(CHANGED_MEANWHILE)
    error.stored = plan
    return error


def object_of(plan: Plan) -> str:
    """How the audit log names a plan."""
    return f"AssessmentPlans#{plan.plan_id}"
