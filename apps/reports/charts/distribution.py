"""How often each level was given, category by category: columns side by side, so that shapes can be compared."""

from collections.abc import Mapping
from typing import Final

from django.utils.safestring import SafeString

from apps.reports.charts.drawing import LINE, Drawing, lines
from apps.reports.charts.heat import depth

WIDTH: Final = 720
ACROSS: Final = 4
GAP: Final = 28
HEAD, TALL, FOOT = 50, 92, 34

Counts = Mapping[str, Mapping[int, int]]
"""Category -> level -> how often."""


def distribution(counts: Counts, *, highest: int, title: str) -> SafeString:
    """One small chart a category, all on one scale of shares; the number stands on each column."""
    across = min(ACROSS, max(2, len(counts)))
    rows = max(1, -(-len(counts) // across))
    block = HEAD + TALL + FOOT
    drawing = Drawing("distribution", width=WIDTH, height=block * rows, title=title, desc=_told(counts))
    wide = (WIDTH - GAP * (across - 1)) / across
    shares = [number / (sum(row.values()) or 1) for row in counts.values() for number in row.values()]
    most = max([*shares, 0.01])
    for place, (category, row) in enumerate(counts.items()):
        x, y = (place % across) * (wide + GAP), (place // across) * block
        for number, line in enumerate(lines(category, width=int(wide / 7.2))):
            drawing.text((x, y + 12 + LINE * number), line, kind="words strong", anchor="start")
        _columns(drawing, row, at=(x, y + HEAD), wide=wide, highest=highest, most=most)
    return drawing.svg()


def _columns(
    drawing: Drawing, row: Mapping[int, int], *, at: tuple[float, float], wide: float, highest: int, most: float
) -> None:
    x, base, step = at[0], at[1] + TALL, wide / highest
    total = sum(row.values()) or 1
    for level in range(1, highest + 1):
        number, left = row.get(level, 0), x + step * (level - 1)
        tall = max(2.0, TALL * number / total / most) if number else 0
        if number:
            kind = f"column depth-{depth(level, highest)}"
            drawing.add("rect", kind, x=left + 2, y=base - tall, width=step - 4, height=tall, rx=2)
            drawing.text((left + step / 2, base - tall - 5), f"{number:,}", kind="words tiny")
        drawing.text((left + step / 2, base + 15), str(level), kind="words soft tiny")
    drawing.line("grid edge", (x, base), (x + wide, base))


def _told(counts: Counts) -> str:
    return " ".join(
        f"{category}: {', '.join(f'level {level} {number} times' for level, number in sorted(row.items()))}."
        for category, row in counts.items()
    )
