"""The back office's form of a user; a new one also needs a way in."""

from enum import StrEnum
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from apps.accounts.forms import LONGEST_PASSWORD
from apps.accounts.passwords import check_rules
from apps.console.forms.entity_form import EntityForm
from apps.console.forms.widgets import OwnTemplate
from apps.errors import Invalid

INVITED_THERE = "An invitation to choose a password is sent here. An administrator gives roles."


class WayIn(StrEnum):
    """How somebody new gets their password."""

    SENT = "sent"
    SHOWN = "shown"
    SET = "set"


class Radios(OwnTemplate, forms.RadioSelect):
    """One of a few ways."""

    template_name = "accounts/inputs/radios.html"


class UserForm(EntityForm):
    """Name, e-mail, roles and whether they may sign in; of a new user how they get a password."""

    way_in = forms.ChoiceField(
        label="How they get a password",
        choices=(
            (WayIn.SENT.value, "Send them an invitation by e-mail"),
            (WayIn.SHOWN.value, "Show me a link for them, once"),
            (WayIn.SET.value, "I set a password"),
        ),
        initial=WayIn.SENT.value,
        widget=Radios,
    )
    password = forms.CharField(
        label="Password",
        help_text="Only if you set it here: at least 12 characters.",
        max_length=LONGEST_PASSWORD,
        strip=False,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    own: ClassVar[tuple[str, ...]] = ("way_in", "password")
    """The fields that are none of the entity's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.stored is not None:
            for name in self.own:
                del self.fields[name]
        if "email" in self.fields:
            self.fields["email"].widget = forms.EmailInput(attrs={"autocomplete": "off", "autocapitalize": "none"})

    @property
    def changeable(self) -> list[str]:
        """The entity's fields in this form."""
        return [name for name in super().changeable if name not in self.own]

    def clean_password(self) -> str:
        """The password where one is set here, else an empty text. Raises `ValidationError` with every broken rule."""
        password = str(self.cleaned_data.get("password") or "")
        if self.cleaned_data.get("way_in", WayIn.SENT) != WayIn.SET:
            if password:
                raise ValidationError("This would not be used: choose “I set a password”, or leave it empty.")
            return ""
        if not password:
            raise ValidationError("Enter the password, or choose another way.")
        try:
            check_rules(password)
        except Invalid as error:
            raise ValidationError(error.public_message) from None
        return password


class InvitationForm(UserForm):
    """The same for who may only invite: the mail is the way in."""

    way_in = None  # type: ignore[assignment]  # Django's way to leave a field out
    password = None  # type: ignore[assignment]
    own: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "email" in self.fields:
            self.fields["email"].help_text = INVITED_THERE


class SetPasswordForm(forms.Form):
    """A password for somebody else, typed once: who types it has to tell them."""

    password = forms.CharField(
        label="New password",
        help_text="At least 12 characters. A few words in a row are easy to remember.",
        max_length=LONGEST_PASSWORD,
        strip=False,
        error_messages={"required": "Enter a new password."},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
