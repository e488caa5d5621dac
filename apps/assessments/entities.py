"""Plans, assessments and reports: what they are and which changes they allow."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from apps.accounts.entities import display_name
from apps.assessments.seasons import SeasonName
from apps.assessments.variance import Variance
from apps.ladders.ladder import Place
from apps.storage.entity import Entity, Instant, Naming, Stamped, Stored, TimeForm, Unique

T = TypeVar("T")

LONGEST_ANSWER = 5000
LONGEST_TEXT = 10_000


class PlanStatus(StrEnum):
    """How far a plan is; it only ever goes forward."""

    DRAFT = "draft"
    ACTIVE = "active"
    COMPLETED = "completed"
    ARCHIVED = "archived"


class AssessmentType(StrEnum):
    """Whose view it is."""

    SELF = "self"
    MANAGER = "manager"


class AssessmentStatus(StrEnum):
    """How far an assessment is; *submitted* is locked. In the order of the alphabet the open ones come first."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    SUBMITTED = "submitted"


class Plan(Stamped):
    """One team's assessments of one season, by the version of the ladder that was active when the plan was made.

    `member_count` is the number of members who have assessments; the other counters are kept in the transactions of the
    submissions. `level_counts` sums up the reports: category -> level -> competencies that the manager gave it.
    `active_season` is the season while the plan is active: a team has one active plan a season. `unsettled` is there
    while its assessments have yet to follow it: from the activation until every member has theirs, and from the end
    until the open ones are locked. `edition` counts what people change, not the counters: two who edit notice each
    other, and nobody notices a submission. `manager_id` follows the team, to list by.

    `reminded_at` and `reminded_on` are the time and the day of the last reminder; `unreminded` are those whose mail has
    yet to go out: as long as there are any `reminding` is there, and until `reminding_until` somebody is at it.
    """

    naming = Naming.CAMEL
    times = TimeForm.MILLISECONDS
    derived: ClassVar[Mapping[str, str]] = {"due": "{due}"}
    unique: ClassVar[tuple[Unique, ...]] = (
        Unique("active_season", within="team_id", message="This team has an active plan for this season already."),
    )

    edition: int = 1
    plan_id: str
    team_id: str
    manager_id: str | None = None
    plan_name: Annotated[str, AfterValidator(display_name)]
    description: str = Field(default="", max_length=2000)
    season: SeasonName
    start_date: date
    end_date: date
    status: PlanStatus = PlanStatus.DRAFT
    config_id: str
    config_version: str
    member_count: int = 0
    self_submitted: int = 0
    manager_submitted: int = 0
    report_count: int = 0
    level_counts: Mapping[str, Mapping[str, int]] = {}
    active_season: str | None = None
    unsettled: Literal["yes"] | None = None
    activated_at: Instant | None = None
    completed_at: Instant | None = None
    reminded_on: date | None = None
    reminded_at: Instant | None = None
    reminding: Literal["yes"] | None = None
    reminding_until: Instant | None = None
    unreminded: frozenset[str] = frozenset()

    @property
    def due(self) -> str | None:
        """`open` while the plan is active: what the index of plans under way is read by."""
        return "open" if self.status is PlanStatus.ACTIVE else None

    @property
    def assessment_count(self) -> int:
        """Assessments that the plan asks for: two a member."""
        return 2 * self.member_count

    @property
    def submitted(self) -> int:
        """Assessments that were submitted, of both kinds."""
        return self.self_submitted + self.manager_submitted

    @property
    def percent_submitted(self) -> int:
        """Whole percent of the assessments that were submitted; 0 where there are none."""
        return 100 * self.submitted // self.assessment_count if self.member_count else 0

    def is_overdue(self, today: date) -> bool:
        """Whether the plan is active past its end."""
        return self.status is PlanStatus.ACTIVE and today > self.end_date

    def __str__(self) -> str:
        return self.plan_name


class Season(Entity):
    """A season for which there is, or was, a plan."""

    board: Literal["all"] = "all"
    season: str


class Feedback(BaseModel):
    """What was written about one competency: what shows the level chosen, and what would show the next one."""

    model_config = ConfigDict(frozen=True)

    evidence: str = Field(default="", max_length=LONGEST_ANSWER)
    next_level_feedback: Annotated[str, Stored(name="nextLevelFeedback")] = Field(default="", max_length=LONGEST_ANSWER)


