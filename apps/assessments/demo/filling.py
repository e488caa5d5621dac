"""Assessments and reports of the demo people, as the services would have left them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.assessments.demo.levels import overall, scores
from apps.assessments.demo.texts import Writer
from apps.assessments.entities import Assessment, AssessmentStatus, AssessmentType, Feedback, Plan, Report
from apps.assessments.ids import assessment_id, report_id
from apps.assessments.variance import variance_of
from apps.ladders.ladder import Ladder, Place

SELF, MANAGER = AssessmentType.SELF, AssessmentType.MANAGER


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Whose assessments are filled in: the member by name and id, their manager, the plan and its ladder.

    `season` is the season's number, from 0; `begun_at` is when the plan was activated.
    """

    person: str
    member_id: str
    manager_id: str
    plan: Plan
    ladder: Ladder
    season: int
    begun_at: datetime

    @property
    def writer(self) -> Writer:
        """Who writes the texts."""
        return Writer(
            self.person, self.ladder, scores(self.person, self.ladder, season=self.season), season=self.season
        )


def assessment(sheet: Sheet, kind: AssessmentType, status: AssessmentStatus, *, at: datetime) -> Assessment:
    """The assessment of this kind in this state, last changed `at`."""
    places = list(sheet.ladder.places)
    own = kind is SELF
    blank = Assessment(
        assessment_id=assessment_id(sheet.plan.plan_id, sheet.member_id, kind),
        plan_id=sheet.plan.plan_id,
        team_id=sheet.plan.team_id,
        team_member_id=sheet.member_id,
        assessment_type=kind,
        assessor_id=sheet.member_id if own else sheet.manager_id,
        season=sheet.plan.season,
        config_id=sheet.plan.config_id,
        competency_count=len(places),
        created_at=sheet.begun_at,
        updated_at=sheet.begun_at,
    )
    if status is AssessmentStatus.NOT_STARTED:
        return blank
    done = places if status is AssessmentStatus.SUBMITTED else places[: max(1, len(places) * 7 // 12)]
    filled = blank.evolve(
        status=status,
        answered_count=len(done),
        revisions=_nested(dict.fromkeys(done, 1)),
        updated_at=at,
        **_answers(sheet, done, own=own),
    )
    if status is AssessmentStatus.IN_PROGRESS:
        return filled.evolve(resume_at=places[min(len(done), len(places) - 1)][0])
    writer = sheet.writer
    levels = writer.scores.own if own else writer.scores.by_manager
    return filled.evolve(
        current_level=overall(levels), way_forward=writer.way_forward(own=own), texts_revision=1, submitted_at=at
    )


def report(sheet: Sheet, own: Assessment, by_manager: Assessment, *, discussed: bool) -> Report:
    """What came of the two, both submitted; `discussed` says that the two have met since."""
    generated_at = max(one.submitted_at or sheet.begun_at for one in (own, by_manager))
    met_at = generated_at + timedelta(days=5)
    found = Report(
        report_id=report_id(sheet.plan.plan_id, sheet.member_id),
        plan_id=sheet.plan.plan_id,
        team_id=sheet.plan.team_id,
        team_member_id=sheet.member_id,
        season=sheet.plan.season,
        config_id=sheet.plan.config_id,
        self_assessment_id=own.assessment_id,
        manager_assessment_id=by_manager.assessment_id,
        final_level=by_manager.current_level or 1,
        self_assessed_level=own.current_level or 1,
        variance=variance_of(own.selections, by_manager.selections),
        generated_at=generated_at,
        created_at=generated_at,
        updated_at=met_at if discussed else generated_at,
        created_by=sheet.manager_id,
    )
    if not discussed:
        return found
    writer = sheet.writer
    return found.evolve(
        discussed_on=met_at.date(), discussion_notes=writer.notes(), next_steps=writer.next_steps(), updated_at=met_at
    )


def _answers(sheet: Sheet, places: list[Place], *, own: bool) -> dict[str, Mapping[str, Mapping[str, object]]]:
    writer = sheet.writer
    levels = writer.scores.own if own else writer.scores.by_manager
    feedback: dict[Place, Mapping[str, Feedback]] = {
        place: {str(levels[place]): writer.feedback(place, own=own)} for place in places
    }
    return {"selections": _nested({place: levels[place] for place in places}), "feedback": _nested(feedback)}


def _nested(values: Mapping[Place, object]) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for (category, competency), value in values.items():
        found.setdefault(category, {})[competency] = value
    return found
