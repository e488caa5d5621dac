"""The form of a new version of the ladder: written, pasted, or taken from a file."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from apps.errors import Invalid
from apps.ladders.errors import InvalidLadder
from apps.ladders.ladder import Ladder
from apps.ladders.parsing import parse_ladder

MOST_UPLOADED_BYTES = 1024 * 1024
PROBLEMS_LISTED = 50
SHAPE = """\
# Category

What it is about, if you like.

## Competency

1. What is expected at level 1, in one line.

   What that means, indented by three spaces.

2. What is expected at level 2.
"""


class NewLadderForm(forms.Form):
    """The ladder as Markdown, its version and a note."""

    ladder_version = forms.CharField(
        label="Version",
        max_length=20,
        help_text="Three numbers, higher than those of the active ladder.",
        error_messages={"required": "Enter a version, such as 1.2.0."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "decimal"}),
    )
    note = forms.CharField(
        label="Note",
        required=False,
        max_length=500,
        help_text="What is new, for those who read the list of versions.",
        error_messages={"max_length": "A note has at most 500 characters."},
    )
    content = forms.CharField(
        label="The ladder, as Markdown",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "true", "autocomplete": "off"}),
    )
    ladder_file = forms.FileField(
        label="Or a file",
        required=False,
        allow_empty_file=True,
        help_text="A Markdown file (.md) in UTF-8.",
        widget=forms.ClearableFileInput(attrs={"accept": ".md,.markdown,.txt,text/markdown,text/plain"}),
    )

    def clean(self) -> dict[str, Any]:
        """Read the ladder, whichever way it came."""
        cleaned = super().clean() or self.cleaned_data
        try:
            cleaned["given"] = given_content(cleaned.get("content", ""), cleaned.get("ladder_file"))
        except Invalid as error:
            self.add_error(error.field, error.public_message)
        return cleaned

    def keep_file(self) -> None:
        """Let the form that is shown again hold what the chosen file said: a browser does not keep the choice."""
        given = self.cleaned_data.get("given", "")
        if self.cleaned_data.get("ladder_file") and given:
            self.data = {**{name: self.data[name] for name in self.data}, "content": given}


def given_content(content: str, upload: "UploadedFile[bytes] | None") -> str:
    """The document as written, or from a file where one was chosen. Raises `Invalid`, with the field."""
    if upload is None:
        if not content.strip():
            raise Invalid("Write or paste the ladder, or choose a file.", field="content")
        return content.replace("\r\n", "\n")
    if content.strip():
        message = "Both a text and a file were given. Empty the text field to take the file, or leave the file out."
        raise Invalid(message, field="ladder_file")
    if (upload.size or 0) > MOST_UPLOADED_BYTES:
        raise Invalid(f"This file is larger than {MOST_UPLOADED_BYTES // 1024} KB.", field="ladder_file")
    return _decoded(upload.read())


def _decoded(content: bytes) -> str:
    encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return content.decode(encoding).replace("\r\n", "\n")
    except UnicodeDecodeError:
        message = "This is not a text file in UTF-8. Save it as Markdown, with the encoding UTF-8, and choose it again."
        raise Invalid(message, field="ladder_file") from None


def check_of(content: str, upload: "UploadedFile[bytes] | None") -> Mapping[str, Any] | None:
    """What `ladders/_check.html` shows of what was given so far; None before anything was."""
    if upload is None and not content.strip():
        return None
    try:
        ladder = parse_ladder(given_content(content, upload))
    except InvalidLadder as refused:
        return problems_of(refused)
    except Invalid as error:
        return {"ladder": None, "sentence": error.public_message, "problems": (), "more_problems": 0}
    return {"ladder": ladder, "sentence": "", "problems": (), "more_problems": 0, **_counts(ladder)}


def problems_of(refused: InvalidLadder) -> Mapping[str, Any]:
    """The same of a document that was refused."""
    problems = refused.details()
    more = max(0, refused.problems - PROBLEMS_LISTED)
    return {"ladder": None, "sentence": "", "problems": problems[:PROBLEMS_LISTED], "more_problems": more}


def _counts(ladder: Ladder) -> Mapping[str, Any]:
    competencies = [one for category in ladder.categories for one in category.competencies]
    lengths = {len(one.levels) for one in competencies}
    return {
        "categories": len(ladder.categories),
        "competencies": len(competencies),
        "levels": max(lengths),
        "uneven": [one for one in competencies if len(one.levels) < max(lengths)],
    }
