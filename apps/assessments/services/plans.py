"""What managers do with plans, but for activating them; each change is one transaction with its audit entry."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

import structlog
from pydantic import ValidationError

from apps.accounts.entities import User
from apps.assessments.entities import Plan, PlanStatus, Season
from apps.assessments.errors import InvalidPlan, PlanRefused
from apps.assessments.services.managed import expect_edition, managed_plan, may_manage, object_of
from apps.assessments.services.settling import settle_plan
from apps.assessments.stores import Stores
from apps.audit.entities import Actor
from apps.errors import DomainError
from apps.storage.conditions import Update, attribute
from apps.storage.errors import Contention, StaleVersion
from apps.storage.plane import backoff
from apps.storage.writes import Write
from apps.teams.entities import Team
from apps.teams.errors import TeamNotFound

TRIES: Final = 12
LONGEST_REST: Final = 3  # less than half a second: somebody waits
WHILE_ACTIVE: Final = ("plan_name", "description", "end_date")
IN_A_DRAFT: Final = (*WHILE_ACTIVE, "season", "start_date")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContent:
    """What people say of a plan; dates are whole days, both included."""

    plan_name: str
    season: str
    start_date: date
    end_date: date
    description: str = ""


def create_plan(stores: Stores, *, team_id: str, content: PlanContent, user: User, actor: Actor, now: datetime) -> Plan:
    """Prepare a plan by the ladder that is active now; nobody is asked for anything before it is activated.

    Raises `TeamNotFound` (also where the user does not lead it), `NoActiveLadder`, `InvalidPlan` with its field, and
    `PlanRefused` for a team that is not active any more.
    """
    team = stores.teams.find(team_id, consistent=True)
    if team is None or not may_manage(user, team):
        raise TeamNotFound
    moved = PlanRefused("This team is not active, or was given to somebody else just now. Choose another team.")
    if not team.is_active:
        raise moved
    ladder = stores.ladders.active_for_sure()
    plan = _checked(
        lambda: Plan(
            plan_id=str(uuid.uuid4()),
            team_id=team.team_id,
            manager_id=team.manager_id,
            config_id=ladder.config_id,
            config_version=ladder.ladder_version,
            created_at=now,
            updated_at=now,
            created_by=actor.actor_id,
            **asdict(content),
        )
    )
    after = {"team_id": team_id, "config_version": plan.config_version, **_told(plan, IN_A_DRAFT)}
    as_read = attribute("is_active").equals(value=True) & attribute("manager_id").equals(team.manager_id)
    return stores.plans.add(
        plan,
        stores.seasons.putting(Season(season=plan.season)),
        stores.teams.checking(team_id, as_read).otherwise(moved),
        stores.audit.recording(object_of(plan), action="plan.created", actor=actor, at=now, after=after),
    )


def change_plan(
    stores: Stores,
    *,
    plan_id: str,
    edition: int,
    changes: Mapping[str, Any],
    user: User,
    actor: Actor,
    now: datetime,
) -> Plan:
    """Change a draft, or name, description and end of an active plan; `edition` is the one that was read.

    Raises `PlanNotFound`, `StaleVersion`, `InvalidPlan` with its field, `PlanRefused` for what can be changed no more.
    """

    def change(plan: Plan, _team: Team | None) -> tuple[Plan, list[Write]]:
        changed = _checked(lambda: plan.evolve(**changes))
        names = [name for name in IN_A_DRAFT if getattr(changed, name) != getattr(plan, name)]
        _refuse_changes(plan, names)
        if not names:
            return plan, []
        entry = stores.audit.recording(
            object_of(plan),
            action="plan.changed",
            actor=actor,
            at=now,
            before=_told(plan, names),
            after=_told(changed, names),
        )
        seasons = [stores.seasons.putting(Season(season=changed.season))] if "season" in names else []
        return changed, [entry, *seasons]

    if unknown := changes.keys() - set(IN_A_DRAFT):
        raise InvalidPlan(f"This cannot be changed: {', '.join(sorted(unknown))}.", field=min(unknown))
    return _changed(stores, plan_id=plan_id, edition=edition, user=user, now=now, change=change)


def delete_plan(
    stores: Stores, *, plan_id: str, edition: int | None = None, user: User, actor: Actor, now: datetime
) -> None:
    """Delete a draft. Raises `PlanNotFound`, `StaleVersion`, and `PlanRefused` for what was activated."""
    plan, _ = managed_plan(stores, plan_id=plan_id, user=user)
    expect_edition(plan, edition)
    if plan.status is not PlanStatus.DRAFT:
        raise PlanRefused("Only a draft can be deleted. Complete this plan instead: what people wrote is kept.")
    before = {"team_id": plan.team_id, **_told(plan, IN_A_DRAFT)}
    entry = stores.audit.recording(object_of(plan), action="plan.deleted", actor=actor, at=now, before=before)
    stores.plans.delete(plan, entry)


def complete_plan(
    stores: Stores, *, plan_id: str, edition: int | None = None, user: User, actor: Actor, now: datetime
) -> Plan:
    """End an active plan: what was not submitted stays unfinished and is locked, at once or by the worker.

    Raises `PlanNotFound`, `StaleVersion`, and `PlanRefused` for a plan that is not active.
    """

    def change(plan: Plan, team: Team | None) -> tuple[Plan, list[Write]]:
        if plan.status is not PlanStatus.ACTIVE:
            raise PlanRefused(f"Only an active plan can be completed: this one is {_WORDS[plan.status]}.")
        ended = plan.evolve(
            status=PlanStatus.COMPLETED,
            active_season=None,
            completed_at=now,
            unsettled="yes",
            reminding=None,
            unreminded=frozenset(),
        )
        unfinished = plan.assessment_count - plan.submitted
        entry = stores.audit.recording(
            object_of(plan),
            action="plan.completed",
            actor=actor,
            at=now,
            before={"status": plan.status},
            after={"status": ended.status, "unfinished": unfinished},
        )
        let_go = Update(discard={"active_plan_ids": {plan.plan_id}})
        return ended, [entry, *([stores.teams.updating(team.team_id, let_go)] if team else [])]

    plan = _changed(stores, plan_id=plan_id, edition=edition, user=user, now=now, change=change)
    return settled_or_left(stores, plan, now=now)


def archive_plan(
    stores: Stores, *, plan_id: str, edition: int | None = None, user: User, actor: Actor, now: datetime
) -> Plan:
    """Put a completed plan away: it can be read, and never be changed again.

    Raises `PlanNotFound`, `StaleVersion`, and `PlanRefused` for a plan that is not completed.
    """

    def change(plan: Plan, _team: Team | None) -> tuple[Plan, list[Write]]:
        if plan.status is not PlanStatus.COMPLETED:
            raise PlanRefused(f"Only a completed plan can be archived: this one is {_WORDS[plan.status]}.")
        entry = stores.audit.recording(
            object_of(plan),
            action="plan.archived",
            actor=actor,
            at=now,
            before={"status": plan.status},
            after={"status": PlanStatus.ARCHIVED},
        )
        return plan.evolve(status=PlanStatus.ARCHIVED), [entry]

    return _changed(stores, plan_id=plan_id, edition=edition, user=user, now=now, change=change)


def settled_or_left(stores: Stores, plan: Plan, *, now: datetime) -> Plan:
    """The plan once its assessments follow it; where the store is in the way that is left to the worker, and logged."""
    try:
        settle_plan(stores, plan_id=plan.plan_id, now=now)
    except DomainError as error:
        log.warning("the assessments of a plan follow later", plan=plan.plan_id, reason=error.message)
    return stores.plans.find(plan.plan_id, consistent=True) or plan


def _changed(
    stores: Stores,
    *,
    plan_id: str,
    edition: int | None,
    user: User,
    now: datetime,
    change: Callable[[Plan, Team | None], tuple[Plan, list[Write]]],
) -> Plan:
    """The plan after this change. What was only counted meanwhile is no conflict: it is read again."""
    for attempt in range(TRIES):
        plan, team = managed_plan(stores, plan_id=plan_id, user=user)
        expect_edition(plan, edition)
        changed, writes = change(plan, team)
        if changed is plan:
            return plan
        try:
            return stores.plans.save(changed.evolve(edition=plan.edition + 1, updated_at=now), *writes)
        except (StaleVersion, Contention) as error:
            met, edition = error, plan.edition  # whatever was wanted, it was decided on this one
            backoff.rest(min(attempt, LONGEST_REST))
    raise Contention from met


def _checked(made: Callable[[], Plan]) -> Plan:
    try:
        plan = made()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        cause = first.get("ctx", {}).get("error")
        raise InvalidPlan(str(cause or first["msg"]), field=str(first["loc"][0])) from None
    if plan.end_date < plan.start_date:
        raise InvalidPlan("The end is before the start. Choose a later day.", field="end_date")
    return plan


def _refuse_changes(plan: Plan, names: list[str]) -> None:
    if plan.status not in {PlanStatus.DRAFT, PlanStatus.ACTIVE}:
        raise PlanRefused(f"This plan is {_WORDS[plan.status]}: it can only be read.")
    fixed = [name for name in names if name not in WHILE_ACTIVE]
    if plan.status is PlanStatus.ACTIVE and fixed:
        raise PlanRefused("Season and start of an active plan stay. Change its name, description or end.")


def _told(plan: Plan, names: Any) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in names}


_WORDS: Final[Mapping[PlanStatus, str]] = {
    PlanStatus.DRAFT: "still a draft",
    PlanStatus.ACTIVE: "active",
    PlanStatus.COMPLETED: "completed",
    PlanStatus.ARCHIVED: "archived",
}
