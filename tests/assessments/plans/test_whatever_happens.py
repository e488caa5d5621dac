"""A season in which anything happens in any order, on a good line and a bad one: what is counted is what is stored."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.retries import quota, standard

from apps.accounts.entities import Role, User
from apps.accounts.repository import Users
from apps.assessments.entities import Assessment, AssessmentType, Plan, PlanStatus, Report
from apps.assessments.ids import assessment_id, report_id
from apps.assessments.services.activation import follow_team
from apps.assessments.services.answering import GivenAnswer, GivenConclusion, save_answers
from apps.assessments.services.submitting import generate_report, reopen, submit
from apps.assessments.services.sweeping import settle_all
from apps.assessments.stores import stores_on
from apps.errors import DomainError
from apps.storage.conditions import Query
from apps.storage.connection import Store
from apps.storage.plane import backoff
from apps.teams.services import add_members, give_to, remove_members
from apps.teams.stores import stores_on as teams_on
from tests.assessments.plans.planning import NOW, Season, season_on
from tests.conftest import FilledStore
from tests.seasons import LADDER, admin, manager
from tests.storage.fault_proxy import Fault, by_chance, fault_proxy

STEPS = 80
SEED = 1
FAULTS = {Fault.RESET_BEFORE: 0.05, Fault.RESET_AFTER: 0.1, Fault.SERVER_ERROR_AFTER: 0.05, Fault.CONFLICT: 0.1}


@dataclass
class Story:
    """A team of three under an active plan, and chance; `line` is the way to the store of whoever does something."""

    season: Season
    line: Store
    plan: Plan
    ada: User
    bosses: list[User]
    chance: random.Random

    def __post_init__(self) -> None:
        self.stores, self.stores_of_teams = stores_on(self.line), teams_on(self.line)

    def boss(self) -> User:
        led_by = self.season.team_now().manager_id
        return next(one for one in self.bosses if one.user_id == led_by)

    def someone(self) -> User:
        return self.chance.choice(self.season.members)

    def by(self, user: User) -> dict[str, Any]:
        return {"by": user, "actor": user.acting(), "now": NOW}

    def one(self) -> tuple[str, User]:
        """An assessment, and who is to answer it."""
        member, kind = self.someone(), self.chance.choice(list(AssessmentType))
        by = member if kind is AssessmentType.SELF else self.boss()
        return assessment_id(self.plan.plan_id, member.user_id, kind), by

    def join(self) -> None:
        new = {"team_id": self.season.team.team_id, "user_ids": [self.someone().user_id]}
        add_members(self.stores_of_teams, **new, **self.by(self.boss()))

    def leave(self) -> None:
        gone = {"team_id": self.season.team.team_id, "user_ids": [self.someone().user_id]}
        remove_members(self.stores_of_teams, **gone, **self.by(self.boss()))

    def give_away(self) -> None:
        to = self.chance.choice(self.bosses).user_id
        give_to(self.stores_of_teams, team_id=self.season.team.team_id, manager_id=to, **self.by(self.ada))

    def follow(self) -> None:
        if self.chance.random() < 0.5:
            follow_team(self.stores, team_id=self.season.team.team_id, now=NOW)
        else:
            settle_all(self.stores, now=NOW)

    def answer(self) -> None:
        self.answered(*self.one())

    def answered(self, key: str, by: User) -> None:
        known = self.season.stores.assessments.get(key, consistent=True)
        given = [
            GivenAnswer(place=place, level=self.chance.randint(1, 7), revision=known.revision(place))
            for place in LADDER.places
        ]
        overall = GivenConclusion(current_level=self.chance.randint(1, 7), revision=known.texts_revision)
        save_answers(self.stores, assessment_id=key, by=by, now=NOW, answers=given, conclusion=overall)

    def submit(self) -> None:
        key, by = self.one()
        if self.chance.random() < 0.5:
            self.answered(key, by)
        submit(self.stores, assessment_id=key, **self.by(by))

    def reopen(self) -> None:
        key, _ = self.one()
        reopen(self.stores, assessment_id=key, reason="A slip.", **self.by(self.ada))

    def report(self) -> None:
        member = self.someone().user_id
        generate_report(self.stores, plan_id=self.plan.plan_id, member_id=member, **self.by(self.ada))

    def stored(self) -> tuple[dict[str, dict[AssessmentType, Assessment]], list[Report]]:
        stores, people = self.season.stores, [user.user_id for user in self.season.members]
        ids = [assessment_id(self.plan.plan_id, member, kind) for member in people for kind in AssessmentType]
        rows: dict[str, dict[AssessmentType, Assessment]] = {}
        for one in stores.assessments.get_many(ids, consistent=True):
            rows.setdefault(one.team_member_id, {})[one.assessment_type] = one
        reports = stores.reports.get_many((report_id(self.plan.plan_id, who) for who in people), consistent=True)
        assert len(stores.reports.of_plan(self.plan.plan_id)) == len(reports)
        assert len(self.season.assessments(self.plan)) == sum(map(len, rows.values()))
        return rows, reports

    def check(self) -> None:
        stores, team, plan = self.season.stores, self.season.team_now(), self.season.stored(self.plan)
        rows, reports = self.stored()
        members = list(stores.memberships.stream(Query(partition=team.team_id)))
        assert {one.user_id for one in members} == team.member_ids
        assert team.member_count == len(team.member_ids) and team.manager_id not in team.member_ids

        done = Counter(one.assessment_type for row in rows.values() for one in row.values() if one.is_submitted)
        assert (plan.self_submitted, plan.manager_submitted) == (
            done[AssessmentType.SELF],
            done[AssessmentType.MANAGER],
        )
        assert plan.report_count == len(reports)
        levels = Counter(
            (category, str(one.manager_score))
            for report in reports
            for category, row in report.variance.items()
            for one in row.values()
        )
        assert levels == {
            (key, level): number for key, row in plan.level_counts.items() for level, number in row.items()
        }
        said = {report.team_member_id: report for report in reports}
        for member, row in rows.items():
            both = all(one.is_submitted for one in row.values())
            assert both is (member in said and said[member].reopened_at is None)
            for report in [said[member]] if both else []:
                scores = {place: report.variance[place[0]][place[1]] for place in LADDER.places}
                for place, score in scores.items():
                    own, by_boss = (row[kind].answer(place).level for kind in AssessmentType)
                    assert (score.self_score, score.manager_score) == (own, by_boss)

        is_active = plan.status is PlanStatus.ACTIVE
        guarded = stores.plans.find_unique("active_season", plan.season, within=team.team_id)
        assert (guarded is not None, plan.plan_id in team.active_plan_ids) == (is_active, is_active)
        if team.unsettled or plan.unsettled:
            return
        if not is_active:
            assert not [one for row in rows.values() for one in row.values() if one.is_open]
            return
        counting = {
            key for key, row in rows.items() if any(one.is_submitted or one.reopened_at for one in row.values())
        }
        assert team.member_ids <= rows.keys()
        assert plan.member_count == len(team.member_ids | counting) and plan.manager_id == team.manager_id
        for member, row in rows.items():
            counts = member in team.member_ids | counting
            for one in row.values():
                nobodys = one.assessment_type is AssessmentType.MANAGER and team.manager_id == member
                assert one.is_submitted or one.is_open is (counts and not nobodys)
            boss = row[AssessmentType.MANAGER]
            assert boss.assessor_id == team.manager_id or not boss.is_open


@pytest.fixture(params=["good", "bad"])
def line(request: pytest.FixtureRequest, store: FilledStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store, or a way to it on which much is refused, and more is done without an answer."""
    if request.param == "good":
        yield store
        return
    store.fill()
    monkeypatch.setattr(backoff, "LONGEST_SECONDS", 0.0)
    monkeypatch.setattr(standard.ExponentialBackoff, "delay_amount", lambda *_: 0.0)
    monkeypatch.setattr(quota.RetryQuota, "acquire", lambda *_: True)
    with fault_proxy(str(store.endpoint)) as proxy:
        proxy.plan = by_chance(FAULTS, seed=1)
        yield Store(environment="dev", prefix=store.prefix, endpoint=proxy.address, region="eu-west-1", attempts=2)
        assert proxy.count(Fault.RESET_AFTER) > 10


def test_after_every_step_of_any_story_the_counters_are_a_recount(store, line) -> None:
    season = season_on(store, members=3)
    promoted = Users(store).save(season.members[2].evolve(roles={Role.TEAM_MEMBER, Role.MANAGER}))
    bosses = [season.boss, manager(store, name="Nils New"), promoted]
    story = Story(season, line, season.activated(), admin(store), bosses, random.Random(SEED))  # noqa: S311
    ways: list[Callable[[], None]] = [
        story.join,
        story.leave,
        story.give_away,
        *[story.follow] * 4,
        story.answer,
        *[story.submit] * 6,
        *[story.reopen] * 2,
        story.report,
    ]
    happened: Counter[str] = Counter()
    for _ in range(STEPS):
        step = story.chance.choice(ways)
        try:
            step()
            happened[step.__name__] += 1
        except DomainError:
            happened["refused"] += 1
        story.check()
    settle_all(season.stores, now=NOW)
    story.check()
    season.boss = story.ada
    season.completed(story.plan)
    story.check()
    assert happened["submit"] > 3 and happened["reopen"] and happened["leave"], happened
