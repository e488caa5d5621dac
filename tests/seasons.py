"""Teams, a ladder, plans, assessments and reports as a season leaves them, written straight to the store."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from uuid import uuid4

from apps.accounts.entities import Role, User
from apps.assessments.entities import (
    Answer,
    Assessment,
    AssessmentStatus,
    AssessmentType,
    Plan,
    PlanStatus,
    Report,
    Season,
)
from apps.assessments.ids import assessment_id, report_id
from apps.assessments.repository import Assessments, Plans, Reports, Seasons
from apps.assessments.variance import level_counts, variance_of
from apps.ladders.entities import LadderVersion
from apps.ladders.ladder import Category, Competency, Ladder, Level
from apps.ladders.repository import ACTIVE_LADDER, LadderVersions
from apps.storage.connection import Store
from apps.storage.pointers import Pointer, Pointers
from apps.teams.entities import Team, TeamMembership
from apps.teams.repository import Memberships, Teams
from tests.policy_runs.web import member

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LADDER = Ladder(
    categories=tuple(
        Category(
            title=category,
            competencies=tuple(
                Competency(
                    title=title,
                    levels=tuple(
                        Level(number=number, expectation=f"{title} at *{number}*.", explanation=f"What {number} means.")
                        for number in range(1, 8)
                    ),
                )
                for title in titles
            ),
        )
        for category, titles in {"Craft": ("Design", "Testing"), "People": ("Feedback",)}.items()
    )
)


def manager(store: Store, name: str = "Mona Manager") -> User:
    return member(store, Role.MANAGER, name=name)


def team_member(store: Store, name: str = "Timo Member") -> User:
    return member(store, Role.TEAM_MEMBER, name=name)


def admin(store: Store, name: str = "Ada Admin") -> User:
    return member(store, Role.ADMIN, name=name)


def team_of(store: Store, leader: User, *members: User, name: str = "Harbour") -> Team:
    """A team with these people in it, which nothing has yet to follow."""
    ids = frozenset(user.user_id for user in members)
    team = Team(team_id=str(uuid4()), team_name=name, manager_id=leader.user_id, member_ids=ids, member_count=len(ids))
    Memberships(store).put_many(TeamMembership(team_id=team.team_id, user_id=user_id) for user_id in ids)
    return Teams(store).add(team)


def active_ladder(store: Store, ladder: Ladder = LADDER, *, version: str = "1.0.0") -> LadderVersion:
    """A version of the ladder that is the active one from now on."""
    found = LadderVersions(store).add(
        LadderVersion(config_id=str(uuid4()), ladder_version=version, parsed_config=ladder, is_active=True)
    )
    Pointers(store).put_many([Pointer(name=ACTIVE_LADDER, target=found.config_id)])
    return found


def plan_of(
    store: Store,
    team: Team,
    ladder: LadderVersion,
    *,
    season: str = "2026-Q1",
    status: PlanStatus = PlanStatus.ACTIVE,
    start: date = date(2026, 1, 5),
    end: date = date(2026, 3, 31),
) -> Plan:
    """A plan of the team in this state; an active one has an assessment of each kind for each member, not begun."""
    is_active = status is PlanStatus.ACTIVE
    plan = Plans(store).add(
        Plan(
            plan_id=str(uuid4()),
            team_id=team.team_id,
            manager_id=team.manager_id,
            plan_name=f"{team.team_name} {season}",
            season=season,
            start_date=start,
            end_date=end,
            status=status,
            config_id=ladder.config_id,
            config_version=ladder.ladder_version,
            member_count=0 if status is PlanStatus.DRAFT else len(team.member_ids),
            active_season=season if is_active else None,
        )
    )
    Seasons(store).put_many([Season(season=season)])
    if is_active:
        Assessments(store).put_many(
            blank(plan, member_id, kind, team=team, ladder=ladder)
            for member_id in sorted(team.member_ids)
            for kind in AssessmentType
        )
    return plan


def blank(plan: Plan, member_id: str, kind: AssessmentType, *, team: Team, ladder: LadderVersion) -> Assessment:
    """An assessment that nobody has begun."""
    return Assessment(
        assessment_id=assessment_id(plan.plan_id, member_id, kind),
        plan_id=plan.plan_id,
        team_id=team.team_id,
        team_member_id=member_id,
        assessment_type=kind,
        assessor_id=member_id if kind is AssessmentType.SELF else team.manager_id,
        season=plan.season,
        config_id=plan.config_id,
        competency_count=len(list(ladder.ladder.places)),
    )


def filled_in(assessment: Assessment, ladder: Ladder, levels: Iterable[int], *, submitted: bool = True) -> Assessment:
    """The assessment with these levels, competency by competency, as far as they reach."""
    given = list(levels)
    for place, level in zip(ladder.places, given, strict=False):
        answer = Answer(level=level, evidence=f"Shows **{level}**.", next_level_feedback="More of it.")
        assessment = assessment.answered(place, answer, now=NOW)
    if not submitted:
        return assessment
    return assessment.evolve(
        status=AssessmentStatus.SUBMITTED,
        submitted_at=NOW,
        current_level=round(sum(given) / len(given)),
        way_forward="On and up.",
    )


def reported(
    store: Store,
    plan: Plan,
    member_id: str,
    *,
    team: Team,
    ladder: LadderVersion,
    own: Iterable[int],
    by_manager: Iterable[int],
) -> Report:
    """Both assessments submitted with these levels, and the report on them; the plan's counters follow."""
    pair = [
        filled_in(blank(plan, member_id, kind, team=team, ladder=ladder), ladder.ladder, levels)
        for kind, levels in ((AssessmentType.SELF, own), (AssessmentType.MANAGER, by_manager))
    ]
    Assessments(store).put_many(pair)
    variance = variance_of(pair[0].selections, pair[1].selections)
    report = Report(
        report_id=report_id(plan.plan_id, member_id),
        plan_id=plan.plan_id,
        team_id=team.team_id,
        team_member_id=member_id,
        season=plan.season,
        config_id=plan.config_id,
        self_assessment_id=pair[0].assessment_id,
        manager_assessment_id=pair[1].assessment_id,
        final_level=pair[1].current_level or 1,
        self_assessed_level=pair[0].current_level or 1,
        variance=variance,
        generated_at=NOW,
    )
    Reports(store).put_many([report])
    stored = Plans(store).get(plan.plan_id, consistent=True)
    counts = {category: dict(row) for category, row in stored.level_counts.items()}
    for category, row in level_counts(variance).items():
        for level, number in row.items():
            counts.setdefault(category, {})[level] = counts.get(category, {}).get(level, 0) + number
    Plans(store).save(
        stored.evolve(
            self_submitted=stored.self_submitted + 1,
            manager_submitted=stored.manager_submitted + 1,
            report_count=stored.report_count + 1,
            level_counts=counts,
        )
    )
    return report
