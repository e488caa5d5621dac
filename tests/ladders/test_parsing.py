"""Documents that are ladders, and each way of not being one."""

from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.ladders.demo import DEMO_LADDER
from apps.ladders.errors import InvalidLadder
from apps.ladders.ladder import Level
from apps.ladders.parsing import MOST_BYTES, MOST_PROBLEMS, parse_ladder, written
from tests.ladders.random_ladders import LADDERS

WHOLE = """\
# Craft

What we make.

Looked at *closely*.

## Design

How it is made.

1. Does *small* things.

   Asks first.

   - and listens
     - always

2. Does larger ones.
   Explains them.

## Testing
1) Tries things out.
2) Writes tests.

# People

## Feedback

1. Takes it.
"""


def problems_of(text: str) -> list[tuple[int, str]]:
    with pytest.raises(InvalidLadder) as refused:
        parse_ladder(text)
    return [(int(str(found["line"])), str(found["message"])) for found in refused.value.details()]


def test_a_ladder_says_what_its_document_says():
    ladder = parse_ladder(WHOLE)

    assert list(ladder.places) == [("Craft", "Design"), ("Craft", "Testing"), ("People", "Feedback")]
    assert ladder.categories[0].introduction == "What we make.\n\nLooked at *closely*."
    design = ladder.categories[0].competencies[0]
    assert design.introduction == "How it is made."
    assert design.levels == (
        Level(number=1, expectation="Does *small* things.", explanation="Asks first.\n\n- and listens\n  - always"),
        Level(number=2, expectation="Does larger ones.", explanation="Explains them."),
    )
    assert [level.expectation for level in ladder.categories[0].competencies[1].levels] == [
        "Tries things out.",
        "Writes tests.",
    ]


@pytest.mark.parametrize("ends", ["\r\n", "\r"], ids=["windows", "old mac"])
def test_line_ends_and_a_byte_order_mark_make_no_difference(ends):
    assert parse_ladder("\ufeff" + WHOLE.replace("\n", ends)) == parse_ladder(WHOLE)


def test_the_demo_ladder_is_whole_and_comes_back_letter_for_letter():
    document = DEMO_LADDER.read_text(encoding="utf-8")
    ladder = parse_ladder(document)

    assert len(ladder.categories) >= 4
    competencies = [one for category in ladder.categories for one in category.competencies]
    assert len(competencies) >= 12
    assert all(len(one.levels) == 7 and one.introduction for one in competencies)
    assert all(level.explanation for one in competencies for level in one.levels)
    assert written(ladder) == document


def test_code_may_hold_what_looks_like_a_heading_or_a_level():
    ladder = parse_ladder("# A\n\n~~~\n# not one\n1. nor this\n~~~\n\n## B\n1. x\n\n   ```\n   # nor this\n   ```\n")

    assert ladder.categories[0].introduction == "~~~\n# not one\n1. nor this\n~~~"
    assert ladder.categories[0].competencies[0].levels[0].explanation == "```\n# nor this\n```"


def test_titles_may_be_the_same_in_different_categories_and_hold_a_mark():
    ladder = parse_ladder("# C\n## C# and F#\n1. x\n# D ##\n## C#   and  F#\n1. x\n")

    assert list(ladder.places) == [("C", "C# and F#"), ("D", "C# and F#")]


def test_an_ordered_list_may_stand_in_an_explanation():
    ladder = parse_ladder("# A\n## B\n1. x\n\n   1. first\n   2. second\n2. y\n")

    assert ladder.categories[0].competencies[0].levels[0].explanation == "1. first\n2. second"
    assert ladder.highest == 2


