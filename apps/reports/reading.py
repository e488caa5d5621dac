"""Reports for somebody: in a fixed small number of requests, and as far as the table of permissions lets them.

What a person may not see is `ReportNotFound`, `PlanNotFound` or `NotFound`, like what is not there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from apps.accounts.entities import Role, User
from apps.accounts.permissions import Permission, allowed, require
from apps.assessments.access import concerning
from apps.assessments.entities import Assessment, Plan, Report
from apps.assessments.errors import PlanNotFound, ReportNotFound
from apps.assessments.stores import Stores
from apps.errors import NotFound
from apps.ladders.entities import LadderVersion
from apps.ladders.ladder import Ladder
from apps.storage.page import Page
from apps.storage.transaction import read_together
from apps.teams.entities import Team

MOST_BESIDE: Final = 90
"""Teams, or people, that are read together with the rest in one request."""
HIDDEN: Final = "There is no such page, or you may not see it."
MOST_PLANS: Final = 3000
"""Plans of a season that the organisation's page adds up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneReport:
    """A report with all that its page shows; what was deleted since is None."""

    report: Report
    member: User | None
    team: Team | None
    plan: Plan | None
    ladder_version: LadderVersion | None
    own: Assessment | None
    by_manager: Assessment | None
    history: Sequence[Report]

    @property
    def ladder(self) -> Ladder | None:
        """The ladder that it was assessed by, however old."""
        return self.ladder_version.ladder if self.ladder_version else None

    @property
    def member_name(self) -> str:
        """Whom it is about."""
        return self.member.name if self.member else "Somebody who is gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePerson:
    """The reports on one person that the reader may see, the first season first, and the teams they were made in."""

    member: User
    reports: Sequence[Report]
    teams: Mapping[str, Team]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePlan:
    """The reports that came of a plan, by name of the member."""

    plan: Plan
    team: Team | None
    ladder_version: LadderVersion | None
    reports: Sequence[Report]
    names: Mapping[str, str]

    @property
    def ladder(self) -> Ladder | None:
        """The ladder of the plan."""
        return self.ladder_version.ladder if self.ladder_version else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OneSeason:
    """The plans of a season with their counters; `is_cut` where there are more than were read."""

    season: str
    seasons: Sequence[str]
    plans: Sequence[Plan]
    is_cut: bool


def one_report(stores: Stores, *, report_id: str, reader: User) -> OneReport:
    """The report, with both assessments as they are now; three requests. Raises `ReportNotFound`."""
    report = stores.reports.find(report_id, consistent=True)
    if report is None:
        raise ReportNotFound
    listed = stores.reports.of_member(report.team_member_id)
    team_ids = _of_teams([report, *listed])
    member, plan, version, own, by_manager, *teams = read_together(
        stores.store,
        stores.users.reading(report.team_member_id),
        stores.plans.reading(report.plan_id),
        stores.ladders.reading(report.config_id),
        stores.assessments.reading(report.self_assessment_id),
        stores.assessments.reading(report.manager_assessment_id),
        *(stores.teams.reading(team_id) for team_id in team_ids),
    )
    found = {team.team_id: team for team in teams if team is not None}
    if not _may_see(reader, report, found):
        raise ReportNotFound
    others = [one for one in listed if one.report_id != report_id and _may_see(reader, one, found)]
    order = [one.report_id for one in listed]
    history = sorted([*others, report], key=lambda one: _place(order, one.report_id))
    return OneReport(
        report=report,
        member=member,
        team=found.get(report.team_id),
        plan=plan,
        ladder_version=version,
        own=own,
        by_manager=by_manager,
        history=history,
    )


