"""The form of a new run: what is typed becomes a launch request, or errors beside the fields."""

import secrets
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from apps.policy_runs.asts.base import Credentials
from apps.policy_runs.entities import AstRegistration
from apps.policy_runs.errors import InvalidLaunch
from apps.policy_runs.parsing import MOST_POLICIES, Parsed, parse_csv, parse_pasted
from apps.policy_runs.services import LaunchRequest, checked_numbers
from apps.spreadsheets import decode_upload
from apps.terminal.entities import Host

MOST_UPLOADED_BYTES = 1024 * 1024
PROBLEMS_LISTED = 20


class NewRunForm(forms.Form):
    """Choose what to run and where, who to be at the host, and the policies, pasted or as a file."""

    ast_name = forms.ChoiceField(label="Transaction")
    host_name = forms.ChoiceField(label="Host")
    user_id = forms.CharField(
        label="Host user id",
        error_messages={"required": "Enter the host user id."},
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}),
    )
    password = forms.CharField(
        label="Host password",
        error_messages={"required": "Enter the host password."},
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}, render_value=False),
    )
    policy_numbers = forms.CharField(
        label="Policy numbers",
        required=False,
        help_text="Separated by commas, spaces or new lines.",
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "autocomplete": "off"}),
    )
    policy_file = forms.FileField(
        label="Or a CSV file",
        required=False,
        allow_empty_file=True,
        help_text="The first column, or the one headed “policy number”.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )
    idempotency_key = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, asts: Sequence[AstRegistration], hosts: Sequence[Host], **kwargs: Any) -> None:
        """`asts` and `hosts` are those that may be chosen; a fresh form gets a new idempotency key."""
        super().__init__(*args, **kwargs)
        self.fields["ast_name"].choices = [(ast.ast_name, f"{ast.ast_name}: {ast.description}") for ast in asts]  # type: ignore[attr-defined]
        self.fields["host_name"].choices = [(host.host_name, host.host_name) for host in hosts]  # type: ignore[attr-defined]
        self.fields["idempotency_key"].initial = secrets.token_hex(16)
        self.numbers: tuple[str, ...] = ()
        self.parsed = Parsed((), 0, ())

    def clean(self) -> dict[str, Any]:
        """Check the policy numbers, whichever way they came."""
        cleaned = super().clean() or self.cleaned_data
        try:
            self.parsed = parse_given(cleaned.get("policy_numbers", ""), cleaned.get("policy_file"))
            self.numbers = checked_numbers(self.parsed)
        except InvalidLaunch as error:
            field = "policy_file" if cleaned.get("policy_file") else "policy_numbers"
            self.add_error(field, error.public_message)
        return cleaned

    def request(self) -> LaunchRequest:
        """The launch request of a valid form."""
        return LaunchRequest(
            ast_name=self.cleaned_data["ast_name"],
            host_name=self.cleaned_data["host_name"],
            numbers=self.numbers,
            key=self.cleaned_data["idempotency_key"],
        )

    def credentials(self) -> Credentials:
        """The host credentials of a valid form."""
        return Credentials(self.cleaned_data["user_id"], self.cleaned_data["password"])


def parse_given(pasted: str, upload: "UploadedFile[bytes] | None") -> Parsed:
    """Policy numbers as pasted, or from a file where one was chosen. Raises `InvalidLaunch` for an unreadable file."""
    if upload is None:
        return parse_pasted(pasted)
    if pasted.strip():
        raise InvalidLaunch("Paste policy numbers or choose a file, not both.", field="policy_file")
    if (upload.size or 0) > MOST_UPLOADED_BYTES:
        raise InvalidLaunch(f"This file is larger than {MOST_UPLOADED_BYTES // 1024} KB.", field="policy_file")
    try:
        return parse_csv(decode_upload(upload.read()))
    except ValueError as error:
        raise InvalidLaunch(str(error), field="policy_file") from error


def check_of(parsed: Parsed) -> dict[str, Any] | None:
    """What `policy_runs/_check.html` shows; None before anything was typed."""
    if not parsed.numbers and not parsed.problems:
        return None
    return {
        "count": len(parsed.numbers),
        "duplicates": parsed.duplicates,
        "too_many": len(parsed.numbers) > MOST_POLICIES,
        "problems": [
            {"line": problem.line, "text": problem.value, "why": problem.message}
            for problem in parsed.problems[:PROBLEMS_LISTED]
        ],
        "more_problems": max(0, len(parsed.problems) - PROBLEMS_LISTED),
    }
