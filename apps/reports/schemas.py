"""Reports as the API says them."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from apps.api_shapes import Camel, Count
from apps.assessments.entities import LONGEST_TEXT

LONGEST_ID = 64

Id = Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]


class ReportOut(Camel):
    """What lists say of a report."""

    report_id: str
    plan_id: str
    team_id: str
    member_id: str
    season: str
    final_level: int
    self_assessed_level: int
    generated_at: datetime
    exported_at: datetime | None
    reopened_at: datetime | None
    discussed_on: date | None


class ReportPageOut(Camel):
    """A page of reports; `next` and `previous` are cursors."""

    items: list[ReportOut]
    next: str | None
    previous: str | None


class CategoryOut(Camel):
    """A category: the means of both views, and the largest difference that is beyond 2 levels."""

    title: str
    self_mean: float | None
    manager_mean: float | None
    largest_difference_that_stands_out: int | None


class CompetencyOut(Camel):
    """Both views of a competency; `difference` is manager minus self. Texts are Markdown as it was typed."""

    category: str
    competency: str
    self_score: int
    manager_score: int
    difference: int
    stands_out: bool
    self_evidence: str
    self_next_level: str
    manager_evidence: str
    manager_next_level: str


class HighlightOut(Camel):
    """A competency that is more than 2 levels apart."""

    category: str
    competency: str
    difference: int


class NotesOut(Camel):
    """What was written after the meeting; `revision` counts its changes."""

    discussed_on: date | None
    discussion_notes: str
    next_steps: str
    revision: int


class NotesIn(Camel):
    """Notes in place of those of `revision`; null for the day means that it is not known."""

    discussed_on: date | None = None
    discussion_notes: str = Field(default="", max_length=LONGEST_TEXT)
    next_steps: str = Field(default="", max_length=LONGEST_TEXT)
    revision: Count


class WholeReportOut(ReportOut):
    """A report with all that its page says, in the ladder's order; the furthest apart first among the highlights."""

    member_name: str
    team_name: str
    plan_name: str
    ladder_version: str
    categories: list[CategoryOut]
    competencies: list[CompetencyOut]
    highlights: list[HighlightOut]
    self_way_forward: str
    manager_way_forward: str
    notes: NotesOut


class GenerateIn(Camel):
    """Whose report to make, under which plan."""

    plan_id: Id
    member_id: Id


class LevelCountOut(Camel):
    """How often a level was given in a category."""

    category: str
    level: int
    number: int


class PlanProgressOut(Camel):
    """How far a plan is."""

    plan_id: str
    team_id: str
    plan_name: str
    status: str
    member_count: int
    self_submitted: int
    manager_submitted: int
    percent_submitted: int
    report_count: int


class OrganisationOut(Camel):
    """A season of the whole organisation; `isCut` where it has more plans than are added up."""

    season: str
    seasons: list[str]
    levels: list[LevelCountOut]
    plans: list[PlanProgressOut]
    is_cut: bool
