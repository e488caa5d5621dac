"""What can go wrong with ladders."""

from apps.errors import Conflict, Invalid, NotFound


class InvalidLadder(Invalid):
    """A document that is no ladder; `details` has the problems with their lines, `problems` is how many there are."""

    code = "invalid_ladder"
    problems = 1


class LadderNotFound(NotFound):
    """There is no such version of the ladder."""

    code = "ladder_not_found"


class NoActiveLadder(Conflict):
    """Nothing can be planned before there is a ladder to assess by."""

    code = "no_active_ladder"


class OtherLadderActivated(Conflict):
    """Another version was activated since somebody looked at what would change."""

    code = "other_ladder_activated"