def one_person(stores: Stores, *, user_id: str, reader: User) -> OnePerson:
    """Somebody's reports that the reader may see, over all seasons; two requests. Raises `NotFound`.

    Of people without a report that they may see, administrators read that there is none, and everybody of themselves.
    """
    listed = stores.reports.of_member(user_id)
    member, *teams = read_together(
        stores.store,
        stores.users.reading(user_id),
        *(stores.teams.reading(team_id) for team_id in _of_teams(listed)),
    )
    found = {team.team_id: team for team in teams if team is not None}
    reports = [report for report in listed if _may_see(reader, report, found)]
    themselves = user_id == reader.user_id and Role.TEAM_MEMBER in reader.roles
    if member is None or not (reports or themselves or allowed(reader, Permission.REPORT_SEE)):
        raise NotFound(HIDDEN)
    return OnePerson(member=member, reports=reports, teams=found)


def one_plan(stores: Stores, *, plan_id: str, reader: User) -> OnePlan:
    """A plan's reports, for who leads its team; three requests for up to 90 members. Raises `PlanNotFound`."""
    plan = stores.plans.find(plan_id, consistent=True)
    if plan is None:
        raise PlanNotFound
    listed = stores.reports.of_plan(plan_id)
    ids = sorted({report.team_member_id for report in listed})
    team, version, *users = read_together(
        stores.store,
        stores.teams.reading(plan.team_id),
        stores.ladders.reading(plan.config_id),
        *(stores.users.reading(user_id) for user_id in ids[:MOST_BESIDE]),
    )
    if not allowed(reader, Permission.REPORT_SEE, concerning(team)):
        raise PlanNotFound
    reports = _for_leader(reader, listed, team)
    people = [*users, *(stores.users.get_many(ids[MOST_BESIDE:]) if ids[MOST_BESIDE:] else [])]
    names = {user.user_id: user.name for user in people if user is not None}
    reports.sort(key=lambda report: (names.get(report.team_member_id, "").casefold(), report.report_id))
    return OnePlan(plan=plan, team=team, ladder_version=version, reports=reports, names=names)


def reports_of_plan(stores: Stores, *, plan_id: str, reader: User, cursor: str | None = None) -> Page[Report]:
    """A page of a plan's reports; three requests. Raises `PlanNotFound`, `BadCursor`."""
    plan = stores.plans.find(plan_id, consistent=True)
    team = stores.teams.find(plan.team_id, consistent=True) if plan else None
    if plan is None or not allowed(reader, Permission.REPORT_SEE, concerning(team)):
        raise PlanNotFound
    page = stores.reports.listed(plan_id, cursor=cursor)
    return Page(items=_for_leader(reader, page.items, team), next=page.next, previous=page.previous)


def one_season(stores: Stores, *, season: str, reader: User) -> OneSeason:
    """All plans of a season, the newest one without a name; two requests, and one more a megabyte of plans.

    Raises `Forbidden` and `NotFound`.
    """
    require(reader, Permission.ORGANISATION_SEE)
    seasons = stores.seasons.names()
    chosen = season or (seasons[0] if seasons else "")
    if not chosen:
        return OneSeason(season="", seasons=(), plans=(), is_cut=False)
    if chosen not in seasons:
        raise NotFound("There is no plan of such a season.")
    page = stores.plans.of_season(chosen, limit=MOST_PLANS)
    return OneSeason(season=chosen, seasons=seasons, plans=page.items, is_cut=page.next is not None)


def _of_teams(reports: Iterable[Report]) -> list[str]:
    """Their teams: that of the first one and of the latest ones, as many as can be read together."""
    return list(dict.fromkeys(report.team_id for report in reports))[:MOST_BESIDE]


def _for_leader(reader: User, reports: Iterable[Report], team: Team | None) -> list[Report]:
    """Those that are theirs to hand out: not one on themselves, of the time before they led this team."""
    return [report for report in reports if allowed(reader, Permission.REPORT_EXPORT, concerning(team, report))]


def _may_see(reader: User, report: Report, teams: Mapping[str, Team]) -> bool:
    return allowed(reader, Permission.REPORT_SEE, concerning(teams.get(report.team_id), report))


def _place(order: Sequence[str], report_id: str) -> int:
    """Where the index has it; the index lags, and what it has not yet is the newest."""
    return order.index(report_id) if report_id in order else len(order)
