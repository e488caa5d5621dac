"""What the pages of an assessment send when they work without a script."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from apps.assessments.entities import Answer
from apps.assessments.errors import InvalidAnswer
from apps.assessments.services.answering import GivenAnswer, GivenConclusion, Saved
from apps.assessments.showing.assessments import ShownCompetency
from apps.ladders.ladder import Category


def answers_in(post: Mapping[str, str], category: Category) -> list[GivenAnswer]:
    """The answers of a category's form, as they were typed."""
    return [
        GivenAnswer(
            place=(category.title, competency.title),
            level=number_in(post.get(f"level-{number}", "")),
            evidence=text_in(post.get(f"evidence-{number}", "")),
            next_level_feedback=text_in(post.get(f"next-{number}", "")),
            revision=number_in(post.get(f"revision-{number}", "")) or 0,
        )
        for number, competency in enumerate(category.competencies, 1)
        if f"revision-{number}" in post
    ]


def conclusion_in(post: Mapping[str, str]) -> GivenConclusion:
    """Overall level and way forward of the review's form."""
    return GivenConclusion(
        current_level=number_in(post.get("current_level", "")),
        way_forward=text_in(post.get("way_forward", "")),
        revision=number_in(post.get("texts_revision", "")) or 0,
    )


def number_in(text: str) -> int | None:
    """A small whole number; None for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None  # noqa: PLR2004


def text_in(text: str) -> str:
    """A text with its lines ended as a script would send them."""
    return text.replace("\r\n", "\n")


def as_typed(
    shown: Sequence[ShownCompetency], given: Sequence[GivenAnswer], refused: InvalidAnswer | None = None
) -> list[ShownCompetency]:
    """The competencies with what was typed in place of what is stored, and what is wrong with it."""
    typed = {one.place: one for one in given}
    return [
        replace(one, answer=_shown(mine), revision=mine.revision, errors=_errors(refused, one.competency.title))
        if (mine := typed.get((one.category, one.competency.title)))
        else one
        for one in shown
    ]


def with_conflicts(
    shown: Sequence[ShownCompetency], given: Sequence[GivenAnswer], saved: Saved
) -> list[ShownCompetency]:
    """The competencies with what was typed; beside what was changed elsewhere, so that saving again replaces it."""
    outcomes = {one.place: one for one in saved.answers}
    typed = as_typed(shown, given)
    return [
        replace(one, revision=outcome.revision, stored=None if outcome.is_saved else outcome.answer)
        if (outcome := outcomes.get((one.category, one.competency.title)))
        else one
        for one in typed
    ]


def _shown(given: GivenAnswer) -> Answer:
    """A typed answer of any length: what is too long must stay to be shortened."""
    return Answer.model_construct(
        level=given.level, evidence=given.evidence, next_level_feedback=given.next_level_feedback
    )


def _errors(refused: InvalidAnswer | None, title: str) -> dict[str, str]:
    if refused is None:
        return {}
    return {
        str(finding.get("field", "level")): str(finding["message"])
        for finding in refused.details()
        if finding.get("competency") == title
    }
