"""How far each demo team is in the season that is under way."""

from dataclasses import dataclass
from typing import Final

from apps.assessments.entities import AssessmentStatus

_STATES: Final = {
    "n": AssessmentStatus.NOT_STARTED,
    "p": AssessmentStatus.IN_PROGRESS,
    "s": AssessmentStatus.SUBMITTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`ends_in_days` counts from today, below 0 it is overdue; the states go member by member, as the team lists them.

    Without states the plan is still a draft.
    """

    ends_in_days: int
    own: str = ""
    by_manager: str = ""

    @property
    def is_draft(self) -> bool:
        """Whether the plan was not activated yet."""
        return not self.own

    def state(self, place: int, *, own: bool) -> AssessmentStatus:
        """The state of the assessment of the member at this place of the team."""
        states = self.own if own else self.by_manager
        return _STATES[states[place % len(states)]]


UNDER_WAY: Final = {
    "Policy Services": Progress(ends_in_days=3, own="pssssns", by_manager="npssnnp"),
    "Claims Platform": Progress(ends_in_days=12, own="spnsnp", by_manager="nnpnnn"),
    "Customer Apps": Progress(ends_in_days=24, own="nnpnnnp", by_manager="nnnnnnn"),
    "Data and Insight": Progress(ends_in_days=6, own="ssssss", by_manager="sssspn"),
    "Infrastructure": Progress(ends_in_days=40),
    "Quality and Release": Progress(ends_in_days=-2, own="sssssp", by_manager="ssspss"),
}
