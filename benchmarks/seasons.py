"""What the pages of teams, plans, assessments and reports cost, and how long they take, in a large organisation.

    .venv/bin/python -m benchmarks.seasons [MEMBERS]

10,000 members in 1,000 teams with five seasons of two assessments each, 100,000 in all, are loaded into an in-memory
engine; then each page is asked for in turn, so that all share whatever else the machine does.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
os.environ.setdefault("RUNGS_LOG_LEVEL", "ERROR")

import django

django.setup()

import orjson
from django.conf import settings
from django.test import Client
from django.urls import NoReverseMatch, reverse
from rich.console import Console
from rich.table import Table

from apps.accounts.entities import Role, User
from apps.accounts.middleware import AUTH_EPOCH
from apps.assessments.demo.filling import MANAGER, SELF, Sheet, assessment, report
from apps.assessments.entities import Assessment, AssessmentStatus, Plan, PlanStatus, Report, Season
from apps.assessments.ids import assessment_id, report_id
from apps.assessments.stores import Stores, stores_on
from apps.assessments.variance import level_counts
from apps.ladders.demo import seed_demo_ladder
from apps.ladders.entities import LadderVersion
from apps.storage import connection
from apps.storage.connection import Store
from apps.storage.engine import memory_engine
from apps.storage.metering import metering
from apps.storage.registry import declared_tables
from apps.storage.schema.apply import set_up
from apps.storage.sessions import USER_ID, SessionStore
from apps.storage.transaction import Transaction
from apps.storage.writes import Write
from apps.teams.entities import Team, TeamMembership

ROOT = Path(__file__).resolve().parent.parent
SEASONS: Final = ("2024-H1", "2024-H2", "2025-H1", "2025-H2", "2026-H1")
FORMER: Final = ("2020-H2", "2021-H1", "2021-H2", "2022-H1", "2022-H2", "2023-H1", "2023-H2")
OF_A_TEAM, OF_THE_LARGE_TEAM = 10, 50
TEAMS_A_MANAGER: Final = 2
PATTERNS: Final = 40  # different people, as far as their levels and texts go
A_TRANSACTION: Final = 48
AT_ONCE: Final = 2_000
TIMES: Final = 40
NOW: Final = datetime.now(UTC).replace(microsecond=0)


def main() -> None:
    """Load, measure every page, and print them below each other."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with memory_engine(ROOT / ".rungs") as endpoint:
        site = Site.filled(endpoint, number=number)
        measured: dict[str, list[Sample]] = {}
        for turn in range(TIMES + 1):
            for name, ask in PAGES.items():
                try:
                    found = sample(ask, site)
                except NoReverseMatch:
                    continue
                if turn:  # the first turn loads templates and modules
                    measured.setdefault(name, []).append(found)
    show(measured, site)


@dataclass(frozen=True, slots=True)
class Sample:
    """One page: how long it took, and what it asked of the store."""

    seconds: float
    requests: int
    read_units: float


@dataclass
class Site:
    """The organisation in a store, and a browser for each of those who look."""

    store: Store
    number: int
    stores: Stores = field(init=False)
    browsers: dict[str, Client] = field(default_factory=dict)
    saves: int = 0

    def __post_init__(self) -> None:
        self.stores = stores_on(self.store)
        connection._default = self.store  # noqa: SLF001  (as the tests do: a process has one store)

    @classmethod
    def filled(cls, endpoint: str, *, number: int) -> "Site":
        """The site, with everybody and everything in it."""
        store = Store(environment="dev", prefix="seasons", endpoint=endpoint, region="us-east-1")
        set_up(store, declared_tables())
        site = cls(store=store, number=number)
        started = time.perf_counter()
        Filling(site.stores, number=number).fill()
        for who in (person(0), person(2), leader(0), person(-1)):
            session = SessionStore()
            session[USER_ID], session[AUTH_EPOCH] = who, 0
            session.create()
            client = Client(headers={"host": "localhost"})
            client.cookies[settings.SESSION_COOKIE_NAME] = str(session.session_key)
            site.browsers[who] = client
        Console(stderr=True).print(f"loaded in {time.perf_counter() - started:.0f} s")
        return site

    def get(self, address: str, *, by: str) -> str:
        """The page. Raises `RuntimeError` where it is none."""
        answer = self.browsers[by].get(address)
        if answer.status_code != 200:  # noqa: PLR2004
            raise RuntimeError(f"{address} answered {answer.status_code}")
        return answer.content.decode()


