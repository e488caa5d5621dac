"""What broke off is finished: plans and teams whose assessments have yet to follow them."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from apps.assessments.services.settling import follow_team, settle_plan
from apps.assessments.stores import Stores
from apps.errors import DomainError

AT_ONCE: Final = 20

log = structlog.get_logger(__name__)


def settle_all(stores: Stores, *, now: datetime) -> int:
    """Finish what is unsettled, so much at a time; how many were. One that cannot be holds up no other."""
    plans = (partial(settle_plan, stores, plan_id=key, now=now) for key in stores.plans.unsettled(limit=AT_ONCE))
    teams = (partial(follow_team, stores, team_id=key, now=now) for key in stores.teams.unsettled(limit=AT_ONCE))
    return sum(_survived(plans)) + sum(_survived(teams))


def _survived(work: Iterable[Callable[[], bool]]) -> Iterable[bool]:
    for one in work:
        try:
            yield one()
        except DomainError as error:
            log.warning("assessments cannot follow yet", reason=error.message)
