"""A career ladder as a value: categories of competencies, each with levels from 1 up."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

Place = tuple[str, str]
"""A competency of a ladder: the titles of its category and its own."""


class Level(BaseModel):
    """What is expected at a level: one line of Markdown, and an explanation of any length (Markdown, may be empty)."""

    model_config = ConfigDict(frozen=True)

    number: int
    expectation: str
    explanation: str = ""


class Competency(BaseModel):
    """Something people are good at to some degree; its levels are numbered from 1 up, without a gap."""

    model_config = ConfigDict(frozen=True)

    title: str
    introduction: str = ""
    levels: tuple[Level, ...]

    def level(self, number: int) -> Level | None:
        """The level of this number; None where the competency has none such."""
        return self.levels[number - 1] if 0 < number <= len(self.levels) else None


class Category(BaseModel):
    """Competencies that belong together."""

    model_config = ConfigDict(frozen=True)

    title: str
    introduction: str = ""
    competencies: tuple[Competency, ...]


class Ladder(BaseModel):
    """A whole ladder: titles of categories are unique in it, those of competencies in their category."""

    model_config = ConfigDict(frozen=True)

    categories: tuple[Category, ...]

    @property
    def places(self) -> Iterator[Place]:
        """Every competency, in the ladder's order."""
        return ((category.title, one.title) for category in self.categories for one in category.competencies)

    @property
    def highest(self) -> int:
        """The highest level of any competency."""
        return max(len(one.levels) for category in self.categories for one in category.competencies)

    def category(self, title: str) -> Category | None:
        """The category of this title."""
        return next((category for category in self.categories if category.title == title), None)

    def competency(self, place: Place) -> Competency | None:
        """The competency at this place."""
        category = self.category(place[0])
        return next((one for one in category.competencies if one.title == place[1]), None) if category else None
