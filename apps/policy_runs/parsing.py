"""Policy numbers out of what people paste or upload."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MOST_POLICIES = 10_000
MOST_PROBLEMS_SHOWN = 100
POLICY_NUMBER = re.compile(r"[A-Z0-9]{9}")
LENGTH = 9
DELIMITERS = ",;\t"
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
    return _collect(_cells(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")))


def decode_upload(content: bytes) -> str:
    """The text of an uploaded file. Raises `ValueError` with a sentence where it is no text."""
    for encoding in ("utf-8-sig", "utf-16") if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ValueError("This is not a text file. Save the sheet as CSV and choose that file.")


def _cells(text: str) -> Iterator[tuple[int, str]]:
    """The line and the cell of each row that is not empty, below the heading if there is one."""
    column = None
    for line, row in _rows(text):
        if not any(cell.strip() for cell in row):
            continue
        if column is None:
            headings = [cell.strip().upper() in HEADINGS for cell in row]
            column = headings.index(True) if any(headings) else 0
            if any(headings):
                continue
        yield line, row[column].strip() if len(row) > column else ""


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it begins on; a quoted cell may go over several."""
    rows = csv.reader(io.StringIO(text), delimiter=_delimiter(text), strict=True)
    line = 1
    try:
        for row in rows:
            yield line, row
            line = rows.line_num + 1
    except csv.Error:
        raise ValueError(f"This file cannot be read from line {line} on: check the quotation marks there.") from None


def _delimiter(text: str) -> str:
    """The mark that makes a policy number or its heading a cell of the first row, else the most frequent one."""
    first = text.lstrip().partition("\n")[0]
    for mark in DELIMITERS:
        cells = [cell.strip().strip('"').strip().upper() for cell in first.split(mark)]
        if len(cells) > 1 and any(cell in HEADINGS or POLICY_NUMBER.fullmatch(cell) for cell in cells):
            return mark
    return max(DELIMITERS, key=text[:4096].count)


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
