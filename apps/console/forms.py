"""The form of a row: it changes the entity that was read, field by field, and lets the entity judge the result."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from pydantic import ValidationError

from apps.console.fields import column, may_be_none
from apps.errors import DomainError
from apps.storage.entity import Entity
from apps.storage.errors import StaleVersion

READ_VERSION = "read_version"
_SENTENCES = {
    "greater_than_equal": "Enter {ge} or more.",
    "less_than_equal": "Enter {le} or less.",
    "string_too_long": "Enter at most {max_length} characters.",
    "string_pattern_mismatch": "Enter only what fits this pattern: {pattern}",
}

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm


class EntityForm(_ModelForm):
    """Carries the version that was read, and each field as it was read: what somebody did not touch is not written.

    `refused` is what the service said when this was to be saved. After `is_valid`, `entity` is what is to be saved.
    """

    read_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    kind: ClassVar[type[Entity]]
    refused: ClassVar[DomainError | None] = None
    entity: Entity

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.stored is not None:
            self.initial[READ_VERSION] = self.stored.version
            for name in self.changeable:
                self.fields[name].show_hidden_initial = True

    @property
    def stored(self) -> Entity | None:
        """The entity as it is stored now; None where a new one is made."""
        found: Entity | None = self.instance.entity
        return found

    @property
    def changeable(self) -> list[str]:
        """The entity's fields in this form."""
        return [name for name in self.fields if name != READ_VERSION]

    @property
    def changed(self) -> list[str]:
        """The entity's fields that somebody changed since they read them."""
        return [name for name in self.changed_data if name != READ_VERSION]

    def clean(self) -> dict[str, Any]:
        """Make the entity. Raises `StaleVersion` where what was read is no longer what is stored."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if self.refused is not None:
            self._tell(self.refused)
        elif not self.errors:
            if self.stored is not None and data.get(READ_VERSION) != self.stored.version:
                stale = StaleVersion("Somebody changed this in the meantime.")
                stale.stored = self.stored
                raise stale
            try:
                self.entity = self._made(data)
            except ValidationError as error:
                for fault in error.errors(include_url=False, include_input=False):
                    self._add_fault(str(fault["loc"][0]) if fault["loc"] else "", _sentence(fault))
        return data

    def _made(self, data: Mapping[str, Any]) -> Entity:
        if self.stored is None:
            return self.kind.model_validate({name: self._value(name, data[name]) for name in self.changeable})
        return self.stored.evolve(**{name: self._value(name, data[name]) for name in self.changed})

    def _value(self, name: str, value: Any) -> Any:
        return None if value == "" and may_be_none(self.kind.model_fields[name]) else value

    def _tell(self, refused: DomainError) -> None:
        if isinstance(refused, StaleVersion):
            self._bring_up_to_date()
            self.add_error(None, "Somebody changed this while you were at it. Compare, then save again or leave it.")
        else:
            self._add_fault(refused.field or "", refused.public_message)

    def _add_fault(self, name: str, message: str) -> None:
        self.add_error(name if name in self.fields else None, message)

    def _bring_up_to_date(self) -> None:
        """Keep what somebody changed, take what is stored for the rest, and let it be saved over this version."""
        assert self.stored is not None  # noqa: S101  (only what is stored can be stale)
        changed = set(self.changed)
        posted: Any = self.data
        data = posted.copy()
        data[self.add_prefix(READ_VERSION)] = str(self.stored.version)
        for name in self.changeable:
            now = column(getattr(self.stored, name))
            data[self.add_initial_prefix(name)] = "" if now is None else str(now)
            if name not in changed:
                data[self.add_prefix(name)] = "" if now is None else str(now)
        self.data = data


def _sentence(fault: Mapping[str, Any]) -> str:
    """What Pydantic found, in the words of our forms."""
    told = _SENTENCES.get(fault["type"])
    return told.format(**fault["ctx"]) if told else str(fault["msg"]).removeprefix("Value error, ")
