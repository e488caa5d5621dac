"""A season under way: a manager, two members, a team, a ladder and an active plan."""

from dataclasses import dataclass
from typing import Any

import pytest

from apps.accounts.entities import User
from apps.assessments.entities import Assessment, AssessmentType, Plan
from apps.assessments.ids import assessment_id
from apps.assessments.stores import Stores, stores_on
from apps.ladders.entities import LadderVersion
from apps.storage.connection import Store
from apps.teams.entities import Team
from tests.seasons import active_ladder, admin, filled_in, manager, plan_of, team_member, team_of

SELF, MANAGER = AssessmentType.SELF, AssessmentType.MANAGER


@dataclass
class World:
    """Who there is, and what they have to fill in."""

    stores: Stores
    mona: User
    timo: User
    tina: User
    ada: User
    team: Team
    ladder: LadderVersion
    plan: Plan

    def id(self, kind: AssessmentType, member: User | None = None) -> str:
        return assessment_id(self.plan.plan_id, (member or self.timo).user_id, kind)

    def stored(self, kind: AssessmentType, member: User | None = None) -> Assessment:
        return self.stores.assessments.get(self.id(kind, member), consistent=True)

    def fill(self, kind: AssessmentType, levels: Any = (3, 4, 5), member: User | None = None) -> Assessment:
        """Answer it whole, as far as storing goes: all but the submission."""
        found = filled_in(self.stored(kind, member), self.ladder.ladder, levels, submitted=False)
        return self.stores.assessments.save(found.evolve(current_level=4, way_forward="On and up."))

    def stored_plan(self) -> Plan:
        return self.stores.plans.get(self.plan.plan_id, consistent=True)


@pytest.fixture
def season(store: Store) -> World:
    mona, timo, tina = manager(store), team_member(store), team_member(store, name="Tina Member")
    team, ladder = team_of(store, mona, timo, tina), active_ladder(store)
    return World(
        stores=stores_on(store),
        mona=mona,
        timo=timo,
        tina=tina,
        ada=admin(store),
        team=team,
        ladder=ladder,
        plan=plan_of(store, team, ladder),
    )
