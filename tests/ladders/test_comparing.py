"""What changes from one ladder to another."""

from hypothesis import given, settings

from apps.ladders.comparing import TextChange, compared
from apps.ladders.ladder import Level
from apps.ladders.parsing import parse_ladder, written
from tests.ladders.random_ladders import LADDERS

BEFORE = parse_ladder("""\
# Craft

What we make.

## Design
1. Small.
2. Large.
3. All.

## Testing
1. By hand.
2. By code.

# People

## Feedback
1. Takes.
2. Gives.

# Money

## Costs
1. Knows them.
""")


def changed(*replacements: tuple[str, str]):
    """The difference to the ladder above after these replacements in its document."""
    text = written(BEFORE)
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return compared(BEFORE, parse_ladder(text))


def test_a_ladder_does_not_differ_from_itself():
    difference = compared(BEFORE, BEFORE)

    assert not difference
    assert difference.levels == 0


def test_an_added_and_a_removed_category_are_named_with_their_competencies():
    difference = changed(("# Money\n\n## Costs\n\n1. Knows them.", "# Time\n\n## Clocks\n\n1. Has one."))

    assert (difference.categories_added, difference.categories_removed) == (("Time",), ("Money",))
    assert (difference.added, difference.removed) == ((("Time", "Clocks"),), (("Money", "Costs"),))
    assert not (difference.moved or difference.changed or difference.reordered)


def test_a_changed_level_is_told_with_its_number_and_both_texts():
    difference = changed(("2. Large.", "2. Larger.\n\n   By far."))

    (change,) = difference.changed
    assert change.after == ("Craft", "Design")
    (level,) = change.levels
    assert level.number == 2
    assert level.before == Level(number=2, expectation="Large.")
    assert level.after == Level(number=2, expectation="Larger.", explanation="By far.")
    assert difference.levels == 1


def test_levels_added_and_removed_at_the_end_are_told():
    (shorter,) = changed(("\n3. All.\n", "")).changed
    (longer,) = changed(("2. By code.", "2. By code.\n\n3. By proof.")).changed

    assert [(one.number, one.before is None, one.after is None) for one in shorter.levels] == [(3, False, True)]
    assert [(one.number, one.before is None, one.after is None) for one in longer.levels] == [(3, True, False)]


def test_changed_introductions_are_told():
    difference = changed(("What we make.", "What we build."), ("## Design\n", "## Design\n\nHow.\n"))

    assert difference.introductions == (("Craft", TextChange("What we make.", "What we build.")),)
    assert difference.changed[0].introduction == TextChange("", "How.")
    assert difference.changed[0].levels == ()


def test_a_competency_in_another_category_is_moved_and_may_be_changed_as_well():
    difference = changed(
        ("## Testing\n\n1. By hand.\n\n2. By code.\n\n", ""),
        ("# Money\n", "# Money\n\n## Testing\n\n1. By hand.\n\n2. By machine.\n"),
    )

    (moved,) = difference.moved
    assert (moved.before, moved.after) == (("Craft", "Testing"), ("Money", "Testing"))
    assert [one.number for one in moved.levels] == [2]
    assert not (difference.added or difference.removed or difference.changed)


def test_a_competency_with_another_title_but_the_same_levels_is_recognised():
    (moved,) = changed(("## Feedback", "## Open words")).moved

    assert (moved.before, moved.after) == (("People", "Feedback"), ("People", "Open words"))
    assert moved.levels == ()


def test_what_could_be_several_is_none_of_them():
    twice = parse_ladder("# A\n## B\n1. Same.\n## C\n1. Same.\n")
    renamed = parse_ladder("# A\n## D\n1. Same.\n## E\n1. Same.\n")

    difference = compared(twice, renamed)

    assert not difference.moved
    assert len(difference.added) == len(difference.removed) == 2


def test_another_order_is_told():
    one, other = parse_ladder("# A\n## B\n1. x\n## C\n1. y\n"), parse_ladder("# A\n## C\n1. y\n## B\n1. x\n")

    difference = compared(one, other)

    assert difference.reordered
    assert difference
    assert not (difference.added or difference.removed or difference.moved or difference.changed)


@settings(max_examples=50, deadline=None)
@given(LADDERS, LADDERS)
def test_what_is_added_one_way_is_removed_the_other(one, other):
    there, back = compared(one, other), compared(other, one)

    assert set(there.categories_added) == set(back.categories_removed)
    assert set(there.added) == set(back.removed)
    assert {(found.before, found.after) for found in there.moved} == {
        (found.after, found.before) for found in back.moved
    }
    assert there.levels == back.levels
    assert bool(there) == (one != other)
