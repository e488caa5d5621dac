"""Where two views of somebody differ: the manager's score minus the person's own, competency by competency."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict

from apps.ladders.ladder import Place
from apps.storage.entity import Stored

STANDS_OUT_BEYOND: Final = 2

Scores = Mapping[str, Mapping[str, int]]
"""Category -> competency -> level."""


class Difference(BaseModel):
    """Two scores for one competency (levels from 1 up), and `difference` = manager - self."""

    model_config = ConfigDict(frozen=True)

    self_score: Annotated[int, Stored(name="selfScore")]
    manager_score: Annotated[int, Stored(name="managerScore")]
    difference: int

    @property
    def stands_out(self) -> bool:
        """Whether the two views are more than 2 levels apart."""
        return abs(self.difference) > STANDS_OUT_BEYOND


Variance = Mapping[str, Mapping[str, Difference]]
"""Category -> competency -> both scores."""


def variance_of(own: Scores, manager: Scores) -> dict[str, dict[str, Difference]]:
    """The differences of what both scored; what only one of them scored is left out."""
    found: dict[str, dict[str, Difference]] = {}
    for category, scores in own.items():
        for competency, score in scores.items():
            other = manager.get(category, {}).get(competency)
            if other is not None:
                difference = Difference(self_score=score, manager_score=other, difference=other - score)
                found.setdefault(category, {})[competency] = difference
    return found


def each(variance: Variance) -> Iterator[tuple[Place, Difference]]:
    """Every competency's difference, with its place."""
    return (
        (place, one)
        for category, row in variance.items()
        for place, one in ((((category, name)), row[name]) for name in row)
    )


def level_counts(variance: Variance) -> dict[str, dict[str, int]]:
    """How often the manager gave each level, by category: category -> level (as text) -> number of competencies."""
    counts: dict[str, dict[str, int]] = {}
    for (category, _), one in each(variance):
        level = str(one.manager_score)
        row = counts.setdefault(category, {})
        row[level] = row.get(level, 0) + 1
    return counts
