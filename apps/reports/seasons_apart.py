"""What cannot be compared from one season to the next, because the ladder changed between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from apps.assessments.entities import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What came and went between the reports of two seasons, by title; competencies as “Craft: Design”."""

    earlier: str
    later: str
    added_categories: tuple[str, ...]
    removed_categories: tuple[str, ...]
    added_competencies: tuple[str, ...]
    removed_competencies: tuple[str, ...]

    def __bool__(self) -> bool:
        return any((self.added_categories, self.removed_categories, self.added_competencies, self.removed_competencies))


def changes(reports: Sequence[Report]) -> list[Change]:
    """Between each report and the next one that was made by another version of the ladder, what has no counterpart."""
    found = (_change(earlier, later) for earlier, later in pairwise(reports) if earlier.config_id != later.config_id)
    return [change for change in found if change]


def _change(earlier: Report, later: Report) -> Change:
    before, after = set(earlier.variance), set(later.variance)
    both = before & after
    had, has = ({(c, title) for c in both for title in report.variance[c]} for report in (earlier, later))
    return Change(
        earlier=earlier.season,
        later=later.season,
        added_categories=tuple(sorted(after - before)),
        removed_categories=tuple(sorted(before - after)),
        added_competencies=tuple(f"{category}: {title}" for category, title in sorted(has - had)),
        removed_competencies=tuple(f"{category}: {title}" for category, title in sorted(had - has)),
    )
