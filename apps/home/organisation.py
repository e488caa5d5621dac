"""The whole organisation as the first page shows it to administrators: plans under way, tables, policy runs."""

from dataclasses import dataclass
from datetime import date, datetime

from apps.assessments.entities import Plan
from apps.assessments.stores import Stores
from apps.home.due import Due
from apps.home.entities import TableHealth
from apps.home.repository import HEALTH, TableHealths
from apps.home.runs import runs
from apps.ladders.repository import ACTIVE_LADDER
from apps.policy_runs.showing import COMMAND_LINE, ShownRun, named
from apps.policy_runs.stores import Stores as RunStores
from apps.storage.pointers import Pointers
from apps.storage.transaction import MOST_ITEMS, read_together

PLANS_SHOWN = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """A plan under way, its team's name, and when it is due."""

    plan: Plan
    team_name: str
    due: Due


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """What administrators see: plans first due and whether there are more, whether a ladder is active, tables, runs."""

    plans: list[PlanRow]
    has_more_plans: bool
    has_ladder: bool
    health: TableHealth | None
    is_health_stale: bool
    running: list[ShownRun]
    recent: list[ShownRun]


def organisation(stores: Stores, run_stores: RunStores, *, now: datetime, today: date) -> Organisation:
    """What goes on, in four requests: plans, runs twice, and the names to both with the state of the tables."""
    page = stores.plans.under_way(limit=PLANS_SHOWN)
    found = runs(run_stores)
    team_ids = list(dict.fromkeys(plan.team_id for plan in page.items))
    owner_ids = list(dict.fromkeys(run.user_id for run in found.all if run.user_id != COMMAND_LINE))
    owner_ids = owner_ids[: MOST_ITEMS - 2 - len(team_ids)]
    health: TableHealth | None
    ladder, health, *others = read_together(
        stores.store,
        Pointers(stores.store).reading(ACTIVE_LADDER),
        TableHealths(stores.store).reading(HEALTH),
        *(stores.teams.reading(team_id) for team_id in team_ids),
        *(stores.users.reading(user_id) for user_id in owner_ids),
    )
    teams, owners = others[: len(team_ids)], others[len(team_ids) :]
    names = {one.team_id: one.team_name for one in teams if one is not None}
    names |= {one.user_id: one.name for one in owners if one is not None}
    shown = named(found.all, names)
    return Organisation(
        plans=[
            PlanRow(plan=plan, team_name=names.get(plan.team_id, "A team that is gone"), due=Due(plan.end_date, today))
            for plan in page.items
        ],
        has_more_plans=page.next is not None,
        has_ladder=ladder is not None,
        health=health,
        is_health_stale=health is not None and health.is_stale(now),
        running=shown[: len(found.in_progress)],
        recent=shown[len(found.in_progress) :],
    )
