"""Seasons by name: `2026-Q1`, `H1-2026`, `2026`; which comes before which."""

import re
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


SeasonName = Annotated[str, AfterValidator(season_name)]
