"""People out of a spreadsheet: who each row names, or what is wrong with it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from apps.accounts.entities import Role, display_name, email_address
from apps.spreadsheets import Finding, Row, read_sheet

MOST_ROWS: Final = 10_000
LONGEST_SHOWN = 60
# A role as it is stored or as pages call it (`team_member`, `Team member`), or any other word.
_ANY_ROLE: Final = "|".join(role.replace("_", r"[\s_-]+") for role in Role)
_ROLE_WORDS: Final = re.compile(rf"(?<![^;,\s])(?:{_ANY_ROLE})(?![^;,\s])|[^;,\s]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """What a row says of somebody; no roles where its cell is empty."""

    line: int
    email: str
    name: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSheet:
    """The people of a file in its order, what is wrong with other rows, and the headings that are not used."""

    people: Sequence[PersonRow]
    findings: Sequence[Finding]
    unused: Sequence[str]


def read_people(text: str) -> PeopleSheet:
    """The people of a CSV file with the columns name, email and perhaps roles (semicolons, commas or spaces between).

    A row that says the same as an earlier one is left out. Raises `ValueError` with a sentence for a file that cannot
    be read at all.
    """
    sheet = read_sheet(text, required=("name", "email"), optional=("roles",), most_rows=MOST_ROWS)
    findings = list(sheet.findings)
    found: dict[str, PersonRow] = {}
    for row in sheet.rows:
        person = _person(row, findings)
        if person is None:
            continue
        earlier = found.setdefault(person.email, person)
        if (earlier.name, earlier.roles) != (person.name, person.roles):
            told = f"line {earlier.line} says something else of this address"
            findings.append(Finding(row.line, person.email, told))
    ordered = sorted(findings, key=lambda finding: finding.line)
    return PeopleSheet(people=list(found.values()), findings=ordered, unused=sheet.unused)


def _person(row: Row, findings: list[Finding]) -> PersonRow | None:
    """Who the row names; None where something is wrong, all of which is added to `findings`."""
    before = len(findings)
    name = email = ""
    try:
        name = display_name(row.cells["name"])
    except ValueError as error:
        findings.append(Finding(row.line, row.cells["name"][:LONGEST_SHOWN], _told(error)))
    try:
        email = email_address(row.cells["email"])
    except ValueError as error:
        findings.append(Finding(row.line, row.cells["email"][:LONGEST_SHOWN], _told(error)))
    roles = set()
    for word in _ROLE_WORDS.findall(row.cells["roles"]):
        role = re.sub(r"[\s-]+", "_", word).casefold()
        if role in set(Role):
            roles.add(Role(role))
        else:
            findings.append(Finding(row.line, word[:LONGEST_SHOWN], f"no role; the roles are {', '.join(Role)}"))
    if len(findings) > before:
        return None
    return PersonRow(line=row.line, email=email, name=name, roles=frozenset(roles))


def _told(error: ValueError) -> str:
    """The sentence as it goes on after a colon."""
    sentence = str(error)
    return sentence[:1].lower() + sentence[1:].rstrip(".")
