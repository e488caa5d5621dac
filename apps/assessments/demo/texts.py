"""What the demo people write about themselves and about each other."""

from random import Random
from typing import Final

from apps.assessments.demo.deeds import DEEDS, OTHERWISE, WORK
from apps.assessments.demo.levels import Scores
from apps.assessments.entities import Feedback
from apps.assessments.variance import STANDS_OUT_BEYOND
from apps.ladders.ladder import Ladder, Place

_LEARNS_UP_TO, _CARRIES_UP_TO = 2, 4
_SECONDS: Final = (
    "It went live without complaints.",
    "Others build on it by now.",
    "The next one will be quicker for it.",
    "The branches noticed.",
    "There is still some polish missing.",
    "",
    "",
)
_AIMS: Final = (
    "Next I want to take on such a piece alone.",
    "I would like to do this once with somebody who is further than I am.",
    "Next season I want to do it across teams.",
    "I want to pass on more of it, and do less of it myself.",
)
_WISHES: Final = (
    "Take the lead on one such piece next season.",
    "Look for work of this kind outside the team.",
    "Do it once in front of others: they can learn from it.",
    "Ask me for time for it; you will have it.",
)


class Writer:
    """Writes for one person in one season; the same again for the same."""

    def __init__(self, person: str, ladder: Ladder, scores: Scores, *, season: int) -> None:
        """`season` is the season's number."""
        self.first_name = person.split(maxsplit=1)[0]
        self.person = person
        self.ladder = ladder
        self.scores = scores
        self.season = season

    def feedback(self, place: Place, *, own: bool) -> Feedback:
        """What shows the level that was chosen, and what would show the next one."""
        dice = self._dice(place, own=own)
        level = (self.scores.own if own else self.scores.by_manager)[place]
        band = 0 if level <= _LEARNS_UP_TO else 1 if level <= _CARRIES_UP_TO else 2
        who = "I" if own else self.first_name
        told = f"In {dice.choice(WORK)} {who} {dice.choice(DEEDS.get(place[1], OTHERWISE)[band])}."
        parts = [told, dice.choice(_SECONDS)]
        if not own:
            parts.append(self._on_the_difference(place))
        return Feedback(
            evidence=" ".join(part for part in parts if part), next_level_feedback=self._next(place, own=own)
        )

    def way_forward(self, *, own: bool) -> str:
        """The closing text: what matters most until next season."""
        levels = self.scores.own if own else self.scores.by_manager
        lowest = sorted(levels, key=lambda place: (levels[place], place))[:2]
        highest = max(levels, key=lambda place: (levels[place], place))
        voice = (
            (f"I enjoy **{highest[1]}** most and want to do more of it.", "Until next season I work on:")
            if own
            else (f"{self.first_name} is strong in **{highest[1]}**; we rely on that.", "What I wish for most:")
        )
        return "\n".join([*voice, "", *(f"- {place[1]}" for place in lowest)])

    def notes(self) -> str:
        """What was said when the two met about the report."""
        apart = [place for place in self.scores.own if abs(self._difference(place)) > STANDS_OUT_BEYOND]
        agreed = sum(self._difference(place) == 0 for place in self.scores.own)
        lines = [
            f"We went through all of it in an hour. In {agreed} of {len(self.scores.own)} we chose the same level."
        ]
        lines += [
            f"**{place[1]}**: we had different work in mind. We will look at two examples together." for place in apart
        ]
        return "\n\n".join(lines)

    def next_steps(self) -> str:
        """What the two agreed on."""
        levels = self.scores.by_manager
        lowest = sorted(levels, key=lambda place: (levels[place], place))[:2]
        dice = self._dice(lowest[0], own=False)
        work = dice.sample(WORK, 2)
        return "\n".join(
            f"{number}. {place[1]}: try it in {piece}, and look at it together after six weeks."
            for number, (place, piece) in enumerate(zip(lowest, work, strict=True), start=1)
        )

    def _next(self, place: Place, *, own: bool) -> str:
        level = (self.scores.own if own else self.scores.by_manager)[place]
        competency = self.ladder.competency(place)
        coming = competency.level(level + 1) if competency else None
        dice = self._dice(place, own=own)
        if coming is None:
            return (
                "There is no level above this. I want to help others get here." if own else "Bring others up to here."
            )
        return dice.choice(_AIMS) if own else f"{dice.choice(_WISHES)} What is expected then: {coming.expectation}"

    def _difference(self, place: Place) -> int:
        return self.scores.by_manager[place] - self.scores.own[place]

    def _on_the_difference(self, place: Place) -> str:
        difference = self._difference(place)
        if difference >= STANDS_OUT_BEYOND:
            return f"{self.first_name} is far too modest here."
        if difference <= -STANDS_OUT_BEYOND:
            return f"{self.first_name} sees it higher; for that I would need to see it without my help, and more often."
        return ""

    def _dice(self, place: Place, *, own: bool) -> Random:
        return Random(f"{self.person}/{place[1]}/{self.season}/{own}")  # noqa: S311
