"""A team in a season: two reports, one of which has competencies far apart, and who may read them."""

from dataclasses import dataclass
from typing import Any

import pytest

from apps.accounts.entities import User
from apps.assessments.entities import Plan, Report
from apps.assessments.stores import Stores, stores_on
from apps.ladders.entities import LadderVersion
from apps.teams.entities import Team
from tests.seasons import active_ladder, admin, manager, plan_of, reported, team_member, team_of


@dataclass(frozen=True)
class Harbour:
    """Everybody and everything of the team Harbour in 2026-Q1."""

    stores: Stores
    ladder: LadderVersion
    team: Team
    plan: Plan
    report: Report
    tims: Report
    mona: User
    timo: User
    tim: User
    ada: User


@pytest.fixture
def harbour(store: Any) -> Harbour:
    """Timo scored Design 6, Testing 4 and Feedback 2; his manager 3, 4 and 3."""
    mona, timo, tim = manager(store), team_member(store), team_member(store, name="Tim Other")
    team, ladder = team_of(store, mona, timo, tim), active_ladder(store)
    plan = plan_of(store, team, ladder)
    report = reported(store, plan, timo.user_id, team=team, ladder=ladder, own=(6, 4, 2), by_manager=(3, 4, 3))
    tims = reported(store, plan, tim.user_id, team=team, ladder=ladder, own=(2, 2, 2), by_manager=(2, 3, 2))
    return Harbour(stores_on(store), ladder, team, plan, report, tims, mona, timo, tim, admin(store))
