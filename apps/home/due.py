"""When something is due, in words."""

from dataclasses import dataclass
from datetime import date
from typing import Final

SOON_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Due:
    """The last day on which something is in time, seen from `today`."""

    day: date
    today: date

    @property
    def days_left(self) -> int:
        """Days from today; below 0 it is overdue."""
        return (self.day - self.today).days

    @property
    def is_overdue(self) -> bool:
        """Whether the day is over."""
        return self.days_left < 0

    @property
    def is_soon(self) -> bool:
        """Whether the day comes within a week."""
        return 0 <= self.days_left <= SOON_DAYS

    def __str__(self) -> str:
        left = self.days_left
        if left < 0:
            return f"Overdue by {-left} {'day' if left == -1 else 'days'}"
        if left <= 1:
            return "Due tomorrow" if left else "Due today"
        if left <= SOON_DAYS:
            return f"Due in {left} days"
        year = "" if self.day.year == self.today.year else f" {self.day.year}"
        return f"Due {self.day.day} {self.day:%B}{year}"
