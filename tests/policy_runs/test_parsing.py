"""Policy numbers out of what people paste, upload and send."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.policy_runs.errors import InvalidLaunch
from apps.policy_runs.parsing import (
    MOST_POLICIES,
    POLICY_NUMBER,
    parse_csv,
    parse_entries,
    parse_pasted,
)
from apps.policy_runs.services import checked_numbers
from apps.spreadsheets import decode_upload

GOOD = st.text(alphabet=string.ascii_letters + string.digits, min_size=9, max_size=9)
BAD = st.one_of(
    st.text(alphabet=string.ascii_letters + string.digits, min_size=1, max_size=8),
    st.text(alphabet=string.ascii_letters + string.digits, min_size=10, max_size=60),
    st.text(alphabet=string.ascii_letters + "-_/.äßéıſﬁ", min_size=1, max_size=12).filter(
        lambda entry: not (entry.isascii() and entry.isalnum())
    ),
)
SEPARATORS = st.text(alphabet=" ,;\t\n", min_size=1, max_size=4)
quick = settings(max_examples=60, deadline=None, database=None)


@quick
@given(entries=st.lists(st.tuples(GOOD, SEPARATORS), max_size=30))
def test_any_mix_of_separators_and_cases_is_read_in_order_with_duplicates_folded(entries):
    parsed = parse_pasted("".join(number + separator for number, separator in entries))

    expected = list(dict.fromkeys(number.upper() for number, _ in entries))
    assert list(parsed.numbers) == expected
    assert parsed.duplicates == len(entries) - len(expected)
    assert parsed.problems == ()


@quick
@given(lines=st.lists(st.lists(st.one_of(GOOD.map(lambda n: (True, n)), BAD.map(lambda n: (False, n))), max_size=4)))
def test_every_bad_entry_is_named_with_its_line_and_the_good_ones_are_kept(lines):
    parsed = parse_pasted("\n".join(" ".join(entry for _, entry in line) for line in lines))

    wrong = [(place, entry[:40]) for place, line in enumerate(lines, 1) for good, entry in line if not good]
    assert [(problem.line, problem.value) for problem in parsed.problems] == wrong
    assert set(parsed.numbers) == {entry.upper() for line in lines for good, entry in line if good}


@quick
@given(text=st.text())
def test_whatever_is_pasted_yields_policy_numbers_and_problems_only(text):
    parsed = parse_pasted(text)

    assert all(POLICY_NUMBER.fullmatch(number) for number in parsed.numbers)
    assert all(problem.message and problem.line >= 1 for problem in parsed.problems)


@quick
@given(content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_whatever_is_uploaded_is_read_or_refused_with_a_sentence(content):
    refusal, numbers = None, ()
    try:
        numbers = parse_csv(decode_upload(content)).numbers
    except ValueError as error:
        refusal = error

    assert all(POLICY_NUMBER.fullmatch(number) for number in numbers)
    assert not isinstance(refusal, UnicodeError)
    assert refusal is None or str(refusal).endswith(".")


@quick
@given(
    numbers=st.lists(GOOD, min_size=1, max_size=20),
    delimiter=st.sampled_from(",;\t"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    column=st.integers(0, 3),
    quoted=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
)
def test_a_sheet_is_read_by_its_heading_however_it_was_saved(numbers, delimiter, end, column, quoted, encoding):
    def row(cells):
        return delimiter.join(f'"{cell}"' if quoted else cell for cell in cells)

    rows = [["Name", "Prämie", "Café"] for _ in range(len(numbers) + 1)]
    for cells, number in zip(rows, ["Policy Number", *numbers], strict=True):
        cells.insert(column, number)
    parsed = parse_csv(decode_upload(end.join(map(row, rows)).encode(encoding)))

    assert parsed.problems == ()
    assert list(parsed.numbers) == list(dict.fromkeys(number.upper() for number in numbers))


def test_without_a_heading_the_first_column_is_read():
    parsed = parse_csv("ABC123DEF;Smith, John;12,50\nABC123DEG;Brown, Ann;8,00\n")

    assert (parsed.numbers, parsed.problems) == (("ABC123DEF", "ABC123DEG"), ())


def test_a_row_without_a_policy_number_is_named_and_an_empty_row_is_not():
    parsed = parse_csv("policy,name\nABC123DEF,Smith\n,Brown\n\n , \nABC123DEG,Green\n")

    assert parsed.numbers == ("ABC123DEF", "ABC123DEG")
    assert [(problem.line, problem.message) for problem in parsed.problems] == [(3, "the policy number is missing")]


def test_lines_are_counted_as_the_file_has_them_even_where_a_cell_goes_over_two():
    parsed = parse_csv('\nname,policy no\n"Smith\nJohn",ABC123DEF\nBrown,WRONG\n')

    assert parsed.numbers == ("ABC123DEF",)
    assert [problem.line for problem in parsed.problems] == [5]


def test_an_open_quotation_mark_loses_no_row_silently():
    with pytest.raises(ValueError, match="from line 2 on"):
        parse_csv('ABC123DEF,fine\nABC123DEG,"not closed\nABC123DEH,fine\n')


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04\x14\0\x06\0", b"\xff\xfeA", "ABC123DEF".encode("utf-16-le"), b"ABC\x81DEF"]
)
def test_what_is_no_text_is_refused(content):
    with pytest.raises(ValueError, match="not a text file"):
        decode_upload(content)


@pytest.mark.parametrize(
    "entry",
    [
        "\N{LATIN SMALL LETTER SHARP S}1234567",
        "ABC12345\N{LATIN SMALL LETTER DOTLESS I}",
        "\N{LATIN SMALL LIGATURE FI}1234567",
        "\N{FULLWIDTH LATIN CAPITAL LETTER A}BC123456",
        "\N{ARABIC-INDIC DIGIT ONE}BC123456",
    ],
)
def test_letters_and_digits_of_other_alphabets_are_no_policy_number(entry):
    parsed = parse_pasted(entry)

    assert parsed.numbers == ()
    assert "only letters A to Z and digits are allowed" in parsed.problems[0].message


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("ABC", "a policy number has 9 characters, this has 3"),
        ("abc-123-d", "only letters A to Z and digits are allowed, not -"),
        ("ABC 123 D", "only letters A to Z and digits are allowed, not a space"),
        ("ABC\x00123D", "only letters A to Z and digits are allowed, not U+0000"),
        ("", "the policy number is missing"),
    ],
)
def test_a_problem_says_why_an_entry_is_refused(entry, why):
    assert [problem.message for problem in parse_entries([entry]).problems] == [why]


def test_a_run_takes_ten_thousand_policies_and_not_one_more():
    numbers = [f"A{number:08}" for number in range(MOST_POLICIES + 1)]

    assert len(checked_numbers(parse_pasted("\n".join([*numbers[:-1], numbers[0].lower()])))) == MOST_POLICIES
    with pytest.raises(InvalidLaunch, match="at most 10,000 policies; these are 10,001"):
        checked_numbers(parse_pasted("\n".join(numbers)))


def test_nothing_is_launched_while_one_entry_is_wrong_or_none_is_given():
    with pytest.raises(InvalidLaunch, match=r"2 entries are not .* the first is on line 2") as refused:
        checked_numbers(parse_pasted("ABC123DEF\nWRONG\nABC123DEG\nALSO-WRONG"))
    named = [(detail["line"], detail["value"]) for detail in refused.value.details()]
    assert named == [(2, "WRONG"), (4, "ALSO-WRONG")]
    with pytest.raises(InvalidLaunch, match="at least one"):
        checked_numbers(parse_pasted(" \n,;"))
