"""A radar: one axis a category or competency, one shape for each of the two views."""

from collections.abc import Callable, Sequence
from itertools import groupby
from math import cos, pi, sin
from typing import Final

from django.utils.safestring import SafeString

from apps.reports.charts.drawing import LINE, Drawing, figure, lines
from apps.reports.charts.dumbbells import dumbbells
from apps.reports.charts.pairs import Pair, told

FEWEST_AXES: Final = 3
MOST_AXES: Final = 16
WIDTH, HEIGHT, RADIUS = 480, 396, 130
CENTRE: Final = (WIDTH / 2, 180.0)

Spot = tuple[float, float]


def radar(pairs: Sequence[Pair], *, highest: int, title: str) -> SafeString:
    """The pairs around a centre, levels 0 to `highest`; fewer than 3, or more than 16, are drawn as bars instead."""
    if not FEWEST_AXES <= len(pairs) <= MOST_AXES:
        return dumbbells(pairs, highest=highest, title=title)
    drawing = Drawing("radar", width=WIDTH, height=HEIGHT, title=title, desc=told(pairs))
    _web(drawing, pairs, highest)
    for kind, scores in (("own", [pair.own for pair in pairs]), ("manager", [pair.manager for pair in pairs])):
        spots = [None if score is None else _spot(n, len(pairs), score / highest) for n, score in enumerate(scores)]
        _shape(drawing, spots, kind)
    for number, pair in enumerate(pairs):
        for mark, score in ((drawing.own, pair.own), (drawing.manager, pair.manager)):
            _mark(mark, None if score is None else _spot(number, len(pairs), score / highest))
    drawing.legend((WIDTH / 2 - 92, HEIGHT - 14))
    return drawing.svg()


def _spot(number: int, axes: int, share: float) -> Spot:
    angle = 2 * pi * number / axes - pi / 2
    return CENTRE[0] + RADIUS * share * cos(angle), CENTRE[1] + RADIUS * share * sin(angle)


def _web(drawing: Drawing, pairs: Sequence[Pair], highest: int) -> None:
    for level in range(1, highest + 1):
        ring = [_spot(number, len(pairs), level / highest) for number in range(len(pairs))]
        drawing.add("polygon", "grid edge" if level == highest else "grid", points=_points(ring))
    for number, pair in enumerate(pairs):
        drawing.line("grid", CENTRE, _spot(number, len(pairs), 1))
        _label(drawing, pair.title, _spot(number, len(pairs), 1 + 14 / RADIUS))
    for level in range(1, highest + 1):
        x, y = _spot(0, len(pairs), level / highest)
        drawing.text((x - 11, y + 4), str(level), kind="words soft tiny", anchor="end")


def _label(drawing: Drawing, words: str, at: Spot) -> None:
    (x, y), (middle, centre) = at, CENTRE
    anchor = "middle" if abs(x - middle) < RADIUS / 4 else "start" if x > middle else "end"
    found = lines(words, width=15)
    above = LINE * (len(found) - 1)
    first = y - above if y < centre - RADIUS / 2 else y + LINE - 4 if y > centre + RADIUS / 2 else y + 4 - above / 2
    for number, line in enumerate(found):
        drawing.text((x, first + LINE * number), line, anchor=anchor)


def _shape(drawing: Drawing, spots: Sequence[Spot | None], kind: str) -> None:
    if None not in spots:
        drawing.add("polygon", f"{kind}-line {kind}-area", points=_points([spot for spot in spots if spot]))
        return
    # Where a score is missing the line is interrupted, and nothing is filled: a gap is no zero.
    start = spots.index(None)
    around = [*spots[start:], *spots[:start]]
    for is_there, run in groupby(around, key=lambda spot: spot is not None):
        found = [spot for spot in run if spot is not None]
        if is_there and len(found) > 1:
            drawing.add("polyline", f"{kind}-line", points=_points(found))


def _mark(draw: Callable[[Spot], None], at: Spot | None) -> None:
    if at is not None:
        draw(at)


def _points(spots: Sequence[Spot]) -> str:
    return " ".join(f"{figure(x)},{figure(y)}" for x, y in spots)
