"""What changes from one ladder to another."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from apps.ladders.ladder import Competency, Ladder, Level, Place


@dataclass(frozen=True, slots=True)
class LevelChange:
    """One level of a competency before and after; None where it was added or removed."""

    number: int
    before: Level | None
    after: Level | None


@dataclass(frozen=True, slots=True)
class TextChange:
    """An introduction before and after; empty where there was, or is, none."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class CompetencyChange:
    """A competency that both ladders have, otherwise worded; at another place where it was moved or renamed."""

    before: Place
    after: Place
    introduction: TextChange | None
    levels: tuple[LevelChange, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What is new, gone and changed; titles and places are those of the ladder that has them.

    A competency that is elsewhere under its title, or under another title word for word, is *moved* and neither added
    nor removed. `reordered` says that what both have stands in another order.
    """

    categories_added: tuple[str, ...]
    categories_removed: tuple[str, ...]
    introductions: tuple[tuple[str, TextChange], ...]
    added: tuple[Place, ...]
    removed: tuple[Place, ...]
    moved: tuple[CompetencyChange, ...]
    changed: tuple[CompetencyChange, ...]
    reordered: bool

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return self.reordered or any(
            (
                self.categories_added,
                self.categories_removed,
                self.introductions,
                self.added,
                self.removed,
                self.moved,
                self.changed,
            )
        )

    @property
    def levels(self) -> int:
        """How many levels are added, removed or worded otherwise in competencies that both have."""
        return sum(len(one.levels) for one in (*self.moved, *self.changed))


def compared(before: Ladder, after: Ladder) -> Difference:
    """What changes from the one to the other."""
    had, has = dict(_competencies(before)), dict(_competencies(after))
    gone = [place for place in had if place not in has]
    new = [place for place in has if place not in had]
    moves = _moves(gone, new, had, has)
    kept = [place for place in has if place in had]
    old_titles, new_titles = ([category.title for category in ladder.categories] for ladder in (before, after))
    changes = [_change(place, place, had[place], has[place]) for place in kept]
    shared = [title for title in new_titles if title in old_titles]
    return Difference(
        categories_added=tuple(title for title in new_titles if title not in old_titles),
        categories_removed=tuple(title for title in old_titles if title not in new_titles),
        introductions=_introductions(before, after),
        added=tuple(place for place in new if place not in moves.values()),
        removed=tuple(place for place in gone if place not in moves),
        moved=tuple(_change(old, place, had[old], has[place]) for old, place in moves.items()),
        changed=tuple(one for one in changes if one.levels or one.introduction),
        reordered=kept != [place for place in had if place in has]
        or shared != [title for title in old_titles if title in new_titles],
    )


def _competencies(ladder: Ladder) -> Iterable[tuple[Place, Competency]]:
    return (((category.title, one.title), one) for category in ladder.categories for one in category.competencies)


def _introductions(before: Ladder, after: Ladder) -> tuple[tuple[str, TextChange], ...]:
    found = []
    for category in after.categories:
        former = before.category(category.title)
        if former is not None and former.introduction != category.introduction:
            found.append((category.title, TextChange(former.introduction, category.introduction)))
    return tuple(found)


def _moves(
    gone: Sequence[Place], new: Sequence[Place], had: dict[Place, Competency], has: dict[Place, Competency]
) -> dict[Place, Place]:
    """Which of the new ones is which of the gone: by title first, then by what its levels say; only where it is plain.

    What several could be is none of them.
    """
    found: dict[Place, Place] = {}
    likenesses: tuple[Callable[[Competency], object], ...] = (lambda one: one.title.casefold(), lambda one: one.levels)
    for likeness in likenesses:
        for old in gone:
            mine = likeness(had[old])
            alike = [place for place in new if place not in found.values() and likeness(has[place]) == mine]
            rivals = [place for place in gone if place not in found and likeness(had[place]) == mine]
            if old not in found and len(alike) == len(rivals) == 1:
                found[old] = alike[0]
    return found


def _change(old: Place, new: Place, before: Competency, after: Competency) -> CompetencyChange:
    numbers = range(1, max(len(before.levels), len(after.levels)) + 1)
    levels = (LevelChange(number, before.level(number), after.level(number)) for number in numbers)
    return CompetencyChange(
        before=old,
        after=new,
        introduction=TextChange(before.introduction, after.introduction)
        if before.introduction != after.introduction
        else None,
        levels=tuple(one for one in levels if one.before != one.after),
    )
