"""Ladders of every shape, for tests of what must hold for all of them."""

from hypothesis import strategies as st

from apps.ladders.ladder import Category, Competency, Ladder, Level

WORDS = st.lists(
    st.builds(str.__add__, st.sampled_from("abcÄß漢"), st.text("abcdeÄßñ漢*_`~|.,:;()!?&-+=123", max_size=7)),
    min_size=1,
    max_size=6,
).map(" ".join)
LINES = st.lists(WORDS, min_size=1, max_size=3).map("\n".join)
LISTED = st.lists(WORDS, min_size=1, max_size=3).map(lambda items: "\n".join(f"- {item}" for item in items))
CODE = LINES.map(lambda text: "~~~~\n# " + text.replace("~", "") + "\n\n    1. x\n~~~~")
PROSE = st.lists(LINES | LISTED | CODE, max_size=3).map("\n\n".join)
LEVELS = st.lists(st.tuples(WORDS, PROSE), min_size=1, max_size=12).map(
    lambda found: tuple(
        Level(number=number, expectation=expectation, explanation=explanation)
        for number, (expectation, explanation) in enumerate(found, 1)
    )
)
COMPETENCIES = st.lists(
    st.builds(Competency, title=WORDS, introduction=PROSE, levels=LEVELS),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one.title.casefold(),
).map(tuple)
LADDERS = st.lists(
    st.builds(Category, title=WORDS, introduction=PROSE, competencies=COMPETENCIES),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one.title.casefold(),
).map(lambda categories: Ladder(categories=tuple(categories)))