MALFORMED = {
    "nothing": ("", [(1, "no category")]),
    "only empty lines": ("\n\n  \n", [(1, "no category")]),
    "text before": ("Hello\nyou\n\nand you\n\n# A\n## B\n1. x\n", [(1, "no text"), (4, "no text")]),
    "a competency first": ("\n## B\n1. x\n", [(2, "in no category")]),
    "a level first": ("1. x\n2. y\n# A\n## B\n1. x\n", [(1, "in no competency")]),
    "a level in a category": ("# A\n1. x\n## B\n1. x\n", [(2, "in no competency")]),
    "the same category twice": ("# A\n## B\n1. x\n\n# a\n## B\n1. x\n", [(5, "line 1 has the same title")]),
    "the same competency twice": ("# A\n## B\n1. x\n## C\n1. x\n## b\n1. x\n", [(6, "line 2 has the same title")]),
    "a level left out": ("# A\n## B\n1. x\n3. z\n4. a\n", [(4, "Level 2 is missing")]),
    "two levels left out": ("# A\n## B\n1. x\n4. z\n", [(4, "Levels 2 to 3 are missing")]),
    "not beginning with 1": ("# A\n## B\n2. x\n", [(3, "Level 1 is missing")]),
    "beginning with 0": ("# A\n## B\n0. x\n1. y\n", [(3, "This is level 1, not 0"), (4, "This is level 2, not 1")]),
    "all numbered 1": ("# A\n## B\n1. x\n1. y\n1. z\n", [(4, "This is level 2"), (5, "This is level 3")]),
    "a level without text": ("# A\n## B\n1. x\n2.\n\n   y\n", [(4, "Level 2 has no text")]),
    "no space after the number": ("# A\n## B\n1.x\n", [(3, "space after the level's number")]),
    "a deeper heading": ("# A\n## B\n### C\n1. x\n", [(3, "no headings with ###")]),
    "a deeper heading after levels": (
        "# A\n## B\n1. x\n\n### C\n\nWhy.\n\n1. x\n2. y\n",
        [(5, "no headings with ###")],
    ),
    "no space after the mark": ("#A\n##B\n1. x\n", [(1, "space after #"), (2, "space after ##")]),
    "an underlined heading": ("# A\n\nText\n====\n\n## B\n\nText\n---\n1. x\n", [(4, "underlined"), (9, "underlined")]),
    "a heading in an explanation": ("# A\n## B\n1. x\n\n   why\n\n   ## no\n", [(7, "A heading cannot stand here")]),
    "an indented heading": ("# A\n ## B\n1. x\n", [(2, "left margin")]),
    "an indented level": ("# A\n## B\n  1. x\n  1. y\n", [(3, "left margin")]),
    "text after a level": (
        "# A\n## B\n1. x\nmore\nof it\n\nand more\n2. y\n",
        [(4, "explain level 1"), (7, "explain level 1")],
    ),
    "an explanation hardly indented": ("# A\n## B\n1. x\n\n why\n", [(5, "Indent an explanation")]),
    "a tab": ("# A\n## B\n1. x\n\n\twhy\n", [(5, "spaces instead of tabs")]),
    "HTML in a line": ("# A\n## B\n1. x <b>y</b>\n", [(3, "HTML")]),
    "HTML in an introduction": ("# A\n\nText\nand <i>more</i>\n\n## B\n1. x\n", [(4, "HTML")]),
    "HTML in an explanation": ("# A\n## B\n1. x\n\n   y\n\n   <div>\n   z\n   </div>\n", [(7, "HTML")]),
    "an HTML comment": ("# A\n\n<!-- later -->\n\n## B\n1. x\n", [(3, "HTML")]),
    "a picture": ("# A\n## B\n1. x\n\n   why\n   ![so](https://example.org/so.png)\n", [(6, "Pictures")]),
    "a category without competencies": ("# A\n\nText.\n\n# B\n## C\n1. x\n", [(1, "has no competency")]),
    "a competency without levels": ("# A\n## B\n- x\n## C\n1. x\n", [(2, "has no levels")]),
    "headings without titles": ("#\n##\n1. x\n", [(1, "no title"), (2, "no title")]),
    "a title too long": (f"# {'a' * 101}\n## B\n1. x\n", [(1, "100 characters; this one has 101")]),
    "an expectation too long": (f"# A\n## B\n1. {'a' * 301}\n", [(3, "at most 300 characters")]),
    "an explanation too long": (
        f"# A\n## B\n1. x\n\n   {'[' * 5000}\n   {'[' * 5000}\n",
        [(5, "An explanation has at most 10,000 characters; this one has 10,001")],
    ),
    "an introduction too long": (f"# A\n{'a' * 10001}\n## B\n1. x\n", [(2, "An introduction has at most 10,000")]),
    "code never closed": ("# A\n\n```\n## B\n", [(1, "has no competency"), (3, "never closed")]),
    "a control character": ("# A\n## B\n1. x\0y\n", [(3, "U+0000")]),
    "too many categories": ("".join(f"# {n}\n## B\n1. x\n" for n in range(21)), [(61, "at most 20 categories")]),
    "too many competencies": (
        "# A\n" + "".join(f"## {n}\n1. x\n" for n in range(102)),
        [(202, "at most 100 competencies")],
    ),
    "too many levels": (
        "# A\n## B\n" + "".join(f"{n}. x\n" for n in range(1, 15)),
        [(15, "at most 12 levels")],
    ),
    "too large": (f"# A\n## B\n1. x\n\n   {'ä' * (MOST_BYTES // 2)}\n", [(1, "at most 150 KB; this one has 151")]),
    "everything at once": (
        "Hi\n# A\n# B\n## C\n1. x\n3.\ntext\n### D\n",
        [
            (1, "no text"),
            (2, "has no competency"),
            (6, "Level 2 is missing"),
            (6, "Level 3 has no text"),
            (7, "explain level 3"),
            (8, "no headings with ###"),
        ],
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_every_problem_is_told_with_its_line_and_what_to_write_instead(name):
    document, expected = MALFORMED[name]
    found = problems_of(document)

    assert [line for line, _ in found] == [line for line, _ in expected]
    assert all(words in message for (_, message), (_, words) in zip(found, expected, strict=True)), found


def test_the_error_itself_says_the_first_problem_and_how_many_more():
    with pytest.raises(InvalidLadder) as refused:
        parse_ladder("# A\n## B\n1. x\n1. y\n1. z\n")

    assert refused.value.message == (
        "Line 4: This is level 2, not 1. Number them 1, 2, 3 …, or begin a new competency. And 1 more."
    )
    assert refused.value.field == "content"


def test_of_very_many_problems_the_first_are_told():
    with pytest.raises(InvalidLadder) as refused:
        parse_ladder("# A\n## B\n" + "1. x\n" * 1000)

    assert len(refused.value.details()) == MOST_PROBLEMS
    assert "999 more" in refused.value.message


@settings(max_examples=50, deadline=None)
@given(LADDERS)
def test_a_ladder_written_as_markdown_and_parsed_is_the_same(ladder):
    assert parse_ladder(written(ladder)) == ladder


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("#1. \n\t`~-<>ab\r\0)*=![]("), max_size=120))
def test_whatever_is_given_is_a_ladder_or_refused_with_lines_that_exist(text):
    lines = range(1, text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 2)
    found = problem_lines(text)
    assert found is None or (found and set(found) <= set(lines))


@pytest.mark.parametrize(
    "piece",
    ["# a\n", "#a\n", "## b\n", "### c\n", "1. x\n", "1.\n", "text\n\n", "\tx\n", "   [\n", "<b>\n", "~~~\n", "\0"],
)
def test_a_huge_document_of_nothing_but_mistakes_is_refused_soon(piece):
    started = perf_counter()

    assert problem_lines("# A\n## B\n1. x\n\n   " + piece * (MOST_BYTES // len(piece) - 20))

    assert perf_counter() - started < 10, "whatever it holds"


def problem_lines(text: str) -> list[int] | None:
    """The lines of the problems; None for a ladder, which comes back when it is written."""
    try:
        ladder = parse_ladder(text)
    except InvalidLadder as refused:
        return [int(str(found["line"])) for found in refused.details()]
    assert parse_ladder(written(ladder)) == ladder
    return None
