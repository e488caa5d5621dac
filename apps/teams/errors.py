"""What can go wrong with teams."""

from apps.errors import Invalid, NotFound


class TeamNotFound(NotFound):
    """There is no such team, or this person may not see it: which of these is never told."""

    code = "team_not_found"

    def __init__(self) -> None:
        """One sentence for every cause."""
        super().__init__("There is no such team.")


class InvalidTeam(Invalid):
    """A team that cannot be so; `field` says what is wrong with it."""

    code = "invalid_team"
