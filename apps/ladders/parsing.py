"""A career ladder out of Markdown, strictly, with every problem and its line; and a ladder as Markdown again."""

import textwrap
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from apps.ladders.errors import InvalidLadder
from apps.ladders.ladder import Category, Competency, Ladder, Level
from apps.ladders.outline import Block, Kind, Problem, outlined

MOST_BYTES: Final = 150 * 1024  # an item holds 400 KB, and stores what was written beside what it says
MOST_CATEGORIES: Final = 20
MOST_COMPETENCIES: Final = 100
MOST_LEVELS: Final = 12
LONGEST_TITLE: Final = 100
LONGEST_EXPECTATION: Final = 300
LONGEST_TEXT: Final = 10_000  # of an introduction or explanation: what Markdown makes of more may take seconds
MOST_PROBLEMS: Final = 200

_NO_HEADING: Final = "A heading cannot stand here: # begins a category and ## a competency, at the left margin."
_NO_UNDERLINE: Final = "Text underlined with = or - is a heading. Write # or ## before a title instead."
_NO_HTML: Final = "HTML is not shown. Write plain Markdown, and put code between backticks."
_NO_PICTURE: Final = "Pictures are not shown. Write a link to it, without the exclamation mark."


def parse_ladder(text: str) -> Ladder:
    """The ladder that this document describes.

    Its form: `# Category` and `## Competency`, each with an introduction if one likes, then the levels from 1 up as
    `1. what is expected`, with what explains it below, indented. Raises `InvalidLadder`, whose details are all problems
    (`line`, `message`, `value`), or the first 200 of them.
    """
    size = len(text.encode(errors="replace"))
    if size > MOST_BYTES:
        too_large = f"A ladder has at most {MOST_BYTES // 1024} KB; this one has {size // 1024 + 1}. Shorten it."
        raise _refused([Problem(1, too_large)])
    blocks, problems = outlined(text)
    assembly = _Assembly(problems)
    for block in blocks:
        assembly.take(block)
    return assembly.finished()


def written(ladder: Ladder) -> str:
    """The ladder as a Markdown document, which `parse_ladder` takes back."""
    return "\n".join(_written(ladder))


def _written(ladder: Ladder) -> Iterator[str]:
    for number, category in enumerate(ladder.categories):
        yield from ([""] if number else [])
        yield f"# {category.title}"
        yield from _paragraphs(category.introduction)
        for competency in category.competencies:
            yield from ("", f"## {competency.title}")
            yield from _paragraphs(competency.introduction)
            for level in competency.levels:
                mark = f"{level.number}. "
                yield from ("", f"{mark}{level.expectation}")
                yield from _paragraphs(textwrap.indent(level.explanation, " " * len(mark)))
    yield ""


def _paragraphs(text: str) -> Sequence[str]:
    return ("", text) if text else ()