def autosave(site: Site) -> None:
    """Save one answer of an assessment under way, as its page does while somebody types."""
    address = f"/api/assessments/{assessment_id(plan_id(0, NEWEST), person(2), SELF)}"
    answer = {
        "category": "Craft",
        "competency": "Testing",
        "level": 1 + site.saves % 5,
        "evidence": f"In the spring release I wrote the tests first, for the {site.saves}th time.",
        "nextLevelFeedback": "Next season I want to do it across teams.",
        "revision": site.saves,
    }
    body = orjson.dumps({"answers": [answer]})
    said = site.browsers[person(2)].patch(address, body, content_type="application/json")
    if said.status_code != 200:  # noqa: PLR2004
        raise RuntimeError(f"saving answered {said.status_code}: {said.content.decode()[:300]}")
    site.saves += 1


def person(position: int) -> str:
    """The user id of a member; that of the administrator at -1."""
    return f"00000000-0000-4000-8000-{position + 1:012}"


def leader(position: int) -> str:
    """The user id of a manager."""
    return f"00000000-0000-4000-9000-{position:012}"


def team_id(position: int) -> str:
    """The key of a team."""
    return f"00000000-0000-4000-a000-{position:012}"


def plan_id(team: int, season: str) -> str:
    """The key of a team's plan of a season."""
    return f"{team_id(team)[:-12]}{SEASONS.index(season):04}{team:08}"


