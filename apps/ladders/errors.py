"""What can go wrong with ladders."""

from apps.errors import Conflict, Invalid, NotFound


class InvalidLadder(Invalid):
    """A document that is no ladder; `details` has each problem with its line."""

    code = "invalid_ladder"


class LadderNotFound(NotFound):
    """There is no such version of the ladder."""

    code = "ladder_not_found"


class NoActiveLadder(Conflict):
    """Nothing can be planned before there is a ladder to assess by."""

    code = "no_active_ladder"


class OtherLadderActivated(Conflict):
    """Another version was activated since somebody looked at what would change."""

    code = "other_ladder_activated"
