"""Two views on one line each: where they stand on the levels, and how far apart they are."""

from collections.abc import Sequence
from typing import Final

from django.utils.safestring import SafeString

from apps.reports.charts.drawing import LINE, Drawing, lines
from apps.reports.charts.pairs import Pair, told

WIDTH: Final = 560
LEFT, RIGHT, TOP = 190, 24, 30
ROW: Final = 42


def dumbbells(pairs: Sequence[Pair], *, highest: int, title: str) -> SafeString:
    """One row a pair, levels 1 to `highest` from left to right."""
    bottom = TOP + ROW * len(pairs)
    drawing = Drawing("dumbbells", width=WIDTH, height=bottom + 40, title=title, desc=told(pairs))
    for level in range(1, highest + 1):
        x = _x(level, highest)
        drawing.line("grid", (x, TOP), (x, bottom))
        drawing.text((x, TOP - 10), str(level), kind="words soft tiny")
    for number, pair in enumerate(pairs):
        y = TOP + ROW * (number + 0.5)
        words = lines(pair.title, width=24)
        for place, line in enumerate(words):
            drawing.text((0, y + 4 + LINE * (place - (len(words) - 1) / 2)), line, anchor="start")
        both(drawing, pair, y=y, highest=highest, left=LEFT, right=WIDTH - RIGHT)
    drawing.legend((LEFT, bottom + 22))
    return drawing.svg()


def gap(pair: Pair, *, highest: int) -> SafeString:
    """One pair alone, small enough for a cell of a table that says its numbers."""
    drawing = Drawing("gap", width=140, height=20, title=pair.title, desc=told([pair]))
    for level in range(1, highest + 1):
        x = _x(level, highest, left=8, right=132)
        drawing.line("grid", (x, 6), (x, 14))
    both(drawing, pair, y=10, highest=highest, left=8, right=132)
    return drawing.svg()


def both(drawing: Drawing, pair: Pair, *, y: float, highest: int, left: float, right: float) -> None:
    """The marks of a pair on a line, and the line between them."""
    own, manager = (
        None if score is None else _x(score, highest, left=left, right=right) for score in (pair.own, pair.manager)
    )
    if own is not None and manager is not None and own != manager:
        drawing.line("between", (own, y), (manager, y))
    if own is not None:
        drawing.own((own, y))
    if manager is not None:
        drawing.manager((manager, y))


def _x(score: float, highest: int, *, left: float = LEFT, right: float = WIDTH - RIGHT) -> float:
    return left + (right - left) * (score - 1) / max(1, highest - 1)
