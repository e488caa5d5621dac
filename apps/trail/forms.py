"""Which entries of the audit log somebody asks for."""

from datetime import date

from django import forms

from apps.accounts.wiring import users
from apps.audit.repository import Selection

LONGEST = 300
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 1, 1)


class SelectionForm(forms.Form):
    """Object, person, UTC day and beginning of the action; all that is filled in must hold."""

    day = forms.DateField(
        label="Day (UTC)",
        required=False,
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "Enter a day such as 2026-03-31."},
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    actor = forms.CharField(label="Who: e-mail address or id", required=False, max_length=LONGEST)
    object = forms.CharField(label="Object, such as Users#…", required=False, max_length=LONGEST)
    action = forms.CharField(label="Action begins with", required=False, max_length=LONGEST)

    def clean_day(self) -> date | None:
        """A day of this century: the calendar's ends have no day before or after."""
        day: date | None = self.cleaned_data["day"]
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            raise forms.ValidationError(f"Enter a day from {FIRST_DAY:%Y} to {LAST_DAY:%Y}.")
        return day

    def clean_actor(self) -> str:
        """The id of whom an e-mail address names; an id is taken as it is, for those too who are gone."""
        given = str(self.cleaned_data["actor"])
        if "@" not in given:
            return given
        found = users().by_email(given)
        if found is None:
            raise forms.ValidationError("Nobody has this e-mail address now. Enter the id of somebody who left.")
        return found.user_id

    def selection(self, *, today: date) -> Selection:
        """What was asked for; without object and person it is one day, `today` unless another was given."""
        data = self.cleaned_data
        day = data["day"] or (None if data["object"] or data["actor"] else today)
        return Selection(object=data["object"], actor_id=data["actor"], day=day, action=data["action"])
