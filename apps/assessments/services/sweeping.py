"""What broke off is finished: plans and teams whose assessments have yet to follow them."""

import random
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from apps.assessments.services.settling import follow_team, settle_plan
from apps.assessments.stores import Stores
from apps.errors import DomainError

AT_ONCE: Final = 50
MOST_KNOWN: Final = 2000

log = structlog.get_logger(__name__)


def settle_all(stores: Stores, *, now: datetime) -> int:
    """Finish what is unsettled, so much at a time; how many were. What cannot be settled holds up nothing else."""
    plans = (partial(settle_plan, stores, plan_id=key, now=now) for key in _some(stores.plans.unsettled))
    teams = (partial(follow_team, stores, team_id=key, now=now) for key in _some(stores.teams.unsettled))
    return sum(_survived(plans)) + sum(_survived(teams))


def _some(unsettled: Callable[..., list[str]]) -> list[str]:
    """By chance: those that cannot be would else come first every time, and all workers would take up the same."""
    keys = unsettled(limit=MOST_KNOWN)
    return random.sample(keys, min(AT_ONCE, len(keys)))


def _survived(work: Iterable[Callable[[], bool]]) -> Iterable[bool]:
    for one in work:
        try:
            yield one()
        except DomainError as error:
            log.warning("assessments cannot follow yet", reason=error.message)
