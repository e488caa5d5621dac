"""Reading, recognising and masking screens: pure text."""

from datetime import date
from decimal import Decimal

import pytest

from apps.terminal.demohost import panels
from apps.terminal.demohost.book import demo_policies
from apps.terminal.demohost.datastream import Text
from apps.terminal.screens import (
    Field,
    ScreenKind,
    bright_spans,
    classify,
    input_after,
    read_detail,
    without_hidden,
    without_secrets,
)


def screen(*texts: tuple[int, int, str]) -> str:
    rows = [" " * 80 for _ in range(24)]
    for row, column, text in texts:
        before = rows[row - 1]
        rows[row - 1] = (before[: column - 1] + text).ljust(80)[:80]
    return "".join(rows)


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        ([], ScreenKind.BLANK),
        ([(1, 2, "HVM010")], ScreenKind.LOGON),
        ([(1, 2, "HVM010"), (22, 2, "HVM090I USER DEMO01 SIGNED OFF")], ScreenKind.LOGGED_OFF),
        ([(1, 2, "HVM010"), (22, 2, "HVM011E USER ID OR PASSWORD IS NOT VALID")], ScreenKind.WRONG_PASSWORD),
        ([(1, 2, "HVM010"), (22, 2, "USER ID A IS IN USE AT ANOTHER TERMINAL")], ScreenKind.USER_IN_USE),
        ([(1, 2, "HVM010"), (22, 2, "THE PASSWORD OF A HAS EXPIRED")], ScreenKind.PASSWORD_EXPIRED),
        ([(1, 2, "HVM010"), (22, 2, "USER ID A IS REVOKED")], ScreenKind.USER_REVOKED),
        ([(1, 2, "HVM010"), (22, 2, "SYSTEM CLOSES AT 18:00")], ScreenKind.MESSAGE),
        ([(1, 2, "HVM100")], ScreenKind.MENU),
        ([(1, 2, "HVM100"), (22, 2, "YOUR PASSWORD IS DUE FOR A CHANGE IN 5 DAYS")], ScreenKind.MENU),
        ([(1, 2, "HVM210")], ScreenKind.INQUIRY),
        ([(1, 2, "HVM210"), (22, 2, "SYSTEM CLOSES AT 18:00")], ScreenKind.MESSAGE),
        ([(1, 2, "HVM210"), (22, 2, "POLICY A NOT FOUND")], ScreenKind.NOT_FOUND),
        ([(1, 2, "HVM210"), (22, 2, "POLICY NUMBER A IS NOT WELL FORMED")], ScreenKind.MALFORMED),
        ([(1, 2, "HVM210"), (22, 2, "POLICY A IS LOCKED BY TERMINAL B")], ScreenKind.LOCKED),
        ([(1, 2, "HVM210"), (22, 2, "TRANSACTION HVPI ABENDED WITH CODE AHV7")], ScreenKind.ABEND),
        ([(1, 2, "HVM220")], ScreenKind.INCOMPLETE),
        ([(1, 2, "HVM900"), (12, 30, "SESSION ENDED. GOODBYE.")], ScreenKind.LOGGED_OFF),
        ([(1, 2, "HVM930")], ScreenKind.TIMED_OUT),
        ([(9, 2, "Your session timed out.")], ScreenKind.TIMED_OUT),
        ([(1, 2, "TRANSACTION HVPI ENDED ABNORMALLY, ABEND CODE AHV7")], ScreenKind.ABEND),
        ([(4, 24, "* * *  OPERATIONS BULLETIN  * * *")], ScreenKind.UNKNOWN),
        ([(1, 2, "HVM777"), (4, 24, "CLAIMS REGISTER")], ScreenKind.UNKNOWN),
    ],
)
def test_a_screen_is_recognised(texts: list[tuple[int, int, str]], kind: ScreenKind) -> None:
    assert classify(screen(*texts)).kind is kind


DETAIL = [
    (1, 2, "HVM220"),
    (6, 4, "Policy number  . .: HVA100813"),
    (8, 4, "Holder . . . . . .: IRIS O'HARA-STANHOPE JR."),
    (9, 4, "Product  . . . . .: PERSONAL AUTO"),
    (10, 4, "Status . . . . . .: IN FORCE"),
    (12, 4, "Premium USD  . . .: 1,907.40           Billing  . . . . .: QUARTERLY"),
    (13, 4, "State  . . . . . .: PA                 Agent  . . . . . .: 535-NIGHTINGALE"),
    (15, 4, "Effective  . . . .: 2026-04-08"),
    (16, 4, "Expires  . . . . .: 2027-04-08"),
]


