"""What the pages and exports of a report show, beside its numbers: what was written, competency by competency."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.assessments.entities import Answer, Assessment
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


def submitted(assessment: Assessment | None) -> Assessment | None:
    """The assessment while it is locked. One that was reopened is a draft again, which is nobody's to read here."""
    return assessment if assessment is not None and assessment.is_submitted else None


def chapters(one: OneReport) -> list[Chapter]:
    """Every competency that both scored, in the ladder's order, by category."""
    found: dict[str, list[Written]] = {}
    for score in scores(one.report.variance, one.ladder):
        found.setdefault(score.place[0], []).append(_written(one, score))
    return [Chapter(title=title, parts=parts) for title, parts in found.items()]


def _written(one: OneReport, score: Score) -> Written:
    own, manager = submitted(one.own), submitted(one.by_manager)
    competency = one.ladder.competency(score.place) if one.ladder else None
    return Written(
        score=score,
        own=own.answer(score.place) if own else None,
        manager=manager.answer(score.place) if manager else None,
        own_level=competency.level(score.difference.self_score) if competency else None,
        manager_level=competency.level(score.difference.manager_score) if competency else None,
    )
