"""What the pages and exports of a report show, beside its numbers: what was written, competency by competency."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.assessments.entities import Answer, Assessment, Report
from apps.ladders.ladder import Level
from apps.reports.reading import OneReport
from apps.reports.scores import Score, scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What both wrote about one competency; None of whose assessment is open again, or gone."""

    score: Score
    own: Answer | None
    manager: Answer | None
    own_level: Level | None
    manager_level: Level | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A category of them."""

    title: str
    parts: Sequence[Written]


def reported(assessment: Assessment | None, report: Report) -> Assessment | None:
    """The assessment where the report was made of it as it is.

    One that was reopened is a draft again, and one that was submitted again before the other view was is not part of
    any report yet: neither is anybody's to read here.
    """
    if assessment is None or not assessment.is_submitted:
        return None
    again = report.reopened_at is not None and (assessment.submitted_at or report.reopened_at) > report.reopened_at
    return None if again else assessment


def chapters(one: OneReport) -> list[Chapter]:
    """Every competency that both scored, in the ladder's order, by category."""
    found: dict[str, list[Written]] = {}
    for score in scores(one.report.variance, one.ladder):
        found.setdefault(score.place[0], []).append(_written(one, score))
    return [Chapter(title=title, parts=parts) for title, parts in found.items()]


def _written(one: OneReport, score: Score) -> Written:
    own, manager = reported(one.own, one.report), reported(one.by_manager, one.report)
    competency = one.ladder.competency(score.place) if one.ladder else None
    return Written(
        score=score,
        own=own.answer(score.place) if own else None,
        manager=manager.answer(score.place) if manager else None,
        own_level=competency.level(score.difference.self_score) if competency else None,
        manager_level=competency.level(score.difference.manager_score) if competency else None,
    )
