"""CSV as a spreadsheet should take it: values as they are, and nothing as a formula."""

import csv
import io
from collections.abc import Iterable
from typing import Any

_BEGINS_A_FORMULA = frozenset("=+-@\t\r\n")


def csv_line(cells: Iterable[Any]) -> bytes:
    """One line of CSV in UTF-8. Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    line = io.StringIO()
    csv.writer(line).writerow([_harmless(cell) for cell in cells])
    return line.getvalue().encode()


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in _BEGINS_A_FORMULA else cell
