"""The questions that are asked of plans, assessments and reports."""

from datetime import date, datetime

from apps.assessments.entities import Assessment, AssessmentStatus, Plan, PlanStatus, Report, Season
from apps.assessments.seasons import season_order
from apps.assessments.tables import ASSESSMENT_PLANS, ASSESSMENT_REPORTS, ASSESSMENTS, SEASONS
from apps.storage.conditions import Query, at_most, attribute, below, equals, everything
from apps.storage.page import Page
from apps.storage.repository import Repository

MOST_PLANS_OF_A_TEAM = 100
MOST_IN_A_MATRIX = 400  # two for each of the most members that a team can have
MOST_WAITING = 200
MOST_SEASONS = 100
READ_BUDGET = 1000


class Plans(Repository[Plan]):
    """The plans; a team has one active plan a season."""

    entity = Plan
    table = ASSESSMENT_PLANS
    noun = "plan"

    def of_team(self, team_id: str) -> list[Plan]:
        """A team's plans, the newest season first; the index lags."""
        page = self.page(Query(partition=team_id, index="teamId-index"), limit=MOST_PLANS_OF_A_TEAM)
        return sorted(page.items, key=lambda plan: (season_order(plan.season), plan.start_date), reverse=True)

    def of_manager(
        self,
        user_id: str,
        *,
        season: str = "",
        status: PlanStatus | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Plan]:
        """Plans of the teams that this person leads, the last to end first. Raises `BadCursor`."""
        wanted = everything(
            attribute("season").equals(season) if season else None,
            attribute("status").equals(status) if status else None,
        )
        query = Query(partition=user_id, index="managerId-endDate-index", descending=True, filter=wanted)
        return self.page(query, limit=limit, cursor=cursor, budget=READ_BUDGET)

    def in_state(self, status: PlanStatus, *, limit: int = 50, cursor: str | None = None) -> Page[Plan]:
        """Plans in a state, in no order. Raises `BadCursor`."""
        return self.page(Query(partition=status, index="status-index"), limit=limit, cursor=cursor)

    def of_season(
        self, season: str, *, status: PlanStatus | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Plan]:
        """Plans of a season by team id, with their counters and level counts. Raises `BadCursor`."""
        wanted = attribute("status").equals(status) if status else None
        query = Query(partition=season, index="season-index", filter=wanted)
        return self.page(query, limit=limit, cursor=cursor, budget=READ_BUDGET)

    def under_way(self, *, ending_by: date | None = None, limit: int = 50, cursor: str | None = None) -> Page[Plan]:
        """Active plans, the first due first, or those that end until a day. Raises `BadCursor`."""
        sort = at_most(ending_by) if ending_by else None
        return self.page(Query(partition="open", index="due-endDate-index", sort=sort), limit=limit, cursor=cursor)

    def unsettled(self, *, limit: int) -> list[str]:
        """Ids of plans whose assessments have yet to follow them."""
        return [str(key) for key in self.keys(Query(partition="yes", index="unsettled-index"), limit=limit)]

    def reminding(self, *, limit: int) -> list[str]:
        """Ids of plans that have reminders yet to go out."""
        return [str(key) for key in self.keys(Query(partition="yes", index="reminding-index"), limit=limit)]


class Assessments(Repository[Assessment]):
    """The assessments; their ids follow from plan, member and kind."""

    entity = Assessment
    table = ASSESSMENTS
    noun = "assessment"

    def matrix(self, plan_id: str) -> list[Assessment]:
        """Every assessment of a plan by member, without its answers; the index lags."""
        return list(self.page(Query(partition=plan_id, index="planId-matrix-index"), limit=MOST_IN_A_MATRIX).items)

    def waiting_for(self, assessor_id: str) -> list[Assessment]:
        """What this person has begun or has yet to begin, without its answers; the index lags."""
        still_open = below(AssessmentStatus.SUBMITTED)
        not_ended = attribute("ended_at").missing()
        query = Query(partition=assessor_id, index="assessorId-status-index", sort=still_open, filter=not_ended)
        return list(self.page(query, limit=MOST_WAITING).items)

    def finished_by(self, assessor_id: str, *, since: datetime) -> list[Assessment]:
        """What this person has submitted since then, without its answers; the index lags."""
        query = Query(
            partition=assessor_id,
            index="assessorId-status-index",
            sort=equals(AssessmentStatus.SUBMITTED),
            filter=attribute("submitted_at").at_least(since),
        )
        return list(self.page(query, limit=MOST_WAITING).items)

    def given_by(
        self, assessor_id: str, *, status: AssessmentStatus | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Assessment]:
        """What this person assesses or has assessed, the open ones first, without answers. Raises `BadCursor`."""
        sort = equals(status) if status else None
        query = Query(partition=assessor_id, index="assessorId-status-index", sort=sort)
        return self.page(query, limit=limit, cursor=cursor)


class Reports(Repository[Report]):
    """The reports; there is one for each member and plan."""

    entity = Report
    table = ASSESSMENT_REPORTS
    noun = "report"

    def of_plan(self, plan_id: str) -> list[Report]:
        """A plan's reports, without notes and next steps; the index lags."""
        return list(self.page(Query(partition=plan_id, index="planId-index"), limit=MOST_IN_A_MATRIX).items)

    def listed(self, plan_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[Report]:
        """A page of a plan's reports, without notes and next steps; the index lags. Raises `BadCursor`."""
        return self.page(Query(partition=plan_id, index="planId-index"), limit=limit, cursor=cursor)

    def of_member(self, member_id: str) -> list[Report]:
        """The reports on this person, by season, the first one first, without notes and next steps; the index lags."""
        page = self.page(Query(partition=member_id, index="teamMemberId-index"), limit=MOST_SEASONS)
        return sorted(page.items, key=lambda report: (season_order(report.season), report.generated_at))


class Seasons(Repository[Season]):
    """The seasons for which there is, or was, a plan."""

    entity = Season
    table = SEASONS
    noun = "season"

    def names(self) -> list[str]:
        """Their names, the newest first."""
        page = self.page(Query(partition="all", descending=True), limit=MOST_SEASONS)
        return sorted((found.season for found in page.items), key=season_order, reverse=True)
