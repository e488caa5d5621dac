"""CSV that spreadsheets take as text."""

import pytest

from apps.spreadsheets import csv_line, decode_upload


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_text_that_begins_a_formula_is_made_harmless(text):
    assert csv_line([text]).decode().lstrip('"').startswith(f"'{text[0]}")


def test_everything_else_stays_as_it_is():
    assert csv_line(["a=1", -5, None, 'say "hi"', "", "ä"]).decode() == 'a=1,-5,,"say ""hi""",,ä\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_what_a_spreadsheet_saves_is_read(encoding):
    assert decode_upload("Name;E-Mail\r\nÄnne;a@example.org\r\n".encode(encoding)).endswith("Änne;a@example.org\r\n")
    assert decode_upload(b"\xfe\xff" + "Änne".encode("utf-16-be")).endswith("Änne")
