"""Activating a plan: from then on people are asked for their assessments."""

from datetime import datetime

from apps.accounts.entities import User
from apps.assessments.entities import Plan, PlanStatus
from apps.assessments.errors import PlanRefused
from apps.assessments.services.managed import expect_edition, managed_plan, object_of, stale
from apps.assessments.services.plans import TRIES, settled_or_left
from apps.assessments.services.settling import follow_team
from apps.assessments.stores import Stores
from apps.audit.entities import Actor
from apps.storage.conditions import Update, attribute
from apps.storage.errors import StaleVersion
from apps.teams.entities import Team

__all__ = ["activate_plan", "follow_team"]


def activate_plan(
    stores: Stores, *, plan_id: str, edition: int | None = None, user: User, actor: Actor, now: datetime
) -> Plan:
    """Activate a draft, and make a self- and a manager assessment for each member of the team.

    The assessments follow the activation in steps; where they break off, activating again goes on, and so does the
    worker. Raises `PlanNotFound`, `StaleVersion`, `Duplicate` where the team has an active plan for the season, and
    `PlanRefused` for a team that is inactive or without members, and for a plan that has ended.
    """
    for _ in range(TRIES):
        plan, team = managed_plan(stores, plan_id=plan_id, user=user)
        if plan.status is PlanStatus.ACTIVE:
            return settled_or_left(stores, plan, now=now)
        if plan.status is not PlanStatus.DRAFT:
            raise PlanRefused("This plan has ended. Create a new one.")
        expect_edition(plan, edition)
        try:
            active = _activated(stores, plan, _fit(team), actor=actor, now=now)
        except StaleVersion:
            edition = plan.edition  # edited, or activated by somebody else, since it was read
        else:
            return settled_or_left(stores, active, now=now)
    raise stale(plan)


def _fit(team: Team | None) -> Team:
    if team is None or not team.is_active:
        raise PlanRefused("This team is not active. An administrator can activate it.")
    if not team.member_ids:
        raise PlanRefused("This team has no members yet. Add them to the team first, then activate the plan.")
    return team


def _activated(stores: Stores, plan: Plan, team: Team, *, actor: Actor, now: datetime) -> Plan:
    """The plan, active; the team notes it in the same transaction, since who follows the team must not miss it."""
    active = plan.evolve(
        status=PlanStatus.ACTIVE,
        active_season=plan.season,
        unsettled="yes",
        activated_at=now,
        updated_at=now,
        manager_id=team.manager_id,
        edition=plan.edition + 1,
    )
    still_fit = attribute("is_active").equals(value=True) & attribute("member_count").at_least(1)
    noting = stores.teams.updating(
        team.team_id, Update(add={"active_plan_ids": {plan.plan_id}}), condition=still_fit
    ).otherwise(PlanRefused("The team changed just now: it is not active, or without members. Look at it again."))
    entry = stores.audit.recording(
        object_of(plan),
        action="plan.activated",
        actor=actor,
        at=now,
        before={"status": plan.status},
        after={"status": active.status, "season": plan.season, "members": len(team.member_ids)},
    )
    return stores.plans.save(active, noting, entry)
