"""The forms of a team: what is typed becomes a change, or errors beside the fields."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy

from apps.accounts.entities import LONGEST_EMAIL, LONGEST_NAME, User
from apps.accounts.repository import Users
from apps.teams.entities import LONGEST_DESCRIPTION, Team


class TeamForm(forms.Form):
    """Name and description; `version` is the one that was read."""

    team_name = forms.CharField(
        label="Name",
        max_length=LONGEST_NAME,
        error_messages={"required": "Enter a name."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    description = forms.CharField(
        label="Description",
        required=False,
        max_length=LONGEST_DESCRIPTION,
        help_text="What the team is for. Markdown: *emphasis*, lists and links.",
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean_description(self) -> str:
        """The text with the line ends that others use: browsers send two characters for each."""
        return str(self.cleaned_data["description"]).replace("\r\n", "\n")

    def of(self, team: Team) -> dict[str, Any]:
        """What the valid form says the team should be like."""
        del team
        return {name: self.cleaned_data[name] for name in ("team_name", "description")}


class LedTeamForm(TeamForm):
    """The same, and who leads the team: for administrators."""

    field_order = ("team_name", "manager_email", "description")

    manager_email = forms.CharField(
        label="Manager",
        help_text="The e-mail address; type a name to search.",
        max_length=LONGEST_EMAIL,
        error_messages={"required": "Enter the e-mail address of the manager."},
        widget=forms.TextInput(
            attrs={
                "list": "managers",
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "hx-get": reverse_lazy("teams:managers"),
                "hx-trigger": "input changed delay:200ms",
                "hx-target": "#managers",
                "hx-sync": "this:replace",
            }
        ),
    )

    def __init__(self, *args: Any, users: Users, **kwargs: Any) -> None:
        """`users` are asked who has the address."""
        super().__init__(*args, **kwargs)
        self.users = users
        self.manager: User | None = None

    def clean_manager_email(self) -> str:
        """The address, once somebody has it. Raises `ValidationError`."""
        typed = str(self.cleaned_data["manager_email"])
        self.manager = self.users.by_email(typed)
        if self.manager is None:
            raise ValidationError("Nobody here has this e-mail address. Choose one of those that are suggested.")
        return typed

    def of(self, team: Team) -> dict[str, Any]:
        """What the valid form says the team should be like."""
        manager_id = self.manager.user_id if self.manager is not None else team.manager_id
        return {**super().of(team), "manager_id": manager_id}
