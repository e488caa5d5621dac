"""Levels over the seasons: one line for each of the two views."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import Final

from django.utils.safestring import SafeString

from apps.reports.charts.drawing import Drawing, figure
from apps.reports.charts.pairs import Pair, told

TOP, STEP = 18, 26
LABEL: Final = 56
"""What the name of a season takes in width."""

Spot = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How wide a drawing is, and what it leaves free on the left, for the names of the levels, and on the right."""

    kind: str
    width: int
    left: int
    right: int

    def x(self, number: int, seasons: int) -> float:
        """Where a season stands."""
        across = self.width - self.left - self.right - 48
        return self.left + 24 + (across / 2 if seasons == 1 else across * number / (seasons - 1))


WIDE: Final = Room(kind="trend", width=720, left=124, right=28)
NARROW: Final = Room(kind="narrow", width=340, left=92, right=4)
"""For a telephone, where the wide one would have to be moved to and fro."""


def trend(seasons: Sequence[Pair], *, levels: Sequence[str], title: str, room: Room = WIDE) -> SafeString:
    """A pair a season, the first one left; `levels` are the names of the levels, from level 1 up."""
    bottom = TOP + STEP * max(1, len(levels) - 1)
    drawing = Drawing(room.kind, width=room.width, height=bottom + 76, title=title, desc=told(seasons))
    for number, name in enumerate(levels, start=1):
        y = _y(number, bottom)
        drawing.line("grid", (room.left, y), (room.width - room.right, y))
        drawing.text((room.left - 14, y + 4), name, kind="words soft tiny", anchor="end")
    _names(drawing, [season.title for season in seasons], room=room, y=bottom + 24)
    for kind, scores in (("own", [one.own for one in seasons]), ("manager", [one.manager for one in seasons])):
        spots = [
            None if score is None else (room.x(number, len(seasons)), _y(score, bottom))
            for number, score in enumerate(scores)
        ]
        _line(drawing, spots, kind)
        for spot in filter(None, spots):
            (drawing.own if kind == "own" else drawing.manager)(spot)
    drawing.legend((room.left, bottom + 62))
    return drawing.svg()


def _names(drawing: Drawing, names: Sequence[str], *, room: Room, y: float) -> None:
    each = (room.width - room.left - room.right) / len(names)
    every = ceil(LABEL / 2 / each)
    for number, name in enumerate(names):
        if (len(names) - 1 - number) % every == 0:  # the latest one has its name in any case
            parts = [name] if each > LABEL else name.split("-")
            for place, part in enumerate(parts):
                drawing.text((room.x(number, len(names)), y + 14 * place), part, kind="words tiny")


def _line(drawing: Drawing, spots: Sequence[Spot | None], kind: str) -> None:
    for is_there, run in groupby(spots, key=lambda spot: spot is not None):
        found = [spot for spot in run if spot is not None]
        if is_there and len(found) > 1:
            drawing.add("polyline", f"{kind}-line", points=" ".join(f"{figure(x)},{figure(y)}" for x, y in found))


def _y(score: float, bottom: float) -> float:
    return bottom - STEP * (score - 1)
