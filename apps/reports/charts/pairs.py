"""What is compared: two views of the same, under a title."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.reports.charts.drawing import said


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One's own score and the manager's, each a level or a mean of levels; None where there is none."""

    title: str
    own: float | None
    manager: float | None


def told(pairs: Sequence[Pair]) -> str:
    """The pairs in words, such as “Craft: manager 4.5, self 5.” for each."""
    return " ".join(f"{pair.title}: manager {score(pair.manager)}, self {score(pair.own)}." for pair in pairs)


def score(value: float | None) -> str:
    """A score in words."""
    return "without a score" if value is None else said(value)
