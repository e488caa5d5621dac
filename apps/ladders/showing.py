"""Ladders made ready to be shown, with anchors, at one level if one likes; versions with who uploaded them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.text import slugify

from apps.accounts.repository import Users
from apps.ladders.comparing import Difference
from apps.ladders.entities import LadderVersion
from apps.ladders.ladder import Competency, Ladder, Level

COMMAND = "command:"


@dataclass(frozen=True, slots=True)
class ShownCompetency:
    """A competency, where to find it on the page, and the levels to show."""

    anchor: str
    competency: Competency
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class ShownCategory:
    """A category and where to find it on the page."""

    anchor: str
    title: str
    introduction: str
    competencies: tuple[ShownCompetency, ...]


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """A version of the ladder, and what to call who uploaded it."""

    version: LadderVersion
    uploader: str


def shown(ladder: Ladder, *, level: int | None = None) -> list[ShownCategory]:
    """The ladder with anchors; with a level only that one and the next, which is what people at it look for."""
    anchors = _Anchors()
    return [
        ShownCategory(
            anchor=anchors.of(category.title),
            title=category.title,
            introduction=category.introduction,
            competencies=tuple(
                ShownCompetency(
                    anchor=anchors.of(f"{category.title} {one.title}"),
                    competency=one,
                    levels=tuple(found for found in one.levels if level is None or found.number in {level, level + 1}),
                )
                for one in category.competencies
            ),
        )
        for category in ladder.categories
    ]


def in_words(difference: Difference) -> str:
    """What changes, in one line without a full stop: “1 competency added, 3 levels changed”; empty for nothing."""
    counts = (
        (len(difference.added), "competency", "competencies", "added"),
        (len(difference.removed), "competency", "competencies", "removed"),
        (len(difference.moved), "competency", "competencies", "moved or renamed"),
        (difference.levels, "level", "levels", "changed"),
    )
    found = [f"{number} {one if number == 1 else several} {deed}" for number, one, several, deed in counts if number]
    if not found and difference:
        found = ["another order" if difference.reordered else "other introductions"]
    return ", ".join(found)


def with_uploaders(versions: Sequence[LadderVersion], users: Users) -> list[ShownVersion]:
    """The versions with the names of those who uploaded them, fetched in one batch."""
    names = _names((version.created_by for version in versions), users)
    return [ShownVersion(version, names.get(version.created_by, "Somebody who left")) for version in versions]


def _names(user_ids: Iterable[str], users: Users) -> dict[str, str]:
    wanted = set(user_ids)
    commands = {user_id: "A command" for user_id in wanted if user_id.startswith(COMMAND)}
    people = sorted(wanted - set(commands))
    return {**commands, **({user.user_id: user.name for user in users.get_many(people)} if people else {})}


class _Anchors:
    """Gives each title an anchor that no other has, whatever the titles are."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def of(self, title: str) -> str:
        wanted = anchor = f"l-{slugify(title, allow_unicode=True)}"  # other than the ids of the frame
        number = 1
        while anchor in self._given:
            number += 1
            anchor = f"{wanted}-{number}"
        self._given.add(anchor)
        return anchor
