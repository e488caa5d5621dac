"""A team, a ladder and the services of plans as pages call them; and a store that breaks off where a test says."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest

from apps.accounts.entities import User
from apps.assessments.entities import Assessment, Plan
from apps.assessments.services.activation import activate_plan
from apps.assessments.services.plans import (
    PlanContent,
    archive_plan,
    change_plan,
    complete_plan,
    create_plan,
    delete_plan,
)
from apps.assessments.stores import Stores, stores_on
from apps.storage.conditions import Query
from apps.storage.connection import Store
from apps.teams.entities import Team
from tests.seasons import active_ladder, manager, team_member, team_of

NOW = datetime(2026, 2, 2, 9, tzinfo=UTC)
CONTENT = PlanContent(
    plan_name="Spring",
    season="2026-Q1",
    start_date=date(2026, 1, 5),
    end_date=date(2026, 3, 31),
    description="*All* of us.",
)


class BrokenOff(BaseException):
    """The process ended here."""


@dataclass
class Season:
    """A team of some people, its manager, and what can be done with its plans."""

    stores: Stores
    boss: User
    team: Team
    members: tuple[User, ...]

    @property
    def by(self) -> dict[str, Any]:
        return {"user": self.boss, "actor": self.boss.acting("192.0.2.1"), "now": NOW}

    def draft(self, **changes: Any) -> Plan:
        content = PlanContent(**{**vars_of(CONTENT), **changes})
        return create_plan(self.stores, team_id=self.team.team_id, content=content, **self.by)

    def activated(self, plan: Plan | None = None) -> Plan:
        return activate_plan(self.stores, plan_id=(plan or self.draft()).plan_id, **self.by)

    def changed(self, plan: Plan, **changes: Any) -> Plan:
        return change_plan(self.stores, plan_id=plan.plan_id, edition=plan.edition, changes=changes, **self.by)

    def completed(self, plan: Plan) -> Plan:
        return complete_plan(self.stores, plan_id=plan.plan_id, **self.by)

    def archived(self, plan: Plan) -> Plan:
        return archive_plan(self.stores, plan_id=plan.plan_id, **self.by)

    def deleted(self, plan: Plan) -> None:
        delete_plan(self.stores, plan_id=plan.plan_id, **self.by)

    def stored(self, plan: Plan) -> Plan:
        return self.stores.plans.get(plan.plan_id, consistent=True)

    def assessments(self, plan: Plan) -> list[Assessment]:
        query = Query(partition=plan.plan_id, index="planId-matrix-index")
        return list(self.stores.assessments.stream(query))

    def team_now(self) -> Team:
        return self.stores.teams.get(self.team.team_id, consistent=True)

    def with_members(self, *members: User) -> Team:
        """The team with these people instead, as the service of teams leaves it before anything follows."""
        changed = self.team_now().with_members(user.user_id for user in members)
        return self.stores.teams.save(changed)

    def led_by(self, user: User) -> Team:
        return self.stores.teams.save(self.team_now().evolve(manager_id=user.user_id, unsettled="yes"))


def vars_of(content: PlanContent) -> dict[str, Any]:
    return {name: getattr(content, name) for name in PlanContent.__dataclass_fields__}


def season_on(store: Store, *, members: int = 2) -> Season:
    boss = manager(store)
    people = tuple(team_member(store, name=f"Timo Member {number}") for number in range(members))
    if stores_on(store).ladders.active() is None:
        active_ladder(store)
    return Season(stores_on(store), boss, team_of(store, boss, *people), people)


@contextmanager
def breaking_off(store: Store, monkeypatch: pytest.MonkeyPatch, *, after: int) -> Iterator[None]:
    """Let the process end right after so many writes were carried out; its answers are never seen."""
    call, done = store.call, 0

    def counted(operation: str, **more: Any) -> Any:
        nonlocal done
        answer = call(operation, **more)
        if operation in {"put_item", "update_item", "delete_item", "batch_write_item", "transact_write_items"}:
            done += 1
            if done == after:
                raise BrokenOff
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(store, "call", counted)
        yield
