"""A spreadsheet on its way in: chosen, read, and the plan that was shown, sealed until it is confirmed."""

from collections.abc import Sequence
from typing import Any, Final, Self, TypeVar

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict
from pydantic import BaseModel

from apps.accounts.entities import User
from apps.errors import Invalid
from apps.spreadsheets import Finding, decode_upload

P = TypeVar("P", bound=BaseModel)

MOST_UPLOADED_BYTES: Final = 2 * 1024 * 1024
MOST_SEALED: Final = 900_000
"""Characters: what a form may send besides files is limited by the settings."""
VALID_SECONDS: Final = 3600
MOST_SHOWN: Final = 100


class SheetForm(forms.Form):
    """Choose a CSV file; `text` is what is in it."""

    sheet = forms.FileField(
        label="CSV file",
        error_messages={"required": "Choose a CSV file.", "empty": "This file is empty."},
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )
    text = ""

    def clean_sheet(self) -> Any:
        """Read it. Raises `ValidationError` for what is too large or no text."""
        upload = self.cleaned_data["sheet"]
        if upload.size > MOST_UPLOADED_BYTES:
            raise ValidationError(f"This file is larger than {MOST_UPLOADED_BYTES // 1024 // 1024} MB. Split it.")
        try:
            self.text = decode_upload(upload.read())
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return upload

    @classmethod
    def refused(cls, sentence: str) -> Self:
        """The form after what was chosen before could not be used."""
        form = cls({}, MultiValueDict())
        form.errors.clear()
        form.add_error("sheet", sentence)
        return form


def sealed(plan: BaseModel, *, user: User) -> str:
    """The plan as a text that only this user can send back, for an hour. Raises `Invalid` where it is too long."""
    text = signing.dumps(plan.model_dump(mode="json"), salt=_salt(type(plan), user), compress=True)
    if len(text) > MOST_SEALED:
        raise Invalid("This is too much to be confirmed at once. Split the file.", field="sheet")
    return text


def unsealed(kind: type[P], text: str, *, user: User) -> P:
    """The plan that was shown to this user. Raises `Invalid` where it is too old, or was not made for them."""
    try:
        found = signing.loads(text, salt=_salt(kind, user), max_age=VALID_SECONDS)
    except signing.BadSignature:
        raise Invalid("What was shown is too old to be confirmed. Choose the file again.", field="sheet") from None
    return kind.model_validate(found)


def shown_findings(findings: Sequence[Finding]) -> dict[str, Any]:
    """The first findings for a page, and how many there are beside these."""
    return {"findings": findings[:MOST_SHOWN], "more_findings": max(0, len(findings) - MOST_SHOWN)}


def _salt(kind: type[BaseModel], user: User) -> str:
    return f"import.{kind.__name__}.{user.user_id}"
