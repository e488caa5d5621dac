"""What people type to sign in, to change their password, to make an API token; passwords are never shown again."""

from datetime import timedelta
from typing import Any

from django import forms

from apps.accounts.entities import LONGEST_EMAIL, LONGEST_NAME
from apps.accounts.time_zones import zones_by_region

LONGEST_PASSWORD = 1000
LONGEST_CODE = 40


class SignInForm(forms.Form):
    """E-mail and password. The address is not checked closely: a wrong one is simply unknown."""

    email = forms.CharField(
        label="E-mail",
        max_length=LONGEST_EMAIL,
        error_messages={"required": "Enter your e-mail address."},
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}),
    )
    password = forms.CharField(
        label="Password",
        max_length=LONGEST_PASSWORD,
        strip=False,
        error_messages={"required": "Enter your password."},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ProfileForm(forms.Form):
    """What people change about themselves."""

    name = forms.CharField(
        label="Name",
        help_text="As others see it.",
        max_length=LONGEST_NAME,
        error_messages={"required": "Enter your name."},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        help_text="In which times are shown and read.",
        required=False,
        choices=lambda: [("", "As the browser says"), *zones_by_region()],
        error_messages={"invalid_choice": "Choose one of these time zones."},
    )


class PasswordForm(forms.Form):
    """The current password and, twice, the new one."""

    current_password = forms.CharField(
        label="Current password",
        max_length=LONGEST_PASSWORD,
        strip=False,
        error_messages={"required": "Enter your current password."},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new_password = forms.CharField(
        label="New password",
        help_text="At least 12 characters. A few words in a row are easy to remember.",
        max_length=LONGEST_PASSWORD,
        strip=False,
        error_messages={"required": "Enter a new password."},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    repeated_password = forms.CharField(
        label="New password again",
        max_length=LONGEST_PASSWORD,
        strip=False,
        error_messages={"required": "Enter the new password again."},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Both new passwords must be the same."""
        data = super().clean() or {}
        new, repeated = data.get("new_password"), data.get("repeated_password")
        if new is not None and repeated is not None and new != repeated:
            self.add_error("repeated_password", "This is not the new password you entered above.")
        return data


class ConfirmForm(forms.Form):
    """The current password, before something that opens or closes a way into the account."""

    current_password = forms.CharField(
        label="Current password",
        max_length=LONGEST_PASSWORD,
        strip=False,
        error_messages={"required": "Enter your current password."},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ChosenPasswordForm(PasswordForm):
    """Twice the password that somebody chooses who came by a link."""

    current_password = None  # type: ignore[assignment]  # Django's way to leave a field out


class ForgottenForm(forms.Form):
    """The address that a link to choose a new password is sent to. It is not checked closely either."""

    email = forms.CharField(
        label="E-mail",
        max_length=LONGEST_EMAIL,
        error_messages={"required": "Enter your e-mail address."},
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}),
    )


class CodeForm(forms.Form):
    """The code that an authenticator app shows now."""

    code = forms.CharField(
        label="Code",
        max_length=LONGEST_CODE,
        error_messages={"required": "Enter the code."},
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autocapitalize": "none", "autofocus": True}
        ),
    )


class RecoveryCodeForm(forms.Form):
    """One of the recovery codes."""

    code = forms.CharField(
        label="Recovery code",
        help_text="One of the ten that you kept when you set up your authenticator app. Each works once.",
        max_length=LONGEST_CODE,
        error_messages={"required": "Enter a recovery code."},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
        ),
    )


class ConfirmingForm(forms.Form):
    """The password, before something that a stolen session must not do."""

    password = forms.CharField(
        label="Your password",
        max_length=LONGEST_PASSWORD,
        strip=False,
        error_messages={"required": "Enter your password."},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class BothFactorsForm(ConfirmingForm):
    """The password and a code."""

    code = forms.CharField(
        label="Code",
        help_text="From your authenticator app, or a recovery code.",
        max_length=LONGEST_CODE,
        error_messages={"required": "Enter the code."},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autocapitalize": "none"}),
    )


class TokenForm(ConfirmingForm):
    """What a new API token is called, and for how long it is valid."""

    field_order = ("name", "days", "password")

    name = forms.CharField(
        label="Name",
        help_text="What will use it, such as “nightly export”.",
        max_length=LONGEST_NAME,
        error_messages={"required": "Enter a name."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    days = forms.TypedChoiceField(
        label="Valid for",
        choices=((7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "1 year")),
        coerce=int,
        initial=90,
        error_messages={"required": "Choose how long.", "invalid_choice": "Choose one of these."},
    )

    @property
    def valid_for(self) -> timedelta:
        """How long the token is to be valid; known once the form is valid."""
        return timedelta(days=self.cleaned_data["days"])
