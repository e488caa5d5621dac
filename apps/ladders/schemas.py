"""What the API of ladders says and takes."""

from datetime import datetime
from typing import Any

from pydantic import Field

from apps.api_shapes import Camel
from apps.ladders.comparing import CompetencyChange, Difference, LevelChange, TextChange
from apps.ladders.entities import SEMANTIC_VERSION, LadderVersion
from apps.ladders.ladder import Level, Place


class LadderIn(Camel):
    """A version of the ladder to store."""

    content: str = Field(description="Markdown: # category, ## competency, 1. level, its explanation indented.")
    ladder_version: str = Field(pattern=SEMANTIC_VERSION, description="Higher than that of the active ladder: 1.2.0.")
    note: str = Field(default="", max_length=500)


class ActivateLadderIn(Camel):
    """What is known of what is replaced."""

    replaces: str | None = Field(
        default=None,
        max_length=64,
        description='The id of the version that has to be active still, "" for none; another one answers 409.',
    )


class LadderLevelOut(Camel):
    """What is expected at a level, in Markdown."""

    number: int
    expectation: str
    explanation: str


class LadderCompetencyOut(Camel):
    """A competency with its levels from 1 up."""

    title: str
    introduction: str
    levels: list[LadderLevelOut]


class LadderCategoryOut(Camel):
    """A category with its competencies."""

    title: str
    introduction: str
    competencies: list[LadderCompetencyOut]


class LadderListedOut(Camel):
    """A version of the ladder, without what it says."""

    config_id: str
    ladder_version: str
    note: str
    is_active: bool
    created_at: datetime | None
    created_by: str


class LadderOut(LadderListedOut):
    """A version of the ladder."""

    content: str
    categories: list[LadderCategoryOut]


class LadderPageOut(Camel):
    """A page of versions, newest first."""

    items: list[LadderListedOut]
    next: str | None
    previous: str | None


class LadderPlaceOut(Camel):
    """Where a competency stands."""

    category: str
    competency: str


class LadderTextChangeOut(Camel):
    """A text before and after."""

    before: str
    after: str


class LadderIntroductionOut(LadderTextChangeOut):
    """The introduction of a category before and after."""

    category: str


class LadderLevelChangeOut(Camel):
    """A level before and after; null where it was added or removed."""

    number: int
    before: LadderLevelOut | None
    after: LadderLevelOut | None


class LadderCompetencyChangeOut(Camel):
    """A competency that both have, before and after."""

    before: LadderPlaceOut
    after: LadderPlaceOut
    introduction: LadderTextChangeOut | None
    levels: list[LadderLevelChangeOut]


class LadderComparisonOut(Camel):
    """What changes from one version to another."""

    before: LadderListedOut
    after: LadderListedOut
    is_same: bool
    categories_added: list[str]
    categories_removed: list[str]
    introductions: list[LadderIntroductionOut]
    added: list[LadderPlaceOut]
    removed: list[LadderPlaceOut]
    moved: list[LadderCompetencyChangeOut]
    changed: list[LadderCompetencyChangeOut]
    reordered: bool


def listed_out(version: LadderVersion) -> LadderListedOut:
    """A version without what it says."""
    return LadderListedOut(**_head(version))


def ladder_out(version: LadderVersion) -> LadderOut:
    """A version, whole."""
    categories = [LadderCategoryOut.model_validate(category.model_dump()) for category in version.ladder.categories]
    return LadderOut(**_head(version), content=version.config_content, categories=categories)


def comparison_out(before: LadderVersion, after: LadderVersion, difference: Difference) -> LadderComparisonOut:
    """What changes from `before` to `after`."""
    return LadderComparisonOut(
        before=listed_out(before),
        after=listed_out(after),
        is_same=not difference,
        categories_added=list(difference.categories_added),
        categories_removed=list(difference.categories_removed),
        introductions=[
            LadderIntroductionOut(category=title, before=change.before, after=change.after)
            for title, change in difference.introductions
        ],
        added=[_place(place) for place in difference.added],
        removed=[_place(place) for place in difference.removed],
        moved=[_competency(one) for one in difference.moved],
        changed=[_competency(one) for one in difference.changed],
        reordered=difference.reordered,
    )


def _head(version: LadderVersion) -> dict[str, Any]:
    return {
        "config_id": version.config_id,
        "ladder_version": version.ladder_version,
        "note": version.note,
        "is_active": version.is_active,
        "created_at": version.created_at,
        "created_by": version.created_by,
    }


def _place(place: Place) -> LadderPlaceOut:
    return LadderPlaceOut(category=place[0], competency=place[1])


def _competency(change: CompetencyChange) -> LadderCompetencyChangeOut:
    return LadderCompetencyChangeOut(
        before=_place(change.before),
        after=_place(change.after),
        introduction=_text(change.introduction) if change.introduction else None,
        levels=[_level_change(one) for one in change.levels],
    )


def _text(change: TextChange) -> LadderTextChangeOut:
    return LadderTextChangeOut(before=change.before, after=change.after)


def _level_change(change: LevelChange) -> LadderLevelChangeOut:
    return LadderLevelChangeOut(number=change.number, before=_level(change.before), after=_level(change.after))


def _level(level: Level | None) -> LadderLevelOut | None:
    return LadderLevelOut(**level.model_dump()) if level else None