class Answer(BaseModel):
    """All that an assessor said about one competency. `level` is None until one is chosen."""

    model_config = ConfigDict(frozen=True)

    level: int | None = None
    evidence: str = Field(default="", max_length=LONGEST_ANSWER)
    next_level_feedback: str = Field(default="", max_length=LONGEST_ANSWER)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said."""
        return self == Answer()


class Assessment(Stamped):
    """One view of one member under one plan: their own or their manager's.

    `selections` and `feedback` go category -> competency -> level; feedback has one level a competency, that of the
    selection, or `0` while none is chosen. `revisions` counts the changes of each competency's answer, so that a writer
    notices another one; `texts_revision` those of current level and way forward. `resume_at` is the title of the
    category where the assessor left. `reopened_at` is there from a reopening until the next submission. `ended_at` is
    there where it stays unfinished: its plan ended, or the member left the team before anything was submitted.
    `config_id`, `season` and the ids are the plan's: they never change. One read from a list has no answers.
    """

    naming = Naming.CAMEL
    times = TimeForm.MILLISECONDS

    assessment_id: str
    plan_id: str
    team_id: str
    team_member_id: str
    assessment_type: AssessmentType
    assessor_id: str
    season: str
    config_id: str
    status: AssessmentStatus = AssessmentStatus.NOT_STARTED
    selections: Mapping[str, Mapping[str, int]] = {}
    feedback: Mapping[str, Mapping[str, Mapping[str, Feedback]]] = {}
    revisions: Mapping[str, Mapping[str, int]] = {}
    current_level: int | None = None
    way_forward: str = Field(default="", max_length=LONGEST_TEXT)
    texts_revision: int = 0
    answered_count: int = 0
    competency_count: int = 0
    resume_at: str = ""
    submitted_at: Instant | None = None
    reopened_at: Instant | None = None
    ended_at: Instant | None = None

    @property
    def is_submitted(self) -> bool:
        """Whether its assessor handed it in."""
        return self.status is AssessmentStatus.SUBMITTED

    @property
    def is_open(self) -> bool:
        """Whether it waits for its assessor: neither submitted nor left unfinished."""
        return not self.is_submitted and self.ended_at is None

    def without_answers(self) -> Self:
        """The same for whom its answers are not to read."""
        return self.evolve(selections={}, feedback={}, current_level=None, way_forward="")

    def answer(self, place: Place) -> Answer:
        """What was said about this competency."""
        category, competency = place
        level = self.selections.get(category, {}).get(competency)
        written = self.feedback.get(category, {}).get(competency, {}).get(str(level or 0), Feedback())
        return Answer(level=level, evidence=written.evidence, next_level_feedback=written.next_level_feedback)

    @property
    def answers_revision(self) -> int:
        """How often any competency's answer was changed: the same number, the same answers."""
        return sum(number for row in self.revisions.values() for number in row.values())

    def revision(self, place: Place) -> int:
        """How often this competency's answer was changed."""
        return self.revisions.get(place[0], {}).get(place[1], 0)

    def answered(self, place: Place, answer: Answer, *, now: datetime) -> Self:
        """The assessment with this answer in place of the former one; the same where it is the former one.

        Whether the ladder has such a place and level is for the caller to know.
        """
        if answer == self.answer(place):
            return self
        category, competency = place
        written = Feedback(evidence=answer.evidence, next_level_feedback=answer.next_level_feedback)
        by_level = {} if written == Feedback() else {str(answer.level or 0): written}
        selections = _with(self.selections, place, answer.level)
        return self.evolve(
            status=AssessmentStatus.IN_PROGRESS if self.status is AssessmentStatus.NOT_STARTED else self.status,
            selections=selections,
            feedback=_with(self.feedback, place, by_level or None),
            revisions=_with(self.revisions, place, self.revision((category, competency)) + 1),
            answered_count=sum(len(row) for row in selections.values()),
            updated_at=now,
        )

    def concluded(self, current_level: int | None, way_forward: str, *, now: datetime) -> Self:
        """The assessment with this overall level and way forward; the same where they are the former ones."""
        if (current_level, way_forward) == (self.current_level, self.way_forward):
            return self
        return self.evolve(
            status=AssessmentStatus.IN_PROGRESS if self.status is AssessmentStatus.NOT_STARTED else self.status,
            current_level=current_level,
            way_forward=way_forward,
            texts_revision=self.texts_revision + 1,
            updated_at=now,
        )


class Report(Stamped):
    """What came of one member's two assessments: the levels, and where the two views differ.

    `report_id` follows from plan and member: there is one. `final_level` is the manager's. `reopened_at` is there while
    one of the assessments is open again: the report then says what was submitted before. Notes and next steps are
    written after the two have met; `notes_revision` counts their changes, so that a writer notices another one, and
    not that somebody exported the report.
    """

    naming = Naming.CAMEL
    times = TimeForm.MILLISECONDS

    report_id: str
    plan_id: str
    team_id: str
    team_member_id: str
    season: str
    config_id: str
    self_assessment_id: str
    manager_assessment_id: str
    final_level: int
    self_assessed_level: int
    variance: Variance
    generated_at: Instant
    exported_at: Instant | None = None
    reopened_at: Instant | None = None
    discussed_on: date | None = None
    discussion_notes: str = Field(default="", max_length=LONGEST_TEXT)
    next_steps: str = Field(default="", max_length=LONGEST_TEXT)
    notes_revision: int = 0


def _with(stored: Mapping[str, Mapping[str, T]], place: Place, value: T | None) -> dict[str, dict[str, T]]:
    """The map with this value at the place, or with nothing there where it is None; no category is left empty."""
    changed = {category: dict(row) for category, row in stored.items()}
    category, competency = place
    changed.setdefault(category, {}).pop(competency, None)
    if value is not None:
        changed[category][competency] = value
    return {category: row for category, row in changed.items() if row}
