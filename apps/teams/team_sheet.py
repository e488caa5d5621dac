"""Teams out of a spreadsheet: which team each row names, with its manager and a member, or what is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from apps.accounts.entities import display_name, email_address
from apps.spreadsheets import Finding, Row, read_sheet
from apps.teams.entities import LONGEST_DESCRIPTION

MOST_ROWS: Final = 10_000
LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipRow:
    """What a row says: a team of this manager, perhaps somebody in it, perhaps what it is for."""

    line: int
    team_name: str
    manager_email: str
    member_email: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamSheet:
    """The rows of a file that can be read, what is wrong with the others, and the headings that are not used."""

    rows: Sequence[MembershipRow]
    findings: Sequence[Finding]
    unused: Sequence[str]


def read_teams(text: str) -> TeamSheet:
    """The rows of a CSV file with the columns team, manager_email, and perhaps member_email and description.

    One row is one membership; a team without members has a row without one. Raises `ValueError` with a sentence for a
    file that cannot be read at all.
    """
    sheet = read_sheet(
        text, required=("team", "manager_email"), optional=("member_email", "description"), most_rows=MOST_ROWS
    )
    findings = list(sheet.findings)
    rows = [one for row in sheet.rows if (one := _membership(row, findings)) is not None]
    ordered = sorted(findings, key=lambda finding: finding.line)
    return TeamSheet(rows=rows, findings=ordered, unused=sheet.unused)


def _membership(row: Row, findings: list[Finding]) -> MembershipRow | None:
    before = len(findings)
    team_name = ""
    try:
        team_name = display_name(row.cells["team"])
    except ValueError:
        findings.append(Finding(row.line, row.cells["team"][:LONGEST_SHOWN], "enter the team's name"))
    manager = _address(row, "manager_email", "the manager's e-mail address", findings)
    member = _address(row, "member_email", "the member's e-mail address, or nothing", findings, is_needed=False)
    description = row.cells["description"]
    if len(description) > LONGEST_DESCRIPTION:
        told = f"a description has at most {LONGEST_DESCRIPTION} characters"
        findings.append(Finding(row.line, team_name[:LONGEST_SHOWN], told))
    if len(findings) > before:
        return None
    return MembershipRow(
        line=row.line, team_name=team_name, manager_email=manager, member_email=member, description=description
    )


def _address(row: Row, column: str, words: str, findings: list[Finding], *, is_needed: bool = True) -> str:
    text = row.cells[column]
    if not text and not is_needed:
        return ""
    try:
        return email_address(text)
    except ValueError:
        findings.append(Finding(row.line, text[:LONGEST_SHOWN], f"enter {words}"))
        return ""
