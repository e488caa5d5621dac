"""Uniqueness: a guard item for each value that only one thing may have, written with that thing."""

from apps.errors import DomainError
from apps.storage.conditions import attribute
from apps.storage.entity import Entity
from apps.storage.repository import Repository
from apps.storage.tables import UNIQUES
from apps.storage.writes import Write


class Guard(Entity):
    """`guard` names what must be unique (`Users.email#ada@example.org`); `owner` is the key of the one that has it."""

    guard: str
    owner: str


class Guards(Repository[Guard]):
    """The guards; their writes are for transactions with the write of what they guard."""

    entity = Guard
    table = UNIQUES
    noun = "guard"

    def claiming(self, scope: str, value: str, *, owner: str, otherwise: DomainError) -> Write:
        """Take the value for `owner`; the transaction fails with `otherwise` where it is taken."""
        return self.adding(Guard(guard=guard_name(scope, value), owner=owner)).otherwise(otherwise)

    def releasing(self, scope: str, value: str, *, owner: str) -> Write:
        """Give the value up; fails where another owner holds it."""
        return self.deleting(guard_name(scope, value), condition=attribute("owner").equals(owner))

    def owner(self, scope: str, value: str) -> str | None:
        """Who has the value, read consistently; None where nobody has."""
        found = self.find(guard_name(scope, value), consistent=True)
        return found.owner if found else None


def guard_name(scope: str, value: str) -> str:
    """The key of the guard; the value comes last, so it may hold any character."""
    return f"{scope}#{value}"
