"""A heat map: people by categories or competencies, or one person's by seasons; a number and a depth in each cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.safestring import SafeString

from apps.reports.charts.drawing import LINE, Drawing, figure, lines, said

STEPS: Final = 7
"""Depths that the style sheet knows."""
MOST_ROWS: Final = 25
"""Rows of one drawing: paper is not longer, and a drawing is not broken over pages."""
LEFT, ROW, FOOT = 176, 30, 44
WIDEST, NARROWEST, FULL = 112, 78, 720


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A level, or a mean of levels; `apart` is manager - self where that stands out, else None."""

    value: float | None
    apart: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one person, or one category, has in each column."""

    title: str
    cells: Sequence[Cell]


def heat_maps(
    rows: Sequence[Row], columns: Sequence[str], *, highest: int, title: str, with_marks: bool = True
) -> list[SafeString]:
    """The rows in as many drawings as they need."""
    return [
        _heat_map(rows[start : start + MOST_ROWS], columns, highest=highest, title=title, with_marks=with_marks)
        for start in range(0, len(rows), MOST_ROWS)
    ]


def _heat_map(rows: Sequence[Row], columns: Sequence[str], *, highest: int, title: str, with_marks: bool) -> SafeString:
    cell = min(WIDEST, max(NARROWEST, (FULL - LEFT) / max(1, len(columns))))
    heads = [lines(column, width=int(cell / 6), most=3) for column in columns]
    top = LINE * max(map(len, heads), default=1) + 10
    bottom = top + ROW * len(rows)
    width = max(FULL, LEFT + cell * len(columns))
    drawing = Drawing("heat", width=width, height=bottom + FOOT, title=title, desc=_told(rows, columns))
    for column, words in enumerate(heads):
        for place, line in enumerate(reversed(words)):
            drawing.text((LEFT + cell * (column + 0.5), top - 10 - LINE * place), line, kind="words soft tiny")
    for number, row in enumerate(rows):
        y = top + ROW * number
        drawing.text((0, y + ROW / 2 + 4), "".join(lines(row.title, width=26, most=1)), anchor="start")
        for column, one in enumerate(row.cells):
            _cell(drawing, one, at=(LEFT + cell * column, y), width=cell, highest=highest)
    _legend(drawing, y=bottom + 16, highest=highest, with_marks=with_marks)
    return drawing.svg()


def _cell(drawing: Drawing, cell: Cell, *, at: tuple[float, float], width: float, highest: int) -> None:
    (x, y), middle = at, at[0] + width / 2
    kind = "none" if cell.value is None else f"depth-{depth(cell.value, highest)}"
    drawing.add("rect", f"cell {kind}", x=x + 1, y=y + 1, width=width - 2, height=ROW - 2, rx=3)
    drawing.text((middle, y + ROW / 2 + 4), said(cell.value), kind="words")
    if cell.apart is not None:
        mark(drawing, (x + width - 13, y + ROW / 2), up=cell.apart > 0)


def depth(value: float, highest: int) -> int:
    """Which of the seven depths a level has, spread over the levels there are."""
    return 1 + round((STEPS - 1) * (value - 1) / max(1, highest - 1))


def mark(drawing: Drawing, at: tuple[float, float], *, up: bool) -> None:
    """A triangle: up where the manager's level is the higher one, down where one's own is."""
    (x, y), side = at, -4 if up else 4
    points = ((x - 4.5, y - side), (x + 4.5, y - side), (x, y + side))
    drawing.add("polygon", "mark", points=" ".join(f"{figure(a)},{figure(b)}" for a, b in points))


def _legend(drawing: Drawing, *, y: float, highest: int, with_marks: bool) -> None:
    drawing.text((LEFT - 8, y + 13), "Level", kind="words soft tiny", anchor="end")
    for level in range(1, highest + 1):
        x = LEFT + 26 * (level - 1)
        drawing.add("rect", f"cell depth-{depth(level, highest)}", x=x + 1, y=y, width=24, height=18, rx=3)
        drawing.text((x + 13, y + 13), str(level), kind="words tiny")
    if not with_marks:
        return
    after = LEFT + 26 * highest + 18
    for words, up, left in (("manager more than 2 above self", True, after), ("more than 2 below", False, after + 196)):
        mark(drawing, (left, y + 9), up=up)
        drawing.text((left + 10, y + 13), words, kind="words soft tiny", anchor="start")


def _told(rows: Sequence[Row], columns: Sequence[str]) -> str:
    return " ".join(f"{row.title}: {'; '.join(_cells(row, columns))}." for row in rows)


def _cells(row: Row, columns: Sequence[str]) -> list[str]:
    return [
        f"{column} {'none' if cell.value is None else said(cell.value)}"
        + ("" if cell.apart is None else f" (manager {cell.apart:+d} to self)")
        for column, cell in zip(columns, row.cells, strict=True)
    ]
