"""Reminders: who gets them, when they go out by themselves, and what a mail server that is down does to them."""

import asyncio
import smtplib
from datetime import date, timedelta

import pytest
from django.core import mail

from apps.accounts.entities import Role
from apps.accounts.wiring import later
from apps.assessments.entities import AssessmentStatus, AssessmentType, Plan
from apps.assessments.errors import PlanNotFound, PlanRefused
from apps.assessments.handler import SeasonHandler
from apps.assessments.ids import assessment_id
from apps.assessments.mail import ReminderMailer
from apps.assessments.services.reminders import (
    is_reminder_due,
    remind,
    remind_by_itself,
    send_reminders,
    take_up,
)
from tests.assessments.plans.planning import NOW, season_on
from tests.policy_runs.web import browser
from tests.seasons import manager

SITE = ReminderMailer(site="https://rungs.example.org")
END = date(2026, 3, 31)
WEEK_BEFORE = NOW.replace(month=3, day=24)


class Down:
    """A mail server that takes nothing from one on."""

    def __init__(self, *, after: int = 0) -> None:
        self.left = after

    def __call__(self, *_: object, **__: object) -> int:
        if self.left <= 0:
            raise smtplib.SMTPServerDisconnected("gone")
        self.left -= 1
        return 1


def sent_to() -> list[str]:
    return sorted(message.to[0] for message in mail.outbox)


def reminded(season, plan: Plan, *, at=NOW) -> Plan:
    return remind(season.stores, plan_id=plan.plan_id, **{**season.by, "now": at})


def test_everybody_who_has_something_open_gets_one_mail_with_all_of_it(season) -> None:
    plan = season.activated()
    own = season.stores.assessments.get(assessment_id(plan.plan_id, season.members[0].user_id, AssessmentType.SELF))
    season.stores.assessments.save(own.evolve(status=AssessmentStatus.SUBMITTED, submitted_at=NOW))
    assert reminded(season, plan).unreminded == {season.members[1].user_id, season.boss.user_id}
    assert send_reminders(season.stores, SITE, plan_ids=[plan.plan_id], now=NOW) == 2
    assert sent_to() == sorted([season.members[1].email, season.boss.email])
    (to_boss,) = [message for message in mail.outbox if message.to == [season.boss.email]]
    assert to_boss.subject == "2 assessments wait for you"
    assert "Spring, due 31 March 2026" in to_boss.body
    first = assessment_id(plan.plan_id, season.members[0].user_id, AssessmentType.MANAGER)
    assert f"- Your assessment of Timo Member 0: https://rungs.example.org/assessments/{first}/\n" in to_boss.body
    stored = season.stored(plan)
    assert (stored.unreminded, stored.reminding, stored.reminded_on) == (frozenset(), None, NOW.date())


def test_whoever_has_something_open_under_two_plans_gets_one_mail(store) -> None:
    season = season_on(store)
    plans = [season.activated(), season.activated(season.draft(plan_name="Summer", season="2026-Q2"))]
    for plan in plans:
        reminded(season, plan)
    send_reminders(season.stores, SITE, plan_ids=[plan.plan_id for plan in plans], now=NOW)
    assert sent_to() == sorted(user.email for user in (*season.members, season.boss))
    assert all("Spring" in message.body and "Summer" in message.body for message in mail.outbox)


def test_reminding_is_refused_within_an_hour_without_anybody_to_remind_and_to_others(season) -> None:
    draft = season.draft()
    with pytest.raises(PlanRefused, match="active"):
        reminded(season, draft)
    plan = season.activated(draft)
    nils = manager(season.stores.store, name="Nils Other")
    with pytest.raises(PlanNotFound):
        remind(season.stores, plan_id=plan.plan_id, user=nils, actor=nils.acting(), now=NOW)
    reminded(season, plan)
    with pytest.raises(PlanRefused, match="an hour"):
        reminded(season, plan, at=NOW + timedelta(minutes=59))
    reminded(season, plan, at=NOW + timedelta(hours=1))
    for one in season.stores.assessments.get_many([one.assessment_id for one in season.assessments(plan)]):
        season.stores.assessments.save(one.evolve(status=AssessmentStatus.SUBMITTED, submitted_at=NOW))
    with pytest.raises(PlanRefused, match="nobody to remind"):
        reminded(season, plan, at=NOW + timedelta(hours=3))


def test_of_several_who_remind_at_once_one_does(season, in_threads) -> None:
    plan, done = season.activated(), []

    def act(_: int) -> None:
        try:
            done.append(reminded(season, plan))
        except PlanRefused:
            return

    in_threads(4, act)
    assert len(done) == 1
    entries = season.stores.audit.of(f"AssessmentPlans#{plan.plan_id}").items
    assert [entry.after for entry in entries if entry.action == "plan.reminded"] == [{"people": 3}]


@pytest.mark.parametrize(
    ("today", "last", "is_due"),
    [
        (END - timedelta(days=8), None, False),
        (END - timedelta(days=7), None, True),
        (END - timedelta(days=5), None, True),  # no worker ran on the very day
        (END - timedelta(days=5), END - timedelta(days=7), False),
        (END - timedelta(days=1), END - timedelta(days=7), True),
        (END - timedelta(days=1), END - timedelta(days=1), False),
        (END, END - timedelta(days=1), False),
        (END + timedelta(days=1), END - timedelta(days=1), True),
        (END + timedelta(days=7), END + timedelta(days=1), False),
        (END + timedelta(days=8), END + timedelta(days=1), True),
        (END + timedelta(days=20), END + timedelta(days=15), False),
    ],
)
def test_reminders_come_a_week_and_a_day_before_the_end_and_weekly_after_it(season, today, last, is_due) -> None:
    plan = season.activated().evolve(reminded_on=last)
    assert is_reminder_due(plan, today) is is_due


