"""The form of what is written after manager and member have met."""

from django import forms

from apps.assessments.entities import LONGEST_TEXT
from apps.reports.services import Notes

_MARKDOWN = "Plain text; **bold**, *emphasis* and lists by “-” work."


class NotesForm(forms.Form):
    """When they met, what was said and what was agreed; `revision` is that of the notes as they were shown."""

    discussed_on = forms.DateField(
        label="Discussed on",
        required=False,
        error_messages={"invalid": "Enter the day as year, month and day, such as 2026-04-02."},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    discussion_notes = forms.CharField(
        label="Discussion notes",
        required=False,
        max_length=LONGEST_TEXT,
        help_text=_MARKDOWN,
        error_messages={"max_length": f"Shorten the notes to {LONGEST_TEXT:,} characters."},
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    next_steps = forms.CharField(
        label="Agreed next steps",
        required=False,
        max_length=LONGEST_TEXT,
        help_text=_MARKDOWN,
        error_messages={"max_length": f"Shorten the next steps to {LONGEST_TEXT:,} characters."},
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def notes(self) -> Notes:
        """The notes of a valid form."""
        return Notes(
            discussed_on=self.cleaned_data["discussed_on"],
            discussion_notes=self.cleaned_data["discussion_notes"],
            next_steps=self.cleaned_data["next_steps"],
        )
