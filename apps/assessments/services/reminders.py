"""Reminding people of what they have yet to submit: by a manager's wish, and by itself as a plan's end comes near.

Whoever reminds says so first, in the plan, on the condition that nobody did: of many workers one sends. Who has yet to
get their mail is noted there too and taken off one by one, so that a mail server that is down loses nothing: what is
left is sent again every ten minutes, for a day. A mail whose sending broke off half-way may come twice.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol

import structlog

from apps.accounts.entities import User
from apps.accounts.errors import MailNotSent
from apps.accounts.permissions import allowed
from apps.assessments.access import FILLED_IN_BY, concerning
from apps.assessments.entities import Assessment, Plan, PlanStatus
from apps.assessments.errors import PlanRefused
from apps.assessments.services.managed import managed_plan, object_of
from apps.assessments.stores import Stores
from apps.audit.entities import Actor
from apps.storage.conditions import Update, attribute
from apps.storage.errors import ConditionFailed, ItemNotFound
from apps.storage.transaction import Transaction
from apps.storage.writes import Write

AGAIN_AFTER: Final = timedelta(hours=1)
TRY_AGAIN_AFTER: Final = timedelta(minutes=10)
GIVE_UP_AFTER: Final = timedelta(days=1)
DAYS_BEFORE: Final = (7, 1)
OVERDUE_EVERY_DAYS: Final = 7
FIRST_HOUR_UTC: Final = 6  # nobody's telephone rings at midnight
PLANS_AT_ONCE: Final = 100
REFUSALS_IN_A_ROW: Final = 3
RUNGS: Final = Actor(actor_id="worker", name="Rungs, by itself")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits for somebody under one plan; `names` are those of the members, by id."""

    plan: Plan
    assessments: Sequence[Assessment]
    names: dict[str, str]


class Mailer(Protocol):
    """What sends a reminder."""

    def send(self, user: User, waiting: Sequence[Waiting], *, today: date) -> None:
        """Send it. Raises `MailNotSent`."""
        ...


def remind(stores: Stores, *, plan_id: str, user: User, actor: Actor, now: datetime) -> Plan:
    """Note that everybody who has yet to submit something is to be reminded; `send_reminders` then does it.

    Raises `PlanNotFound`, and `PlanRefused` for a plan that is not active, where everything is submitted, and within an
    hour of the last reminder.
    """
    plan, _ = managed_plan(stores, plan_id=plan_id, user=user)
    if plan.status is not PlanStatus.ACTIVE:
        raise PlanRefused("Only of an active plan can people be reminded.")
    too_soon = PlanRefused("People were reminded less than an hour ago. Wait until an hour has passed.")
    if plan.reminded_at is not None and now - plan.reminded_at < AGAIN_AFTER:
        raise too_soon
    people = awaited(stores, plan)
    if not people:
        raise PlanRefused("Everything is submitted: there is nobody to remind.")
    last = attribute("reminded_at")
    hour_passed = last.missing() | last.at_most(now - AGAIN_AFTER)
    noting = stores.plans.updating(plan_id, _noting(people, now), condition=_is_active & hour_passed)
    Transaction(stores.store, noting.otherwise(too_soon), _entry(stores, plan, people, actor, now)).commit()
    return stores.plans.get(plan_id, consistent=True)


def remind_by_itself(stores: Stores, *, now: datetime) -> list[str]:
    """Note reminders for plans whose end is near, or past, and return the ids of those that this caller is to send."""
    if now.hour < FIRST_HOUR_UTC:
        return []
    today, noted = now.date(), []
    for plan in _ending(stores, until=today + timedelta(days=max(DAYS_BEFORE))):
        if not is_reminder_due(plan, today):
            continue
        people = awaited(stores, plan)
        change = _noting(people, now) if people else Update(set={"reminded_on": today})
        last = attribute("reminded_on")
        noting = stores.plans.updating(
            plan.plan_id, change, condition=_is_active & (last.missing() | last.below(today))
        )
        entry = [_entry(stores, plan, people, RUNGS, now)] if people else []
        with suppress(ConditionFailed):  # another worker was first
            Transaction(stores.store, noting, *entry).commit()
            noted.extend([plan.plan_id] if people else [])
    return noted