def test_a_plan_activated_within_its_last_week_is_not_reminded_at_once(season) -> None:
    plan = season.activated().evolve(activated_at=WEEK_BEFORE + timedelta(days=2))
    assert not is_reminder_due(plan, WEEK_BEFORE.date() + timedelta(days=3))
    assert is_reminder_due(plan, END - timedelta(days=1))


def test_of_many_workers_one_reminds_once_a_day(season, in_threads) -> None:
    plan, noted = season.activated(), []
    in_threads(4, lambda _: noted.extend(remind_by_itself(season.stores, now=WEEK_BEFORE)))
    assert noted == [plan.plan_id]
    assert remind_by_itself(season.stores, now=WEEK_BEFORE + timedelta(hours=5)) == []
    assert remind_by_itself(season.stores, now=WEEK_BEFORE.replace(day=30, hour=3)) == [], "not at night"
    assert remind_by_itself(season.stores, now=WEEK_BEFORE.replace(day=30)) == [plan.plan_id]


def test_a_mail_server_that_is_down_loses_nothing_and_is_said(season, monkeypatch) -> None:
    plan = season.activated()
    reminded(season, plan)
    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMessage.send", Down(after=1))
        assert send_reminders(season.stores, SITE, plan_ids=[plan.plan_id], now=NOW) == 1
    assert len(season.stored(plan).unreminded) == 2
    page = browser(season.boss).get(f"/plans/{plan.plan_id}/").content.decode()
    assert "2 of the last reminders have not gone out yet" in page
    assert take_up(season.stores, now=NOW + timedelta(minutes=9)) == [], "somebody is at it"
    again = NOW + timedelta(minutes=10)
    assert take_up(season.stores, now=again) == [plan.plan_id]
    assert take_up(season.stores, now=again) == [], "another worker is"
    assert send_reminders(season.stores, SITE, plan_ids=[plan.plan_id], now=again) == 2
    assert season.stored(plan).reminding is None
    assert "not gone out yet" not in browser(season.boss).get(f"/plans/{plan.plan_id}/").content.decode()


def test_after_a_day_without_a_mail_server_it_is_given_up_until_the_next_reminder(season, monkeypatch) -> None:
    plan = season.activated()
    reminded(season, plan)
    monkeypatch.setattr("django.core.mail.EmailMessage.send", Down())
    send_reminders(season.stores, SITE, plan_ids=[plan.plan_id], now=NOW)
    assert take_up(season.stores, now=NOW + timedelta(days=1, minutes=1)) == []
    stored = season.stored(plan)
    assert (stored.unreminded, stored.reminding) == (frozenset(), None)


def test_who_has_submitted_meanwhile_or_has_gone_gets_no_mail(season) -> None:
    plan = season.activated()
    reminded(season, plan)
    season.stores.users.save(season.members[0].evolve(is_active=False))
    season.completed(plan)
    assert send_reminders(season.stores, SITE, plan_ids=[plan.plan_id], now=NOW) == 0
    assert mail.outbox == [] and season.stored(plan).reminding is None


def test_whose_role_was_taken_is_not_written_whom_they_were_to_assess(season) -> None:
    plan = season.activated()
    reminded(season, plan)
    season.stores.users.save(season.boss.evolve(roles=frozenset({Role.TEAM_MEMBER})))
    assert send_reminders(season.stores, SITE, plan_ids=[plan.plan_id], now=NOW) == 2
    assert sent_to() == sorted(user.email for user in season.members)


def test_the_worker_reminds_by_itself_off_its_own_path(season) -> None:
    plan = season.activated()
    handler = SeasonHandler(lambda: season.stores)
    asyncio.run(handler.sweep(now=WEEK_BEFORE))
    assert later().settle(seconds=10)
    assert len(sent_to()) == 3
    assert season.stored(plan).reminded_on == WEEK_BEFORE.date()


def test_the_worker_without_work_asks_three_small_questions_a_minute_and_one_more_every_ten(season, costs) -> None:
    season.activated()
    handler = SeasonHandler(lambda: season.stores)
    with costs(requests=4, rcu=2, wcu=0):
        asyncio.run(handler.sweep(now=NOW))
    with costs(requests=3, rcu=1.5, wcu=0):
        asyncio.run(handler.sweep(now=NOW + timedelta(minutes=9)))


def test_the_button_says_whom_it_writes_to_and_then_does(season) -> None:
    plan, client = season.activated(), browser(season.boss)
    page = client.get(f"/plans/{plan.plan_id}/").content.decode()
    assert "each of 3 people" in page and "Mona Manager, Timo Member 0, Timo Member 1" in page
    answer = client.post(f"/plans/{plan.plan_id}/remind/", follow=True).content.decode()
    assert "3 people are being reminded by e-mail." in answer
    assert later().settle(seconds=10)
    assert len(sent_to()) == 3
    assert 'data-dialog="remind"' not in answer
    assert "The next one can be sent an hour later." in answer
    refused = client.post(f"/plans/{plan.plan_id}/remind/", follow=True).content.decode()
    assert "less than an hour ago" in refused
