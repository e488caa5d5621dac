"""Policy numbers out of what people paste or upload."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from apps.spreadsheets import rows_of

MOST_POLICIES = 10_000
MOST_PROBLEMS_SHOWN = 100
POLICY_NUMBER = re.compile(r"[A-Z0-9]{9}")
LENGTH = 9
HEADINGS = frozenset({"POLICY", "POLICIES", "POLICYNUMBER", "POLICY_NUMBER", "POLICY NUMBER", "POLICY NO", "NUMBER"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry that is no policy number: its line (from 1), what stood there, and why it is refused."""

    line: int
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """Distinct policy numbers in the order given, how many repetitions were folded, and what is wrong."""

    numbers: tuple[str, ...]
    duplicates: int
    problems: tuple[Problem, ...]


def parse_pasted(text: str) -> Parsed:
    """Policy numbers separated by commas, semicolons, spaces or newlines, in upper or lower case."""
    return _collect(
        (line, entry)
        for line, content in enumerate(text.splitlines(), 1)
        for entry in re.split(r"[,;\s]+", content)
        if entry
    )


def parse_entries(entries: Iterable[str]) -> Parsed:
    """Policy numbers that come one by one; the "line" of a problem is the entry's position from 1."""
    return _collect(iter(enumerate(entries, 1)))


def parse_csv(text: str) -> Parsed:
    """Policy numbers from the column with a fitting heading, else from the first column, of a CSV file.

    Raises `ValueError` with a sentence where its quotation marks do not pair: what stands between them would be lost.
    """
    return _collect(_cells(text))


def _cells(text: str) -> Iterator[tuple[int, str]]:
    """The line and the cell of each row that is not empty, below the heading if there is one."""
    column = None
    for line, row in rows_of(text, is_cell=_is_cell):
        if not any(cell.strip() for cell in row):
            continue
        if column is None:
            headings = [cell.strip().upper() in HEADINGS for cell in row]
            column = headings.index(True) if any(headings) else 0
            if any(headings):
                continue
        yield line, row[column].strip() if len(row) > column else ""


def _is_cell(cell: str) -> bool:
    return cell.upper() in HEADINGS or POLICY_NUMBER.fullmatch(cell.upper()) is not None


def _collect(entries: Iterator[tuple[int, str]]) -> Parsed:
    numbers: dict[str, None] = {}
    problems: list[Problem] = []
    accepted = 0
    for line, entry in entries:
        number = entry.strip()
        if number.isascii():  # beyond it upper case makes letters out of others: "ß" would become "SS"
            number = number.upper()
        if POLICY_NUMBER.fullmatch(number):
            accepted += 1
            numbers[number] = None
        else:
            problems.append(Problem(line, entry[:40], _why(number)))
    return Parsed(tuple(numbers), accepted - len(numbers), tuple(problems))


def _why(number: str) -> str:
    if not number:
        return "the policy number is missing"
    strange = sorted({mark for mark in number if not re.fullmatch(r"[A-Za-z0-9]", mark)})
    if strange:
        return f"only letters A to Z and digits are allowed, not {' '.join(map(_named, strange[:5]))}"
    return f"a policy number has {LENGTH} characters, this has {len(number)}"


def _named(mark: str) -> str:
    if mark == " ":
        return "a space"
    return mark if mark.isprintable() else f"U+{ord(mark):04X}"