def is_reminder_due(plan: Plan, today: date) -> bool:
    """Whether an active plan's next reminder by itself has come: a week and a day before its end, weekly after it."""
    overdue = (today - plan.end_date).days
    if overdue > 0:
        came = plan.end_date + timedelta(days=1 + (overdue - 1) // OVERDUE_EVERY_DAYS * OVERDUE_EVERY_DAYS)
    else:
        days = [plan.end_date - timedelta(days=days) for days in DAYS_BEFORE]
        came = max((day for day in days if day <= today), default=date.min)
    last = max(plan.reminded_on or date.min, plan.activated_at.date() if plan.activated_at else date.min)
    return last < came


def take_up(stores: Stores, *, now: datetime) -> list[str]:
    """Plans whose reminders broke off, for this caller to send again; those of yesterday are given up."""
    taken = []
    for plan_id in stores.plans.reminding(limit=PLANS_AT_ONCE):
        plan = stores.plans.find(plan_id, consistent=True)
        if plan is None:
            continue
        if plan.reminded_at is None or now - plan.reminded_at > GIVE_UP_AFTER:
            log.error("reminders were given up: no mail server took them", plan=plan_id, people=len(plan.unreminded))
            stores.plans.update(plan_id, Update(remove=("reminding", "reminding_until", "unreminded")))
            continue
        until = attribute("reminding_until")
        with suppress(ConditionFailed, ItemNotFound):  # another worker is at it
            taking = Update(set={"reminding_until": now + TRY_AGAIN_AFTER})
            stores.plans.update(plan_id, taking, condition=until.missing() | until.at_most(now))
            taken.append(plan_id)
    return taken


def send_reminders(stores: Stores, mailer: Mailer, *, plan_ids: Sequence[str], now: datetime) -> int:
    """Send what was noted for these plans, one mail a person; how many went out.

    Who has submitted everything meanwhile, or may fill it in no more, gets none. After a few refusals in a row the rest
    is left for the next try.
    """
    plans = [plan for plan in stores.plans.get_many(plan_ids, consistent=True) if plan.status is PlanStatus.ACTIVE]
    sent, refused = 0, 0
    for user_id in sorted({user_id for plan in plans for user_id in plan.unreminded}):
        try:
            sent += _send_one(stores, mailer, user_id, now=now)
            refused = 0
        except MailNotSent:
            refused += 1
            if refused == REFUSALS_IN_A_ROW:
                break
            continue
        for plan in plans:
            if user_id in plan.unreminded:
                stores.plans.update(plan.plan_id, Update(discard={"unreminded": {user_id}}))
    for plan in plans:
        with suppress(ConditionFailed):  # somebody's mail has yet to go out
            done = Update(remove=("reminding", "reminding_until"))
            stores.plans.update(plan.plan_id, done, condition=attribute("unreminded").missing())
    return sent


def awaited(stores: Stores, plan: Plan) -> frozenset[str]:
    """Ids of those who have yet to submit something under this plan; the index lags."""
    return frozenset(one.assessor_id for one in stores.assessments.matrix(plan.plan_id) if one.is_open)


def waiting_for(stores: Stores, person: User) -> list[Waiting]:
    """All that waits for this person under active plans and that they may still fill in, the first due first."""
    listed = stores.assessments.waiting_for(person.user_id)
    teams = {team.team_id: team for team in stores.teams.get_many({one.team_id for one in listed})}
    found = [
        one
        for one in listed
        if allowed(person, FILLED_IN_BY[one.assessment_type], concerning(teams.get(one.team_id), one))
    ]
    plans = stores.plans.get_many({one.plan_id for one in found})
    people = stores.users.get_many({one.team_member_id for one in found} - {person.user_id})
    names = {one.user_id: one.name for one in people}
    active = sorted((plan for plan in plans if plan.status is PlanStatus.ACTIVE), key=lambda plan: plan.end_date)
    return [
        Waiting(plan=plan, assessments=[one for one in found if one.plan_id == plan.plan_id], names=names)
        for plan in active
    ]


def _send_one(stores: Stores, mailer: Mailer, user_id: str, *, now: datetime) -> int:
    person = stores.users.find(user_id, consistent=True)
    if person is None or not (waiting := waiting_for(stores, person)):
        return 0
    mailer.send(person, waiting, today=now.date())
    return 1


def _ending(stores: Stores, *, until: date) -> Iterable[Plan]:
    page = stores.plans.under_way(ending_by=until, limit=PLANS_AT_ONCE)
    yield from page.items
    while page.next:
        page = stores.plans.under_way(ending_by=until, limit=PLANS_AT_ONCE, cursor=page.next)
        yield from page.items


def _noting(people: frozenset[str], now: datetime) -> Update:
    noted: dict[str, Any] = {
        "reminded_at": now,
        "reminded_on": now.date(),
        "unreminded": people,
        "reminding": "yes",
        "reminding_until": now + TRY_AGAIN_AFTER,
    }
    return Update(set=noted)


def _entry(stores: Stores, plan: Plan, people: frozenset[str], actor: Actor, now: datetime) -> Write:
    after = {"people": len(people)}
    return stores.audit.recording(object_of(plan), action="plan.reminded", actor=actor, at=now, after=after)


_is_active = attribute("status").equals(PlanStatus.ACTIVE)
