"""Levels over the seasons: one line for each of the two views."""

from collections.abc import Sequence
from itertools import groupby
from math import ceil
from typing import Final

from django.utils.safestring import SafeString

from apps.reports.charts.drawing import Drawing, figure
from apps.reports.charts.pairs import Pair, told

WIDTH: Final = 720
TOP, STEP = 18, 26
LEFT, RIGHT = 124, 28
LABEL: Final = 56
"""What the name of a season takes in width."""

Spot = tuple[float, float]


def trend(seasons: Sequence[Pair], *, levels: Sequence[str], title: str) -> SafeString:
    """A pair a season, the first one left; `levels` are the names of the levels, from level 1 up."""
    bottom = TOP + STEP * max(1, len(levels) - 1)
    drawing = Drawing("trend", width=WIDTH, height=bottom + 76, title=title, desc=told(seasons))
    for number, name in enumerate(levels, start=1):
        y = _y(number, bottom)
        drawing.line("grid", (LEFT, y), (WIDTH - RIGHT, y))
        drawing.text((LEFT - 14, y + 4), name, kind="words soft tiny", anchor="end")
    _names(drawing, [season.title for season in seasons], y=bottom + 24)
    for kind, scores in (("own", [one.own for one in seasons]), ("manager", [one.manager for one in seasons])):
        spots = [
            None if score is None else (_x(number, len(seasons)), _y(score, bottom))
            for number, score in enumerate(scores)
        ]
        _line(drawing, spots, kind)
        for spot in filter(None, spots):
            (drawing.own if kind == "own" else drawing.manager)(spot)
    drawing.legend((LEFT, bottom + 62))
    return drawing.svg()


def _names(drawing: Drawing, names: Sequence[str], *, y: float) -> None:
    room = (WIDTH - LEFT - RIGHT) / len(names)
    every = ceil(LABEL / 2 / room)
    for number, name in enumerate(names):
        if (len(names) - 1 - number) % every == 0:  # the latest one has its name in any case
            parts = [name] if room > LABEL else name.split("-")
            for place, part in enumerate(parts):
                drawing.text((_x(number, len(names)), y + 14 * place), part, kind="words tiny")


def _line(drawing: Drawing, spots: Sequence[Spot | None], kind: str) -> None:
    for is_there, run in groupby(spots, key=lambda spot: spot is not None):
        found = [spot for spot in run if spot is not None]
        if is_there and len(found) > 1:
            drawing.add("polyline", f"{kind}-line", points=" ".join(f"{figure(x)},{figure(y)}" for x, y in found))


def _x(number: int, seasons: int) -> float:
    across = WIDTH - LEFT - RIGHT - 48
    return LEFT + 24 + (across / 2 if seasons == 1 else across * number / (seasons - 1))


def _y(score: float, bottom: float) -> float:
    return bottom - STEP * (score - 1)
