"""What is done to plans."""

from typing import Any

from apps.assessments.services.activation import activate_plan
from apps.assessments.services.plans import (
    PlanContent,
    archive_plan,
    change_plan,
    complete_plan,
    create_plan,
    delete_plan,
)
from apps.assessments.services.reminders import remind
from apps.assessments.stores import stores_on
from tests.assessments.plans.planning import CONTENT, vars_of
from tests.audit.deeds import Deed, World
from tests.seasons import active_ladder, manager, team_member, team_of


def draft(w: World) -> Any:
    store = w.stores.store
    w.plans = stores_on(store)
    active_ladder(store)
    team = team_of(store, manager(store), team_member(store))
    w.plan = create_plan(w.plans, team_id=team.team_id, content=PlanContent(**vars_of(CONTENT)), user=w.ada, **w.by)
    return w.plan


def of_plan(w: World) -> str:
    return f"AssessmentPlans#{w.plan.plan_id}"


def done(w: World, *services: Any, **more: Any) -> None:
    draft(w)
    for service in services:
        service(w.plans, plan_id=w.plan.plan_id, user=w.ada, **w.by, **more)


def changed(w: World) -> None:
    done(w, change_plan, edition=1, changes={"plan_name": "Longer"})


DEEDS = [
    Deed(create_plan, draft, of_plan, "plan.created", {}, {"season": "2026-Q1", "plan_name": "Spring"}),
    Deed(change_plan, changed, of_plan, "plan.changed", {"plan_name": "Spring"}, {"plan_name": "Longer"}),
    Deed(
        activate_plan,
        lambda w: done(w, activate_plan),
        of_plan,
        "plan.activated",
        {"status": "draft"},
        {"status": "active", "members": 1},
    ),
    Deed(
        complete_plan,
        lambda w: done(w, activate_plan, complete_plan),
        of_plan,
        "plan.completed",
        {"status": "active"},
        {"status": "completed", "unfinished": 2},
    ),
    Deed(
        archive_plan,
        lambda w: done(w, activate_plan, complete_plan, archive_plan),
        of_plan,
        "plan.archived",
        {"status": "completed"},
        {"status": "archived"},
    ),
    Deed(remind, lambda w: done(w, activate_plan, remind), of_plan, "plan.reminded", {}, {"people": 2}),
    Deed(delete_plan, lambda w: done(w, delete_plan), of_plan, "plan.deleted", {"plan_name": "Spring"}, {}),
]