class Filling:
    """Writes the organisation, in batches."""

    def __init__(self, stores: Stores, *, number: int) -> None:
        """`number` is how many members there are."""
        self.stores = stores
        self.number = number
        self.teams = list(self._members())

    def _members(self) -> Iterator[range]:
        """Positions of the members of each team; the first team is the large one."""
        first = 0
        while first < self.number:
            size = OF_A_TEAM if first else min(OF_THE_LARGE_TEAM, self.number)
            yield range(first, min(first + size, self.number))
            first += size

    def fill(self) -> None:
        """Everybody, the teams, and season after season."""
        ladder = seed_demo_ladder(self.stores.store, now=NOW)
        self._people()
        self._teams()
        self.stores.seasons.put_many(Season(season=season) for season in SEASONS)
        for number, season in enumerate(SEASONS):
            self._season(season, number, ladder)
        self._former(ladder)

    def _people(self) -> None:
        leaders = (len(self.teams) + TEAMS_A_MANAGER - 1) // TEAMS_A_MANAGER
        users = [
            somebody(person(-1), "Zoe Administrator", Role.ADMIN),
            *(somebody(leader(one), f"Lee Manager {one:05}", Role.MANAGER) for one in range(leaders)),
            *(somebody(person(one), f"Max Member {one:05}", Role.TEAM_MEMBER) for one in range(self.number)),
        ]
        self._commit(self.stores.users.adding(user) for user in users)

    def _teams(self) -> None:
        teams = [
            Team(
                team_id=team_id(one),
                team_name=f"Team {one:05}",
                manager_id=leader(one // TEAMS_A_MANAGER),
                member_ids=frozenset(map(person, members)),
                member_count=len(members),
                active_plan_ids=frozenset({plan_id(one, SEASONS[-1])}),
                created_at=NOW,
                updated_at=NOW,
            )
            for one, members in enumerate(self.teams)
        ]
        self._commit(self.stores.teams.adding(team) for team in teams)
        self.stores.memberships.put_many(
            TeamMembership(team_id=team.team_id, user_id=user_id, created_at=NOW, updated_at=NOW)
            for team in teams
            for user_id in team.member_ids
        )

    def _season(self, season: str, number: int, ladder: LadderVersion) -> None:
        """A season's assessments and reports, then its plans with their counters; half of the last one is open."""
        is_last = season == SEASONS[-1]
        patterns = [pattern(one, season, number, ladder) for one in range(PATTERNS)]
        assessments: list[Assessment] = []
        reports: list[Report] = []
        plans: list[Plan] = []
        for team, members in enumerate(self.teams):
            plan = the_plan(team, season, ladder, is_last=is_last)
            counts: dict[str, dict[str, int]] = {}
            done = 0
            for member in members:
                own, by_manager, made = patterns[member % PATTERNS]
                is_open = is_last and member % 2 == 0
                pair = map(not_begun, (own, by_manager)) if is_open else (own, by_manager)
                assessments += [theirs(one, plan, member, team) for one in pair]
                if not is_open:
                    done += 1
                    reports.append(reported(made, plan, member))
                    for category, row in level_counts(made.variance).items():
                        mine = counts.setdefault(category, {})
                        for level, many in row.items():
                            mine[level] = mine.get(level, 0) + many
            counters = {"self_submitted": done, "manager_submitted": done, "report_count": done}
            plans.append(plan.evolve(member_count=len(members), level_counts=counts, **counters))
            if len(assessments) > AT_ONCE or team == len(self.teams) - 1:
                self.stores.assessments.put_many(assessments)
                self.stores.reports.put_many(reports)
                assessments, reports = [], []
        self._commit(self.stores.plans.adding(plan) for plan in plans)
        Console(stderr=True).print(f"{season} is there")

    def _former(self, ladder: LadderVersion) -> None:
        """Seven more seasons of one member, so that there are twelve."""
        for number, season in enumerate(FORMER):
            made = pattern(0, season, number, ladder)[2]
            plan = the_plan(0, SEASONS[0], ladder, is_last=False).evolve(plan_id=f"former-{season}", season=season)
            self.stores.reports.put_many([reported(made, plan, 0).evolve(season=season)])
        own, by_manager, made = pattern(0, SEASONS[-1], len(SEASONS) - 1, ladder)
        plan = the_plan(0, SEASONS[-1], ladder, is_last=True)
        self.stores.reports.put_many([reported(made, plan, 0)])
        self.stores.assessments.put_many([theirs(one, plan, 0, 0) for one in (own, by_manager)])

    def _commit(self, writes: Iterator[Write]) -> None:
        transaction = Transaction(self.stores.store)
        for write in writes:
            transaction.include(write)
            if len(transaction.writes) >= 2 * A_TRANSACTION:
                transaction.commit()
                transaction = Transaction(self.stores.store)
        transaction.commit()


def somebody(user_id: str, name: str, role: Role) -> User:
    """One of the users."""
    return User(
        user_id=user_id,
        email=f"{user_id}@example.org",
        name=name,
        roles=frozenset({role}),
        created_at=NOW,
        updated_at=NOW,
    )


def the_plan(team: int, season: str, ladder: LadderVersion, *, is_last: bool) -> Plan:
    """A team's plan, without its counters; that of the last season is under way and due within a month."""
    year, half = int(season[:4]), season[-1]
    ends = NOW.date() + timedelta(days=team % 30) if is_last else date(year, 6 if half == "1" else 12, 15)
    return Plan(
        plan_id=plan_id(team, season),
        team_id=team_id(team),
        manager_id=leader(team // TEAMS_A_MANAGER),
        plan_name=f"Team {team:05} {season}",
        season=season,
        start_date=ends - timedelta(days=40),
        end_date=ends,
        status=PlanStatus.ACTIVE if is_last else PlanStatus.ARCHIVED,
        config_id=ladder.config_id,
        config_version=ladder.ladder_version,
        active_season=season if is_last else None,
        activated_at=NOW - timedelta(days=10) if is_last else None,
        created_at=NOW,
        updated_at=NOW,
    )


Pattern = tuple[Assessment, Assessment, Report]


def pattern(one: int, season: str, number: int, ladder: LadderVersion) -> Pattern:
    """Two assessments that are submitted, and the report on them: to be copied for many."""
    plan = the_plan(0, SEASONS[0], ladder, is_last=False).evolve(season=season)
    sheet = Sheet(
        person=f"Pat{one} Pattern",
        member_id="member",
        manager_id="manager",
        plan=plan,
        ladder=ladder.ladder,
        season=number,
        begun_at=NOW - timedelta(days=20),
    )
    own, by_manager = (assessment(sheet, kind, AssessmentStatus.SUBMITTED, at=NOW) for kind in (SELF, MANAGER))
    return own, by_manager, report(sheet, own, by_manager, discussed=True)


def not_begun(filled: Assessment) -> Assessment:
    """The assessment before anybody answered."""
    emptied = {"status": AssessmentStatus.NOT_STARTED, "selections": {}, "feedback": {}, "revisions": {}}
    return filled.evolve(**emptied, answered_count=0, submitted_at=None, current_level=None, way_forward="")


def theirs(copied: Assessment, plan: Plan, member: int, team: int) -> Assessment:
    """The assessment as one of this member."""
    kind = copied.assessment_type
    return copied.model_copy(
        update={
            "assessment_id": assessment_id(plan.plan_id, person(member), kind),
            "plan_id": plan.plan_id,
            "team_id": plan.team_id,
            "team_member_id": person(member),
            "assessor_id": person(member) if kind is SELF else leader(team // TEAMS_A_MANAGER),
            "season": plan.season,
            "config_id": plan.config_id,
        }
    )


def reported(copied: Report, plan: Plan, member: int) -> Report:
    """The report as one on this member."""
    return copied.model_copy(
        update={
            "report_id": report_id(plan.plan_id, person(member)),
            "plan_id": plan.plan_id,
            "team_id": plan.team_id,
            "team_member_id": person(member),
            "season": plan.season,
            "config_id": plan.config_id,
            "self_assessment_id": assessment_id(plan.plan_id, person(member), SELF),
            "manager_assessment_id": assessment_id(plan.plan_id, person(member), MANAGER),
        }
    )


NEWEST: Final = SEASONS[-1]
PAGES: dict[str, Callable[[Site], object]] = {
    "home, member": lambda site: site.get("/", by=person(2)),
    "home, manager of two teams": lambda site: site.get("/", by=leader(0)),
    "home, administrator": lambda site: site.get("/", by=person(-1)),
    "teams, list": lambda site: site.get(reverse("teams:list"), by=person(-1)),
    "team of 50": lambda site: site.get(reverse("teams:team", args=[team_id(0)]), by=leader(0)),
    "plans, list": lambda site: site.get(reverse("plans:list"), by=leader(0)),
    "plan, matrix of 50": lambda site: site.get(reverse("plans:plan", args=[plan_id(0, NEWEST)]), by=leader(0)),
    "assessments, list": lambda site: site.get(reverse("assessments:list"), by=leader(0)),
    "assessment": lambda site: site.get(
        reverse("assessments:assessment", args=[assessment_id(plan_id(0, NEWEST), person(2), MANAGER)]), by=leader(0)
    ),
    "autosave of one answer": autosave,
    "report": lambda site: site.get(
        reverse("reports:report", args=[report_id(plan_id(0, SEASONS[3]), person(0))]), by=person(0)
    ),
    "trend over 12 seasons": lambda site: site.get(reverse("reports:member", args=[person(0)]), by=person(0)),
    "heat map of 50": lambda site: site.get(reverse("reports:plan", args=[plan_id(0, SEASONS[3])]), by=leader(0)),
    "organisation": lambda site: site.get(reverse("reports:organisation"), by=person(-1)),
}


def sample(ask: Callable[[Site], object], site: Site) -> Sample:
    """Ask once."""
    started = time.perf_counter()
    with metering() as cost:
        ask(site)
    return Sample(time.perf_counter() - started, cost.total_requests, cost.read_units)


def show(measured: dict[str, list[Sample]], site: Site) -> None:
    """Print a row for each page; two of its requests tell who asks."""
    title = f"{site.number:,} members, {site.number * 2 * len(SEASONS):,} assessments"
    table = Table(title=title)
    for heading in ("page", "requests", "RCU", "median ms", "95 % ms"):
        table.add_column(heading, justify="left" if heading == "page" else "right")
    for name, samples in measured.items():
        late = statistics.quantiles((one.seconds for one in samples), n=20)[-1]
        median = statistics.median(one.seconds for one in samples)
        units = statistics.median(one.read_units for one in samples)
        requests = max(one.requests for one in samples)
        table.add_row(name, str(requests), f"{units:g}", f"{median * 1000:.1f}", f"{late * 1000:.1f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
