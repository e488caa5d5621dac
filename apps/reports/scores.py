"""What a report says in numbers: means, differences and highlights, in the ladder's order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from apps.assessments.entities import Report
from apps.assessments.variance import Difference, Variance
from apps.ladders.ladder import Ladder, Place
from apps.reports.charts.pairs import Pair

FEWEST_LEVELS: Final = 7
"""The highest level of a ladder that is not there any more is at least what levels are usually called up to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Both scores for one competency."""

    place: Place
    difference: Difference

    @property
    def pair(self) -> Pair:
        """As charts take it."""
        return Pair(title=self.place[1], own=self.difference.self_score, manager=self.difference.manager_score)


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryScores:
    """The scores of one category, in the ladder's order, and what stands out most among them."""

    title: str
    scores: Sequence[Score]

    @property
    def pair(self) -> Pair:
        """Both means, to one decimal."""
        return Pair(
            title=self.title,
            own=mean(score.difference.self_score for score in self.scores),
            manager=mean(score.difference.manager_score for score in self.scores),
        )

    @property
    def apart(self) -> int | None:
        """The largest difference that stands out, with its sign; None where none does."""
        found = [score.difference.difference for score in self.scores if score.difference.stands_out]
        return max(found, key=abs, default=None)


def mean(values: Iterable[int]) -> float | None:
    """The mean to one decimal; None of nothing."""
    found = list(values)
    return round(sum(found) / len(found), 1) if found else None


def places(variance: Variance, ladder: Ladder | None) -> list[Place]:
    """What was scored, in the ladder's order; what the ladder does not have comes last, by title."""
    known = list(ladder.places) if ladder is not None else []
    scored = {(category, title) for category, row in variance.items() for title in row}
    return [*(place for place in known if place in scored), *sorted(scored - set(known))]


def scores(variance: Variance, ladder: Ladder | None) -> list[Score]:
    """Every competency that both scored, in the ladder's order."""
    return [Score(place=place, difference=variance[place[0]][place[1]]) for place in places(variance, ladder)]


def by_category(variance: Variance, ladder: Ladder | None) -> list[CategoryScores]:
    """The same by category."""
    found: dict[str, list[Score]] = {}
    for score in scores(variance, ladder):
        found.setdefault(score.place[0], []).append(score)
    return [CategoryScores(title=title, scores=row) for title, row in found.items()]


def highlights(found: Iterable[Score]) -> list[Score]:
    """Those that are more than 2 levels apart, the furthest first."""
    return sorted((one for one in found if one.difference.stands_out), key=lambda one: -abs(one.difference.difference))


def highest_level(ladder: Ladder | None, reports: Iterable[Report]) -> int:
    """Up to which level charts have to reach."""
    if ladder is not None and ladder.categories:
        return ladder.highest
    given = [
        max(one.self_score, one.manager_score, 1)
        for report in reports
        for row in report.variance.values()
        for one in row.values()
    ]
    return max([FEWEST_LEVELS, *given])


def as_counts(stored: Mapping[str, Mapping[str, int]]) -> dict[str, dict[int, int]]:
    """Level counts as plans store them, with levels as numbers and without what is none."""
    rows = {category: {int(level): n for level, n in row.items() if n > 0} for category, row in stored.items()}
    return {category: row for category, row in rows.items() if row}


def added_up(counts: Iterable[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[int, int]]:
    """The level counts of several plans together, categories by how often they were scored, then by title."""
    found: dict[str, dict[int, int]] = {}
    for one in counts:
        for category, row in as_counts(one).items():
            sums = found.setdefault(category, {})
            for level, number in row.items():
                sums[level] = sums.get(level, 0) + number
    return dict(sorted(found.items(), key=lambda item: (-sum(item[1].values()), item[0])))