class _Assembly:
    """Blocks put together, and everything found wrong meanwhile."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.categories: list[tuple[Block, list[tuple[Block, list[Block]]]]] = []
        self._titles: dict[str, int] = {}  # folded, with their lines
        self._titles_inside: dict[str, int] = {}
        self._levels: list[Block] | None = None
        self._lost = False

    def take(self, block: Block) -> None:
        """Put the next block where it belongs."""
        if block.kind is Kind.LEVEL:
            self._level(block)
        else:
            self._lost = False
            if block.kind is Kind.CATEGORY:
                self._category(block)
            else:
                self._competency(block)
        _check_body(block, self.problems)

    def finished(self) -> Ladder:
        """The ladder. Raises `InvalidLadder`."""
        if not self.categories and not self.problems:
            self._note(1, "There is no category. Begin with “# ” and the title of the first one.")
        self._check_what_is_empty()
        self._check_how_many()
        if self.problems:
            raise _refused(self.problems)
        return Ladder(categories=tuple(_category(*found) for found in self.categories))

    def _note(self, line: int, message: str, value: str = "") -> None:
        self.problems.append(Problem(line, message, value))

    def _category(self, block: Block) -> None:
        self._check_title(block, "category", self._titles)
        self.categories.append((block, []))
        self._titles_inside = {}
        self._levels = None

    def _competency(self, block: Block) -> None:
        if not self.categories:
            self._note(block.line, "This competency is in no category. Write “# ” and a category above it.", block.text)
            self.categories.append((Block(Kind.CATEGORY, 0, ""), []))
        _, competencies = self.categories[-1]
        self._check_title(block, "competency", self._titles_inside)
        self._levels = []
        competencies.append((block, self._levels))

    def _check_title(self, block: Block, what: str, titles: dict[str, int]) -> None:
        if not block.text:
            self._note(block.line, f"This {what} has no title. Write it after the mark.")
        if len(block.text) > LONGEST_TITLE:
            message = f"A title has at most {LONGEST_TITLE} characters; this one has {len(block.text)}."
            self._note(block.line, message, block.text[:LONGEST_TITLE])
        known = titles.setdefault(block.text.casefold(), block.line)
        if block.text and known != block.line:
            message = f"The {what} in line {known} has the same title. Give this one a title of its own."
            self._note(block.line, message, block.text)

    def _level(self, block: Block) -> None:
        if self._levels is None:
            if not self._lost:
                self._note(
                    block.line, "This level is in no competency. Write “## ” and a competency above it.", block.text
                )
            self._lost = True
            return
        expected = self._levels[-1].number + 1 if self._levels else 1
        if block.number > expected:
            missing = (
                f"Level {expected} is"
                if block.number == expected + 1
                else f"Levels {expected} to {block.number - 1} are"
            )
            self._note(block.line, f"{missing} missing before level {block.number}. Number them 1, 2, 3 …", block.text)
        elif block.number < expected:
            message = f"This is level {expected}, not {block.number}. Number them 1, 2, 3 …, or begin a new competency."
            self._note(block.line, message, block.text)
            block.number = expected
        if not block.text:
            self._note(block.line, f"Level {block.number} has no text. Write in its line what is expected.")
        elif len(block.text) > LONGEST_EXPECTATION:
            message = (
                f"Say in at most {LONGEST_EXPECTATION} characters what is expected, and explain it below, indented."
            )
            self._note(block.line, message, block.text[:LONGEST_EXPECTATION])
        self._levels.append(block)

    def _check_what_is_empty(self) -> None:
        for category, competencies in self.categories:
            if not competencies and category.line:
                message = "This category has no competency. Write “## ” and the title of one below it, or take it out."
                self._note(category.line, message, category.text)
            for competency, levels in competencies:
                if not levels and not competency.is_doubtful:
                    message = "This competency has no levels. Write them below it as “1. …”, “2. …” and so on."
                    self._note(competency.line, message, competency.text)

    def _check_how_many(self) -> None:
        competencies = [found for _, inside in self.categories for found in inside]
        if len(self.categories) > MOST_CATEGORIES:
            self._note(self.categories[MOST_CATEGORIES][0].line, f"A ladder has at most {MOST_CATEGORIES} categories.")
        if len(competencies) > MOST_COMPETENCIES:
            self._note(
                competencies[MOST_COMPETENCIES][0].line, f"A ladder has at most {MOST_COMPETENCIES} competencies."
            )
        for _, levels in competencies:
            if len(levels) > MOST_LEVELS:
                self._note(levels[MOST_LEVELS].line, f"A competency has at most {MOST_LEVELS} levels.")


def _refused(problems: Sequence[Problem]) -> InvalidLadder:
    found = sorted({(problem.line, problem.message): problem for problem in problems}.values())
    first = found[0]
    others = "" if len(found) == 1 else f" And {len(found) - 1} more."
    findings = [
        {"line": problem.line, "message": problem.message, "value": problem.value} for problem in found[:MOST_PROBLEMS]
    ]
    refused = InvalidLadder(f"Line {first.line}: {first.message}{others}", field="content", findings=findings)
    refused.problems = len(found)
    return refused


def _category(head: Block, competencies: Sequence[tuple[Block, Sequence[Block]]]) -> Category:
    return Category(
        title=head.text,
        introduction=_body(head),
        competencies=tuple(
            Competency(
                title=competency.text,
                introduction=_body(competency),
                levels=tuple(
                    Level(number=level.number, expectation=level.text, explanation=_body(level)) for level in levels
                ),
            )
            for competency, levels in competencies
        ),
    )


def _body(block: Block) -> str:
    """What stands below, without the indentation that all its lines share and without empty lines around it."""
    return _body_as_it_stands(block).strip("\n")


def _body_as_it_stands(block: Block) -> str:
    """The same with the empty lines around it, so that its lines are those of the document."""
    return textwrap.dedent("\n".join(content for _, content in block.body))


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True})


def _check_body(block: Block, problems: list[Problem]) -> None:
    """Note what Markdown would make of these texts and our pages do not show."""
    if block.kind is Kind.LEVEL and len(block.text) <= LONGEST_EXPECTATION:
        for token in _markdown().parseInline(block.text):
            problems.extend(_in_line(token, [block.line]))
    text, lines = _body_as_it_stands(block), [line for line, _ in block.body]
    length = len(_body(block))
    if length > LONGEST_TEXT:
        what = "An explanation" if block.kind is Kind.LEVEL else "An introduction"
        at = next(line for line, content in block.body if content)
        problems.append(Problem(at, f"{what} has at most {LONGEST_TEXT:,} characters; this one has {length:,}."))
        return
    for token in _markdown().parse(text):
        if token.type == "heading_open" and token.map:
            underlined = token.markup in {"=", "-"}
            at = lines[token.map[1] - 1 if underlined else token.map[0]]
            problems.append(Problem(at, _NO_UNDERLINE if underlined else _NO_HEADING))
        elif token.type == "html_block" and token.map:
            problems.append(Problem(lines[token.map[0]], _NO_HTML, token.content.strip()[:60]))
        elif token.type == "inline" and token.map:
            problems.extend(_in_line(token, lines[token.map[0] :]))


def _in_line(token: Token, lines: Sequence[int]) -> Iterator[Problem]:
    """What is not shown among the parts of a paragraph whose lines have these numbers."""
    at = 0
    for child in token.children or ():
        if child.type in {"softbreak", "hardbreak"}:
            at += 1
        elif child.type == "html_inline":
            yield Problem(lines[at], _NO_HTML, child.content[:60])
        elif child.type == "image":
            yield Problem(lines[at], _NO_PICTURE, child.content[:60])
