"""`manage.py list_permissions`: who may do what, as the page of the documentation."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.entities import Role
from apps.accounts.permissions import RULES
from apps.accounts.who import RELATIONS, Relation, Who

INTRODUCTION = """# Who may do what

`apps/accounts/permissions.py` as a table, printed by `manage.py list_permissions`; a test keeps this page true.
Roles add up. Words in place of *yes* say to which things it applies. Whoever is not active may nothing. What one may
not see answers 404, what one sees but may not do 403.

What somebody answers in an assessment is read by nobody else before they submit it: others see how far it is. Nobody is
their own manager, whatever team they lead. Of a report that is being revised, what was submitted before stays readable.
"""


class Command(BaseCommand):
    """Prints the page."""

    help = "Print who may do what, as docs/permissions.md has it."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        del args, options
        self.stdout.write(page())


def page() -> str:
    """The page in Markdown."""
    return "\n".join([INTRODUCTION, *_table()])


def _table() -> Iterator[str]:
    yield f"| | {' | '.join(Role)} |"
    yield f"|---{'|---' * len(Role)}|"
    for permission, who in RULES.items():
        yield f"| `{permission}` | {' | '.join(_cell(who, role) for role in Role)} |"


def _cell(who: Who, role: Role) -> str:
    if _includes(who, role, None):
        return "yes"
    return ", ".join(relation.words for relation in RELATIONS if _includes(who, role, relation))


def _includes(who: Who, role: Role, only: Relation | None) -> bool:
    return who.among(frozenset({role}), lambda relation: relation is only)
