"""People as a rule tells them apart: by their roles, and by what they are to the thing in question.

Written here and not taken from the package `rules`: that one takes a predicate which answers None for left out, so that
a slip in one opens what stands behind `&`; it says no to a name that it does not know instead of raising; it has no
types. What is needed of it is `|` and `&`.
"""

from collections.abc import Callable
from typing import Any, Final

from apps.accounts.entities import Role

Fact = Callable[["Relation"], bool]


class Who:
    """Some people. `admin | (operator & own)` are administrators, and operators where the thing is their own."""

    def __init__(self, among: Callable[[frozenset[Role], Fact], bool]) -> None:
        """`among` tells whether somebody with these roles is one of them; it asks what they are to the thing."""
        self.among = among

    def __or__(self, other: "Who") -> "Who":
        return Who(lambda roles, is_so: self.among(roles, is_so) or other.among(roles, is_so))

    def __and__(self, other: "Who") -> "Who":
        return Who(lambda roles, is_so: self.among(roles, is_so) and other.among(roles, is_so))


class Relation(Who):
    """What somebody is to a thing, read off attributes that the thing must have: without them it is a bug that shows.

    `words` follow “yes, on” in the documentation.
    """

    def __init__(self, words: str, holds: Callable[[str, Any], bool]) -> None:
        """`holds` is asked with a user's id and a thing."""
        super().__init__(lambda _, is_so: is_so(self))
        self.words = words
        self.holds = holds


def _with(role: Role) -> Who:
    return Who(lambda roles, _: role in roles)


admin: Final = _with(Role.ADMIN)
manager: Final = _with(Role.MANAGER)
team_member: Final = _with(Role.TEAM_MEMBER)
operator: Final = _with(Role.OPERATOR)
shop_operator: Final = _with(Role.SHOP_OPERATOR)
analyst: Final = _with(Role.ANALYST)
support: Final = _with(Role.SUPPORT)
viewer: Final = _with(Role.VIEWER)
everybody: Final = Who(lambda _roles, _: True)

own: Final = Relation("own", lambda user_id, thing: thing.user_id == user_id)
# Most things cannot be shared (yet): those are shared with nobody.
shared: Final = Relation("shared", lambda user_id, thing: user_id in getattr(thing, "shared_with", ()))
of_their_team: Final = Relation("of their team", lambda user_id, thing: thing.manager_id == user_id)
they_belong_to: Final = Relation("of a team they are in", lambda user_id, thing: user_id in thing.member_ids)
about_them: Final = Relation("about themselves", lambda user_id, thing: thing.team_member_id == user_id)

RELATIONS: Final = (own, shared, of_their_team, they_belong_to, about_them)
