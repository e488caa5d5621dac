"""An SVG as a tree of elements with classes; what they look like is said by `static/reports/charts.css` alone."""

import textwrap
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from django.utils.safestring import SafeString, mark_safe

LINE: Final = 15
OWN_RADIUS: Final = 6.5
MANAGER_RADIUS: Final = 4.0


class Drawing:
    """A drawing of this size in its own units (1 = a pixel at full size), which grows and shrinks with the page."""

    def __init__(self, kind: str, *, width: float, height: float, title: str, desc: str) -> None:
        """`kind` becomes a class; `title` names the chart, `desc` says in a sentence what it shows."""
        size = {"viewBox": f"0 0 {figure(width)} {figure(height)}", "width": figure(width), "height": figure(height)}
        self.root = Element("svg", {"class": f"chart {kind}", "role": "img", **size})
        SubElement(self.root, "title").text = plain(title)
        SubElement(self.root, "desc").text = plain(desc)

    def add(self, tag: str, kind: str, **places: float | str) -> Element:
        """An element of a class, with these attributes; numbers are rounded."""
        found = {name: value if isinstance(value, str) else figure(value) for name, value in places.items()}
        return SubElement(self.root, tag, {"class": kind, **found})

    def line(self, kind: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        """A straight line."""
        self.add("line", kind, x1=start[0], y1=start[1], x2=end[0], y2=end[1])

    def text(self, at: tuple[float, float], words: str, *, kind: str = "words", anchor: str = "middle") -> None:
        """One line of text; `at` is on its base line."""
        element = self.add("text", kind, x=at[0], y=at[1])
        element.set("text-anchor", anchor)
        element.text = plain(words)

    def own(self, at: tuple[float, float]) -> None:
        """The mark of one's own view: a ring, which shows what lies below it."""
        self.add("circle", "own", cx=at[0], cy=at[1], r=OWN_RADIUS)

    def manager(self, at: tuple[float, float]) -> None:
        """The mark of the manager's view: a dot, which fits into the ring."""
        self.add("circle", "manager", cx=at[0], cy=at[1], r=MANAGER_RADIUS)

    def legend(self, at: tuple[float, float], *, own: str = "Self", manager: str = "Manager") -> None:
        """Which mark is whose, side by side."""
        x, y = at
        for name, is_own, left in ((own, True, x), (manager, False, x + 96)):
            self.line("own-line" if is_own else "manager-line", (left, y), (left + 28, y))
            (self.own if is_own else self.manager)((left + 14, y))
            self.text((left + 36, y + 4), name, kind="words soft", anchor="start")

    def svg(self) -> SafeString:
        """The text of it."""
        return mark_safe(tostring(self.root, encoding="unicode"))  # noqa: S308  (ElementTree escapes what it writes)


def plain(text: str) -> str:
    """The text on one line, without characters that cannot be seen."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split()) or "\N{EN DASH}"


def figure(value: float) -> str:
    """A number as short as it can be said: `4`, `4.3`, `0.25`."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def said(score: float | None) -> str:
    """A level as a whole number, a mean of levels with one decimal, a dash where there is none."""
    if score is None:
        return "\N{EN DASH}"
    return f"{score:.1f}" if isinstance(score, float) else str(score)


def lines(text: str, *, width: int, most: int = 2) -> list[str]:
    """The text in at most so many lines of at most so many characters, with an ellipsis where it was cut."""
    return textwrap.wrap(plain(text), width, max_lines=most, placeholder="\N{HORIZONTAL ELLIPSIS}")
