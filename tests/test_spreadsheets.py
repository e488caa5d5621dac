"""CSV that spreadsheets take as text."""

import pytest

from apps.spreadsheets import csv_line


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_text_that_begins_a_formula_is_made_harmless(text):
    assert csv_line([text]).decode().lstrip('"').startswith(f"'{text[0]}")


def test_everything_else_stays_as_it_is():
    assert csv_line(["a=1", -5, None, 'say "hi"', "", "ä"]).decode() == 'a=1,-5,,"say ""hi""",,ä\r\n'