def test_a_detail_is_read_field_by_field() -> None:
    detail = classify(screen(*DETAIL)).detail
    assert detail.policy_number == "HVA100813"
    assert detail.holder == "IRIS O'HARA-STANHOPE JR."
    assert str(detail.premium) == "1907.40"
    assert (detail.effective_date, detail.expiry_date) == (date(2026, 4, 8), date(2027, 4, 8))
    assert (detail.state, detail.billing, detail.agent) == ("PA", "QUARTERLY", "535-NIGHTINGALE")
    assert detail.as_map()["premium"] == Decimal("1907.40")
    assert detail.as_map()["effective_date"] == "2026-04-08"


@pytest.mark.parametrize("missing", range(1, len(DETAIL)))
def test_a_detail_of_which_a_line_is_missing_is_incomplete(missing: int) -> None:
    text = screen(*(line for number, line in enumerate(DETAIL) if number != missing))
    assert read_detail(text) is None
    assert classify(text).kind is ScreenKind.INCOMPLETE


@pytest.mark.parametrize(("row", "line"), [(12, "Premium USD  . . .: n/a"), (15, "Effective  . . . .: 2026-13-01")])
def test_a_detail_that_cannot_be_read_is_incomplete(row: int, line: str) -> None:
    assert classify(screen(*DETAIL, (row, 4, line))).kind is ScreenKind.INCOMPLETE


def test_a_hidden_field_is_blanked_even_where_it_wraps_around_the_screen() -> None:
    text = "AB" + "." * 76 + "CD"
    hidden = Field(start=78, length=4, protected=False, hidden=True, bright=False)
    shown = Field(start=2, length=76, protected=False, hidden=False, bright=False)
    assert without_hidden(text, [hidden, shown]) == "  " + "." * 76 + "  "


@pytest.mark.parametrize("echo", ["S3cret.X", "s3cret.x", "S3CRET.X", "(S3cret.X)"])
def test_a_secret_is_blanked_wherever_it_stands_and_however_it_is_written(echo: str) -> None:
    text = f"PASSWORD {echo} OF USER S3CRETAX{echo}"
    masked = without_secrets(text, ["S3cret.X", ""])
    assert "s3cret.x" not in masked.lower()
    assert len(masked) == len(text)
    assert "USER S3CRETAX" in masked


def test_of_two_secrets_the_longer_one_is_blanked_whole() -> None:
    assert without_secrets("=DEMOPASS=", ["PASS", "DEMOPASS"]) == "=        ="


def test_bright_spans_are_what_intensified_fields_show() -> None:
    text = "  HELLO   quiet                WRAPPED".ljust(80)
    fields = [
        Field(start=0, length=10, protected=True, hidden=False, bright=True),
        Field(start=10, length=10, protected=True, hidden=False, bright=False),
        Field(start=20, length=10, protected=True, hidden=False, bright=True),
        Field(start=30, length=60, protected=True, hidden=False, bright=True),
    ]
    assert bright_spans(text, fields) == ((2, 5), (2, 5), (31, 7))


def test_an_input_is_found_beside_its_label_in_the_same_row_only() -> None:
    text = screen((3, 2, "Type a policy number"), (5, 2, "Policy number . ."), (7, 2, "Other label"))
    beside = Field(start=4 * 80 + 30, length=9, protected=False, hidden=False, bright=False)
    below = Field(start=8 * 80, length=9, protected=False, hidden=False, bright=False)
    guarded = Field(start=6 * 80 + 30, length=9, protected=True, hidden=False, bright=False)
    fields = [below, guarded, beside]
    assert input_after(text, fields, label="policy number") == beside
    assert input_after(text, fields, label="Other label") is None
    assert input_after(text, fields, label="Password") is None


def test_no_text_of_a_demo_panel_leaves_the_screen() -> None:
    for body in panels._BODIES.values():
        for item in body:
            width = len(item.text) if isinstance(item, Text) else item.length
            assert item.column > 1
            assert item.column + width <= 81
    longest = max(demo_policies(), key=lambda policy: len(policy.holder))
    assert len(longest.holder) < 40
