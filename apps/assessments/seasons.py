"""Seasons by name: `2026-Q1`, `H1-2026`, `2026`; which comes before which, and which days they have."""

import re
from datetime import date, timedelta
from typing import Annotated, Final

from pydantic import AfterValidator

_YEAR: Final = r"(?P<year>20\d{2})"
_FORMS: Final = (
    re.compile(rf"{_YEAR}"),
    re.compile(rf"{_YEAR}-(?P<part>[QH][1-4])"),
    re.compile(rf"(?P<part>[QH][1-4])-{_YEAR}"),
)
_MONTHS: Final = {"Q1": 3, "Q2": 6, "Q3": 9, "Q4": 12, "H1": 6, "H2": 12}


def season_name(text: str) -> str:
    """The name in capitals, as it is stored. Raises `ValueError` with a sentence for what is none."""
    name = text.strip().upper()
    season_order(name)
    return name


def season_order(name: str) -> tuple[int, int, str]:
    """What seasons sort by: year and month of their end, then their name. Raises `ValueError` for what is none."""
    for form in _FORMS:
        found = form.fullmatch(name)
        if found is not None:
            part = found.groupdict().get("part")
            if part is None or part in _MONTHS:
                return int(found["year"]), _MONTHS[part] if part else 12, name
    raise ValueError("Enter a season such as 2026-Q1, 2026-H2 or 2026.")


def season_span(name: str) -> tuple[date, date]:
    """The first and the last day of a season. Raises `ValueError` for what is none."""
    year, month, _ = season_order(name)
    length = 3 if "Q" in name else 6 if "H" in name else 12
    after = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month - length + 1, 1), after - timedelta(days=1)


def season_at(day: date, *, like: str = "") -> str:
    """The season of this day, named as `like` is: by year, half or quarter, the year first or last."""
    if like and like.isdigit():
        return str(day.year)
    part = f"H{(day.month + 5) // 6}" if "H" in like else f"Q{(day.month + 2) // 3}"
    return f"{part}-{day.year}" if like[:1] in {"Q", "H"} else f"{day.year}-{part}"


def season_after(name: str) -> str:
    """The season after this one, named as it is. Raises `ValueError` for what is none."""
    return season_at(season_span(name)[1] + timedelta(days=1), like=name)


SeasonName = Annotated[str, AfterValidator(season_name)]
