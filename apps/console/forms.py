"""The form of a row: it changes the entity that was read, field by field, and lets the entity judge the result."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError as Refused
from pydantic import ValidationError

from apps.console.fields import may_be_none
from apps.console.form_fields import entered_of
from apps.console.sentences import sentence
from apps.errors import DomainError
from apps.storage.entity import Entity
from apps.storage.errors import StaleVersion

READ_VERSION, AS_READ = "read_version", "as_read"
_OURS = frozenset({READ_VERSION, AS_READ})

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that two people changed: what it was when the loser read it, what it is now, what the loser entered."""

    label: str
    read: Any
    stored: Any
    entered: Any


class EntityForm(_ModelForm):
    """Carries the version that was read, and each field as it was read: what somebody did not touch is not written.

    `refused` is what the service said when this was to be saved. After `is_valid`, `entity` is what is to be saved;
    after a refused `StaleVersion`, `differences` is what others changed meanwhile.
    """

    read_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    as_read = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)

    kind: ClassVar[type[Entity]]
    refused: ClassVar[DomainError | None] = None
    filled: ClassVar[Mapping[str, Callable[[], Any]]] = {}
    entity: Entity
    differences: list[Difference] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.stored is not None:
            self.initial.update({READ_VERSION: self.stored.version, AS_READ: self._page_of(self.stored)})

    @property
    def stored(self) -> Entity | None:
        """The entity as it is stored now; None where a new one is made."""
        found: Entity | None = self.instance.entity
        return found

    @property
    def changeable(self) -> list[str]:
        """The entity's fields in this form."""
        return [name for name in self.fields if name not in _OURS]

    @cached_property
    def changed(self) -> list[str]:
        """The entity's fields that somebody changed since they read them."""
        read = self._read
        return [name for name in self.changeable if self.fields[name].has_changed(read[name], self[name].data)]

    @cached_property
    def changed_data(self) -> list[str]:
        """The same, as Django asks for it."""
        return self.changed

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
                    self._add_fault(str(fault["loc"][0]) if fault["loc"] else "", sentence(fault))
        return data

    @cached_property
    def _read(self) -> dict[str, Any]:
        """What the inputs held when the page was read; what the page does not tell counts as it is stored."""
        told: Any = None
        try:
            told = json.loads(self.data.get(self.add_prefix(AS_READ)) or "{}")
        except ValueError:
            told = {}
        known = told if isinstance(told, dict) else {}
        return {name: known.get(name, self._entered(name)) for name in self.changeable}

    def _entered(self, name: str) -> Any:
        if self.stored is None:
            return None
        return entered_of(self.fields[name], getattr(self.stored, name))

    def _page_of(self, entity: Entity) -> str:
        return json.dumps({name: entered_of(self.fields[name], getattr(entity, name)) for name in self.changeable})

    def _made(self, data: Mapping[str, Any]) -> Entity:
        if self.stored is None:
            entered = {name: self._value(name, data[name]) for name in self.changeable}
            return self.kind.model_validate({**{name: made() for name, made in self.filled.items()}, **entered})
        return self.stored.evolve(**{name: self._value(name, data[name]) for name in self.changed})

    def _value(self, name: str, value: Any) -> Any:
        return None if value == "" and may_be_none(self.kind.model_fields[name]) else value

    def _tell(self, refused: DomainError) -> None:
        if isinstance(refused, StaleVersion) and self.stored is not None:
            self._bring_up_to_date(self.stored)
            self.add_error(None, "Somebody changed this while you were at it. Compare, then save again or leave it.")
        else:
            self._add_fault(refused.field or "", refused.public_message)

    def _add_fault(self, name: str, message: str) -> None:
        self.add_error(name if name in self.fields else None, message)

    def _bring_up_to_date(self, stored: Entity) -> None:
        """Keep what somebody changed, take what is stored for the rest, and let it be saved over this version."""
        mine = {name: self._value(name, self.cleaned_data.get(name)) for name in self.changed}
        self.differences = [
            Difference(str(self.fields[name].label), self._was(name), getattr(stored, name), entered)
            for name, entered in mine.items()
            if entered != getattr(stored, name)
        ]
        kept = {name: getattr(stored, name) for name in self.changeable}
        # Unbound, it shows these instead of what came with the request; what is wrong with it stays told.
        self.initial = {**kept, **mine, READ_VERSION: stored.version, AS_READ: self._page_of(stored)}
        self.is_bound = False
        self._bound_fields_cache.clear()  # type: ignore[attr-defined]  # pinned in the tests

    def _was(self, name: str) -> Any:
        try:
            return self.fields[name].clean(self._read[name])
        except Refused:
            return None
