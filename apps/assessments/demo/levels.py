"""How good each of the demo people is at what, season after season: made up, but always the same."""

from dataclasses import dataclass
from random import Random
from typing import Final

from apps.ladders.ladder import Ladder, Place

_VIEWS: Final = (-1.0, -0.4, 0.0, 0.0, 0.3, 0.9, 1.2)  # from modest to generous with oneself
_ONE_IN: Final = 22  # competencies of which the two have quite different views
_FAR_APART: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What both gave for each competency."""

    own: dict[Place, int]
    by_manager: dict[Place, int]


def scores(person: str, ladder: Ladder, *, season: int) -> Scores:
    """The levels of this person (by name) in the season of this number, from 0: people grow from one to the next."""
    whole = Random(person)  # noqa: S311  (for a demo that is always the same)
    base, growth, view = whole.uniform(1.7, 4.3), whole.uniform(0.15, 0.6), whole.choice(_VIEWS)
    own: dict[Place, int] = {}
    by_manager: dict[Place, int] = {}
    for place in ladder.places:
        competency = ladder.competency(place)
        highest = len(competency.levels) if competency else 1
        lasting = Random(f"{person}/{place[1]}")  # noqa: S311
        passing = Random(f"{person}/{place[1]}/{season}")  # noqa: S311
        skill = base + lasting.gauss(0, 0.8) + growth * season
        given = _within(skill + passing.gauss(0, 0.3), highest)
        seen = _within(skill + view + passing.gauss(0, 0.4), highest)
        if passing.randrange(_ONE_IN) == 0:
            seen = given - _FAR_APART if given > _FAR_APART else given + _FAR_APART
        own[place], by_manager[place] = _within(seen, highest), given
    return Scores(own=own, by_manager=by_manager)


def overall(levels: dict[Place, int]) -> int:
    """The level of somebody who has these: their mean, rounded."""
    return round(sum(levels.values()) / len(levels))


def _within(level: float, highest: int) -> int:
    return max(1, min(highest, round(level)))
