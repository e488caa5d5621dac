"""Secrets in a form: never shown, only set, replaced or removed."""

from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from pydantic.fields import FieldInfo

from apps.console.forms.editors import peeled
from apps.console.forms.value_fields import REQUIRED, ValueField
from apps.console.forms.widgets import OwnTemplate
from apps.storage.entity import Entity
from apps.storage.secrets import Secret

ENTER_AGAIN = "Enter it again: what is secret is not kept in the page."
NEW: Final = "-_new"
"""How the name of an input ends that a secret is typed into; no other one's does."""
IS_SET, IS_NOT_SET = "Set", "Not set"


class Typed:
    """A text that was typed, which shows itself to nobody: not to a log, and not to a report of an error."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return "(typed)" if self.text else "(nothing)"


REMOVE: Final = object()
"""Shown in a form: the box that removes the secret is ticked."""


class SecretInput(OwnTemplate):
    """An empty box for a new secret, and one to tick that removes it."""

    template_name = "console/inputs/secret.html"
    use_fieldset = True

    def __init__(self, *, removable: bool) -> None:
        super().__init__()
        self.removable, self.is_set = removable, False

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, Any]:
        """What was typed, and whether the box is ticked."""
        del files
        return {"new": Typed(data.get(f"{name}{NEW}", "")), "remove": f"{name}-remove" in data}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Whether neither the input nor the box was sent."""
        del files
        return f"{name}{NEW}" not in data and f"{name}-remove" not in data

    def id_for_label(self, id_: str) -> str:
        """That of the input."""
        return f"{id_}{NEW}"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Nothing of the secret, neither of the stored nor of the typed one."""
        ticked = isinstance(value, Mapping) and bool(value.get("remove"))
        context = super().get_context(name, None, attrs)
        state = IS_SET if self.is_set else IS_NOT_SET
        context["widget"] |= {"state": state, "removable": self.removable and self.is_set, "ticked": ticked}
        return context


class SecretField(ValueField):
    """Carries no value into the page; out of it comes the new `Secret`, None where it is to be removed."""

    widget: SecretInput

    def __init__(self, *, info: FieldInfo, **options: Any) -> None:
        """`info` is the entity's field."""
        self.may_be_none = peeled(info.annotation)[1]
        super().__init__(required=info.is_required(), help_text=info.description or "", **options)
        self.widget = SecretInput(removable=self.may_be_none)

    def entered(self, value: Any) -> dict[str, bool]:
        """Whether it is to be removed."""
        return {"remove": value is REMOVE}

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether anything was typed or ticked."""
        del initial
        return bool(data["new"].text or data["remove"])

    def clean(self, value: Any) -> Secret | None:
        """The new secret. Raises `ValidationError`, which never quotes it."""
        text, remove = value["new"].text, bool(value["remove"])
        if text and remove:
            raise ValidationError("Enter a new one or remove the old one, not both.")
        if remove and not self.may_be_none:
            raise ValidationError("It cannot be removed, only replaced.")
        if not text:
            if self.required and not self.widget.is_set:
                raise ValidationError(REQUIRED)
            return None
        try:
            return Secret(text)
        except ValueError as error:
            raise ValidationError(f"{str(error).capitalize()}.") from None


def secrets_of(entity: type[Entity]) -> list[str]:
    """The names of the fields that are secrets."""
    return [name for name, info in entity.model_fields.items() if peeled(info.annotation)[0] is Secret]
