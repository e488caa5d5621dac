"""Writes the demo's seasons, once."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from apps.accounts.demo import DEMO_ACTOR, seed_demo_organisation
from apps.assessments.demo.filling import MANAGER, SELF, Sheet, assessment, report
from apps.assessments.demo.ladders import seed_former_ladder
from apps.assessments.demo.present import UNDER_WAY, Progress
from apps.assessments.entities import Assessment, AssessmentStatus, Plan, PlanStatus, Report, Season
from apps.assessments.stores import Stores, stores_on
from apps.assessments.variance import level_counts
from apps.errors import Forbidden
from apps.ladders.entities import LadderVersion
from apps.storage.conditions import Update
from apps.storage.connection import Store
from apps.storage.pointers import Pointer, Pointers
from apps.storage.transaction import Transaction
from apps.teams.demo import DEMO_TEAMS, seed_demo_teams
from apps.teams.entities import Team

SEASONS: Final = 4  # the last one is under way
BEGUN_DAYS_AGO: Final = 25
_DONE: Final = Pointer(name="demo-seasons", target="made")
_PLANS: Final = uuid.UUID("2a8b3a35-7c53-46a4-8b0d-c6b4a5b2d7f3")
_LATER: Final = {"Esi Mensah": 1, "Priya Raghunath": 1, "Helga Brandt": 2}  # joined with the season of this number


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """One plan to be made: whose, in which season, by which ladder, and how far it is."""

    team: Team
    members: tuple[tuple[str, str], ...]
    ladder: LadderVersion
    season: int
    name: str
    starts: date
    ends: date
    progress: Progress | None
    now: datetime


def seed_demo_seasons(store: Store, now: datetime, *, ladder: LadderVersion) -> None:
    """Make the demo organisation with its teams and seasons, unless that was done before.

    What a run that broke off has left is completed. `ladder` is the present version. Raises `Forbidden` where the store
    is not of the environment dev.
    """
    if store.environment != "dev":
        raise Forbidden("Demo seasons exist only where RUNGS_ENV is dev.")
    pointers = Pointers(store)
    if pointers.find(_DONE.name, consistent=True) is not None:
        return
    now = now.replace(microsecond=0)
    stores = stores_on(store)
    halves = _halves(now.date())
    began = _at(halves[0][1], days=-60)
    people = seed_demo_organisation(store, joined_at=began)
    teams = seed_demo_teams(store, people, founded_at=began)
    former = seed_former_ladder(stores.ladders, ladder, now=began)
    stores.seasons.put_many(Season(season=name) for name, _, _ in halves)
    for number in range(SEASONS):
        version = former if number == 0 else ladder
        _seed_season(stores, [*_plans(number, halves[number], teams, people, version, now=now)])
    pointers.put_many([_DONE])


def _plans(
    number: int,
    half: tuple[str, date, date],
    teams: list[Team],
    people: Mapping[str, str],
    ladder: LadderVersion,
    *,
    now: datetime,
) -> Iterator[_Work]:
    """The plans of the season of this number."""
    is_last = number == SEASONS - 1
    for team in teams:
        names = next((one[3].split(", ") for one in DEMO_TEAMS if one[0] == team.team_name), [])
        progress = UNDER_WAY[team.team_name] if is_last else None
        starts, ends = half[1], half[2]
        if progress is not None:
            starts = now.date() - timedelta(days=0 if progress.is_draft else BEGUN_DAYS_AGO)
            ends = now.date() + timedelta(days=progress.ends_in_days)
        yield _Work(
            team=team,
            members=tuple((name, people[name]) for name in names if _LATER.get(name, 0) <= number),
            ladder=ladder,
            season=number,
            name=half[0],
            starts=starts,
            ends=ends,
            progress=progress,
            now=now,
        )


def _seed_season(stores: Stores, season: list[_Work]) -> None:
    """Make the plans that are missing: first what belongs to each, the plan last."""
    there = {plan.plan_id for plan in stores.plans.get_many([_plan_id(work) for work in season], consistent=True)}
    missing = [work for work in season if _plan_id(work) not in there]
    assessments: list[Assessment] = []
    reports: list[Report] = []
    plans: list[Plan] = []
    for work in missing:
        plan, of_plan, came = _made(work)
        plans.append(plan)
        assessments += of_plan
        reports += came
    stores.assessments.put_many(assessments)
    stores.reports.put_many(reports)
    made = Transaction(stores.store)
    for plan in plans:
        made.include(stores.plans.adding(plan))
        if plan.status is PlanStatus.ACTIVE:
            noted = Update(add={"active_plan_ids": {plan.plan_id}})
            made.include(stores.teams.updating(plan.team_id, noted))
        after = {"plan_name": plan.plan_name, "season": plan.season, "status": plan.status}
        at = plan.created_at or plan.activated_at or datetime.now(UTC)
        object_of = f"AssessmentPlans#{plan.plan_id}"
        made.include(stores.audit.recording(object_of, action="plan.created", actor=DEMO_ACTOR, at=at, after=after))
    made.commit()


def _made(work: _Work) -> tuple[Plan, list[Assessment], list[Report]]:
    plan = _plan(work)
    assessments: list[Assessment] = []
    reports: list[Report] = []
    if plan.status is PlanStatus.DRAFT:
        return plan, assessments, reports
    for place, (name, member_id) in enumerate(work.members):
        sheet = Sheet(
            person=name,
            member_id=member_id,
            manager_id=work.team.manager_id,
            plan=plan,
            ladder=work.ladder.ladder,
            season=work.season,
            begun_at=plan.activated_at or work.now,
        )
        own, by_manager = (
            assessment(
                sheet, kind, _status(work, place, own=kind is SELF), at=_written_at(work, place, own=kind is SELF)
            )
            for kind in (SELF, MANAGER)
        )
        assessments += [own, by_manager]
        if own.is_submitted and by_manager.is_submitted:
            reports.append(report(sheet, own, by_manager, discussed=work.progress is None))
    return _counted(plan, assessments, reports), assessments, reports


def _plan(work: _Work) -> Plan:
    is_over = work.progress is None
    is_draft = work.progress is not None and work.progress.is_draft
    begun_at = _at(work.starts)
    status = PlanStatus.DRAFT if is_draft else PlanStatus.ACTIVE
    if is_over:
        status = PlanStatus.COMPLETED if work.season == SEASONS - 2 else PlanStatus.ARCHIVED
    return Plan(
        plan_id=_plan_id(work),
        team_id=work.team.team_id,
        manager_id=work.team.manager_id,
        plan_name=f"{work.team.team_name} {work.name}",
        description="Look back at the half-year, and agree on what comes next.",
        season=work.name,
        start_date=work.starts,
        end_date=work.ends,
        status=status,
        config_id=work.ladder.config_id,
        config_version=work.ladder.ladder_version,
        member_count=0 if is_draft else len(work.members),
        active_season=work.name if status is PlanStatus.ACTIVE else None,
        activated_at=None if is_draft else begun_at,
        completed_at=_at(work.ends, days=8) if is_over else None,
        created_at=min(_at(work.starts, days=-3), work.now),
        updated_at=_at(work.ends, days=8) if is_over else min(begun_at, work.now),
        created_by=work.team.manager_id,
    )


def _counted(plan: Plan, assessments: list[Assessment], reports: list[Report]) -> Plan:
    """The plan with the counters that follow from what was submitted."""
    counts: dict[str, dict[str, int]] = {}
    for one in reports:
        for category, row in level_counts(one.variance).items():
            mine = counts.setdefault(category, {})
            for level, number in row.items():
                mine[level] = mine.get(level, 0) + number
    submitted = [one for one in assessments if one.is_submitted]
    return plan.evolve(
        self_submitted=sum(one.assessment_type is SELF for one in submitted),
        manager_submitted=sum(one.assessment_type is MANAGER for one in submitted),
        report_count=len(reports),
        level_counts=counts,
    )


def _status(work: _Work, place: int, *, own: bool) -> AssessmentStatus:
    return AssessmentStatus.SUBMITTED if work.progress is None else work.progress.state(place, own=own)


def _written_at(work: _Work, place: int, *, own: bool) -> datetime:
    """When the member's assessment of this kind was last changed: never in time to come."""
    if work.progress is None:
        return _at(work.starts, days=(5 if own else 12) + place, hours=place)
    return work.now - timedelta(days=(8 if own else 1) + place % 4, hours=place + 1)


def _plan_id(work: _Work) -> str:
    return str(uuid.uuid5(_PLANS, f"{work.team.team_id}/{work.season}"))


def _halves(today: date) -> list[tuple[str, date, date]]:
    """The half-years up to today's: the season's name, the first and the last day of its assessments."""
    found = []
    year, half = today.year, 1 if today.month <= 6 else 2  # noqa: PLR2004  (June)
    for _ in range(SEASONS):
        last_month = 6 if half == 1 else 12
        found.append((f"{year}-H{half}", date(year, last_month - 1, 4), date(year, last_month, 12)))
        year, half = (year, 1) if half == 2 else (year - 1, 2)  # noqa: PLR2004
    return found[::-1]


def _at(day: date, *, days: int = 0, hours: int = 0) -> datetime:
    return datetime.combine(day, time(8), tzinfo=UTC) + timedelta(days=days, hours=hours)
