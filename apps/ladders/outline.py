"""A document line by line: which headings and numbered levels stand in it, and what is written below each."""

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

MOST_INDENT_BY_ACCIDENT: Final = 3  # Markdown itself takes a line as not indented up to here
INDENT_OF_AN_EXPLANATION: Final = 2
SHOWN: Final = 60

_HEADING: Final = re.compile(r"(?P<marks>#{1,6})(?:[ \t]+(?P<title>.*?))??(?:[ \t]+#+)?[ \t]*")
_HEADING_WITHOUT_SPACE: Final = re.compile(r"(?P<marks>#{1,6})(?P<title>[^#\s].*)")
_LEVEL: Final = re.compile(r"(?P<number>\d{1,9})[.)](?:[ \t]+(?P<text>.*))?")
_LEVEL_WITHOUT_SPACE: Final = re.compile(r"(?P<number>\d{1,9})[.)](?P<text>[^\s\d].*)")
_FENCE: Final = re.compile(r" {0,3}(?P<marks>`{3,}|~{3,})(?P<info>.*)")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something that is wrong: its line (from 1), what to write instead, and what stands there."""

    line: int
    message: str
    value: str = ""


class Kind(Enum):
    """What a block begins with."""

    CATEGORY = 1
    COMPETENCY = 2
    LEVEL = 3


@dataclass(slots=True)
class Block:
    """A heading or a level, with the lines below it (each with its number in the document).

    A doubtful one is told of already, and taken for what it may be meant as, so that what follows is not wrong too.
    """

    kind: Kind
    line: int
    text: str
    number: int = 0
    is_doubtful: bool = False
    body: list[tuple[int, str]] = field(default_factory=list)


def outlined(text: str) -> tuple[list[Block], list[Problem]]:
    """The blocks of a document in their order, and what is wrong with its lines as such."""
    outline = _Outline()
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, content in enumerate(lines, 1):
        outline.take(number, content.rstrip(" \t") and content)
    if outline.fence:
        outline.note(outline.fence_line, "This code block is never closed. Close it with the marks that open it.")
    return outline.blocks, outline.problems


class _Outline:
    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.problems: list[Problem] = []
        self.fence = ""
        self.fence_line = 0
        self._misplaced = False

    def note(self, line: int, message: str, value: str = "") -> None:
        self.problems.append(Problem(line, message, value.strip()[:SHOWN]))

    def take(self, line: int, content: str) -> None:
        """Look at one line."""
        strange = _CONTROL.search(content)
        if strange:
            self.note(line, f"There is a control character (U+{ord(strange[0]):04X}). Take it out.")
            content = _CONTROL.sub("", content)
        content = self._without_tabs(line, content)
        was_misplaced, self._misplaced = self._misplaced, False
        if self.fence:
            self._inside_code(line, content)
        elif not content:
            self._keep(line, content)
        elif content[0] == " ":
            self._indented(line, content, was_misplaced=was_misplaced)
        else:
            self._at_the_margin(line, content, was_misplaced=was_misplaced)

    def _without_tabs(self, line: int, content: str) -> str:
        indent = content[: len(content) - len(content.lstrip(" \t"))]
        if "\t" not in indent or self.fence:
            return content
        self.note(line, "Indent with spaces instead of tabs.", content)
        return indent.expandtabs(4) + content.lstrip(" \t")

    def _keep(self, line: int, content: str) -> None:
        if self.blocks:
            self.blocks[-1].body.append((line, content))

    def _inside_code(self, line: int, content: str) -> None:
        self._keep(line, content)
        found = _FENCE.fullmatch(content)
        if found and found["marks"].startswith(self.fence) and not found["info"].strip():
            self.fence = ""

    def _indented(self, line: int, content: str, *, was_misplaced: bool) -> None:
        indent = len(content) - len(content.lstrip(" "))
        in_level = bool(self.blocks) and self.blocks[-1].kind is Kind.LEVEL
        if in_level and indent >= INDENT_OF_AN_EXPLANATION:
            self._keep(line, content)
        elif indent <= MOST_INDENT_BY_ACCIDENT and self._begins_block(content.strip()):
            self.note(line, "Start this line at the left margin, without spaces before it.", content)
            self._at_the_margin(line, content.strip(), was_misplaced=was_misplaced)
        elif in_level:
            self.note(line, "Indent an explanation by three spaces, as far as the words of its level.", content)
            self._keep(line, content)
        elif self.blocks:
            self._text(line, content)
        else:
            self._misplace(line, content, was_misplaced=was_misplaced)

    def _begins_block(self, content: str) -> bool:
        return bool(_HEADING.fullmatch(content) or _LEVEL.fullmatch(content))

    def _at_the_margin(self, line: int, content: str, *, was_misplaced: bool) -> None:
        heading = _HEADING.fullmatch(content) or _HEADING_WITHOUT_SPACE.fullmatch(content)
        level = _LEVEL.fullmatch(content) or _LEVEL_WITHOUT_SPACE.fullmatch(content)
        if heading:
            self._heading(line, content, heading)
        elif level:
            if not _LEVEL.fullmatch(content):
                self.note(line, f"Write a space after the level's number: “{level['number']}. …”.", content)
            text = (level["text"] or "").strip()
            self.blocks.append(Block(Kind.LEVEL, line, text, number=int(level["number"])))
        elif self.blocks and self.blocks[-1].kind is not Kind.LEVEL:
            self._text(line, content)
        else:
            self._misplace(line, content, was_misplaced=was_misplaced)

    def _heading(self, line: int, content: str, found: re.Match[str]) -> None:
        marks, title = found["marks"], " ".join((found["title"] or "").split())
        if len(marks) > Kind.COMPETENCY.value:
            self.note(
                line,
                f"There are no headings with {marks}: write # before a category and ## before a competency.",
                content,
            )
        elif not _HEADING.fullmatch(content):
            self.note(line, f"Write a space after {marks}.", content)
        too_deep = len(marks) > Kind.COMPETENCY.value
        kind = Kind.CATEGORY if len(marks) == 1 else Kind.COMPETENCY
        if not too_deep or (self.blocks and self.blocks[-1].kind is Kind.LEVEL):
            self.blocks.append(Block(kind, line, title, is_doubtful=too_deep))

    def _text(self, line: int, content: str) -> None:
        fence = _FENCE.fullmatch(content)
        if fence and not (fence["marks"][0] == "`" and "`" in fence["info"]):
            self.fence, self.fence_line = fence["marks"], line
        self._keep(line, content)

    def _misplace(self, line: int, content: str, *, was_misplaced: bool) -> None:
        self._misplaced = True
        if was_misplaced:
            return  # the same paragraph
        if not self.blocks:
            self.note(line, "Before the first category there is no text. Begin with “# ” and its title.", content)
            return
        number = self.blocks[-1].number
        message = (
            f"This text belongs to nothing. Indent it by three spaces to explain level {number}, "
            "or move it above level 1."
        )
        self.note(line, message, content)
