"""CSV as spreadsheets take it and give it: values as they are, nothing as a formula, and each row with its line."""

import csv
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

DELIMITERS: Final = ",;\t"
_LONGEST_HEADING: Final = 10_000  # of what is looked at to tell the delimiter
_BEGINS_A_FORMULA = frozenset("=+-@\t\r\n")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong in a file: the line (from 1) on which the row begins, what stood there, and why it is refused."""

    line: int
    value: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row below the heading: the line it begins on, and its cells by column, without space around them."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The rows of a file that are not empty, those that cannot be read, and the headings that nobody asked for."""

    rows: Sequence[Row]
    findings: Sequence[Finding]
    unused: Sequence[str]


def csv_line(cells: Iterable[Any]) -> bytes:
    """One line of CSV in UTF-8. Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    line = io.StringIO()
    csv.writer(line).writerow([_harmless(cell) for cell in cells])
    return line.getvalue().encode()


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


def rows_of(text: str, *, is_cell: Callable[[str], bool]) -> Iterator[tuple[int, list[str]]]:
    """Each row of CSV with the line it begins on; a quoted cell may go over several.

    The delimiter is the mark that makes something of the first row fit `is_cell`, else the most frequent one. Raises
    `ValueError` with a sentence where the quotation marks do not pair: what stands between them would be lost.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    rows = csv.reader(io.StringIO(text), delimiter=_delimiter(text, is_cell), strict=True)
    line = 1
    try:
        for row in rows:
            yield line, row
            line = rows.line_num + 1
    except csv.Error:
        raise ValueError(f"This file cannot be read from line {line} on: check the quotation marks there.") from None


def read_sheet(text: str, *, required: Collection[str], optional: Collection[str] = (), most_rows: int) -> Sheet:
    """The rows below a first line that names the columns, in any order, case and spelling of `e-mail`.

    Raises `ValueError` with a sentence: a column is missing or named twice, or there are more than `most_rows`.
    """
    known = {_squeezed(name): name for name in (*required, *optional)}
    rows = (
        (line, [cell.strip() for cell in row])
        for line, row in rows_of(text, is_cell=lambda cell: _squeezed(cell) in known)
    )
    rows = ((line, cells) for line, cells in rows if any(cells))
    line, heading = next(rows, (1, []))
    columns = [known.get(_squeezed(cell), "") for cell in heading]
    named = [name for name in columns if name]
    if missing := [name for name in required if name not in named]:
        raise ValueError(f"Line {line} has to name the columns: {', '.join(missing)} is missing.")
    if twice := sorted({name for name in named if named.count(name) > 1}):
        raise ValueError(f"Line {line} names the column {twice[0]} twice.")
    found: list[Row] = []
    findings: list[Finding] = []
    for at, cells in rows:
        if any(cells[len(columns) :]):
            findings.append(Finding(at, cells[len(columns)][:40], "more cells than there are columns"))
            continue
        if len(found) == most_rows:
            raise ValueError(f"There are more than {most_rows:,} rows. Split the file.")
        given = {name: cell for name, cell in zip(columns, cells, strict=False) if name}
        found.append(Row(line=at, cells={**dict.fromkeys(known.values(), ""), **given}))
    unused = [cell for cell, name in zip(heading, columns, strict=True) if not name and cell]
    return Sheet(rows=found, findings=findings, unused=unused)


def _delimiter(text: str, is_cell: Callable[[str], bool]) -> str:
    first = text.lstrip().partition("\n")[0]
    fitting = {mark: sum(map(is_cell, _split(first, mark))) for mark in DELIMITERS if mark in first}
    best = max(fitting, key=fitting.__getitem__, default="")
    return best if best and fitting[best] else max(DELIMITERS, key=text[:4096].count)


def _split(line: str, mark: str) -> list[str]:
    """The cells of one line, as far as it goes: a quoted one may end in another line."""
    return [cell.strip() for cell in next(csv.reader([line[:_LONGEST_HEADING]], delimiter=mark), [])]


def _squeezed(heading: str) -> str:
    """A heading as it is compared: `Manager e-mail` is `manager_email`."""
    return re.sub(r"[\s_-]+", "", heading).casefold()


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in _BEGINS_A_FORMULA else cell
