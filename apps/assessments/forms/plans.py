"""What people type about a plan; the services say what is wrong with it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms

from apps.assessments.entities import Plan
from apps.assessments.seasons import season_after, season_at, season_name, season_span
from apps.assessments.services.plans import WHILE_ACTIVE, PlanContent

LONGEST_NAME = 100


class PlanForm(forms.Form):
    """Name, season, dates and description; of an active plan only what can still be changed."""

    plan_name = forms.CharField(
        label="Name", max_length=LONGEST_NAME, error_messages={"required": "Enter a name for the plan."}
    )
    season = forms.CharField(
        label="Season",
        help_text="Such as 2026-Q1, 2026-H2 or 2026. Seasons of this name are compared with each other.",
        max_length=10,
        error_messages={"required": "Enter a season such as 2026-Q1, 2026-H2 or 2026."},
        widget=forms.TextInput(attrs={"list": "seasons", "autocomplete": "off", "autocapitalize": "characters"}),
    )
    start_date = forms.DateField(
        label="Start",
        error_messages={"required": "Choose the first day.", "invalid": "Enter a day such as 2026-01-31."},
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    end_date = forms.DateField(
        label="Due",
        error_messages={"required": "Choose the last day.", "invalid": "Enter a day such as 2026-01-31."},
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    description = forms.CharField(
        label="Description",
        help_text="What the assessors should know. Markdown.",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    edition = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, is_active: bool = False, **kwargs: Any) -> None:
        """`is_active` leaves what an active plan keeps."""
        super().__init__(*args, **kwargs)
        for name in [*self.fields]:
            if is_active and name not in {*WHILE_ACTIVE, "edition"}:
                del self.fields[name]

    def clean_season(self) -> str:
        """The season as it is stored."""
        try:
            return season_name(self.cleaned_data["season"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        """The end is not before the start."""
        found = super().clean() or self.cleaned_data
        start, end = found.get("start_date"), found.get("end_date")
        if start and end and end < start:
            self.add_error("end_date", "The end is before the start. Choose a later day.")
        return found

    def content(self) -> PlanContent:
        """What a valid form says of a new plan."""
        return PlanContent(**self.changes())

    def changes(self) -> dict[str, Any]:
        """What a valid form says of a plan that is there."""
        return {name: value for name, value in self.cleaned_data.items() if name != "edition"}


def first_suggestion(team_name: str, *, seasons: Sequence[str], taken: frozenset[str], today: date) -> dict[str, Any]:
    """What a new plan's form begins with: the present season, named as the newest one is, or the next one not taken."""
    season = season_at(today, like=seasons[0] if seasons else "")
    if season in taken:
        season = season_after(season)
    first, last = season_span(season)
    return {
        "plan_name": f"{team_name} {season}"[:LONGEST_NAME],
        "season": season,
        "start_date": max(first, today),
        "end_date": last,
    }


def of_plan(plan: Plan) -> dict[str, Any]:
    """What the form of a plan begins with."""
    return {name: getattr(plan, name) for name in PlanForm.base_fields}
