"""The form of a row: it changes the entity that was read, field by field, and lets the entity judge the result."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError as Refused
from pydantic import ValidationError

from apps.console.fields import AsItIs, may_be_none
from apps.console.forms.nested_fields import JsonField, WithParts
from apps.console.forms.secret_fields import ENTER_AGAIN, IS_NOT_SET, IS_SET, REMOVE, SecretField
from apps.console.forms.sentences import sentence
from apps.console.forms.value_fields import carries, entered_of
from apps.errors import DomainError, NotFound
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
    """A field that somebody changed: what it was when the loser read it, what it is now, and what they entered.

    `is_contested` says whether both did, `is_theirs` whether the others alone.
    """

    label: str
    read: Any
    stored: Any
    entered: Any
    is_contested: bool = False
    is_theirs: bool = False


class EntityForm(_ModelForm):
    """Carries the version that was read, and each field as it was read: what somebody did not touch is not written.

    `refused` is what the service said when this was to be saved. After `is_valid`, `entity` is what is to be saved;
    after a refused `StaleVersion`, `differences` is what others changed meanwhile.
    """

    read_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    as_read = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)

    kind: ClassVar[type[Entity]]
    refused: ClassVar[DomainError | None] = None
    given: frozenset[str] = frozenset()
    """Fields that follow from something else: nobody enters them."""
    filled: ClassVar[Mapping[str, Callable[[], Any]]] = {}
    entity: Entity
    differences: list[Difference] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.changeable:
            self._fit(name)
        if self.stored is not None and not self.is_bound:
            self.initial.update({READ_VERSION: self.stored.version, AS_READ: self._page_of(self.stored)})

    def _fit(self, name: str) -> None:
        """Take the inputs that give back the value that is there."""
        field = self.fields[name]
        if isinstance(field, SecretField):
            field.widget.is_set = self.stored is not None and getattr(self.stored, name) is not None
            return
        column: Any = self.instance._meta.get_field(name)
        if isinstance(column, AsItIs):
            found = column.fitting(getattr(self.stored, name)) if self.stored else column.formfield()
            found = self._as_sent(name, column, found)
            assert found is not None  # noqa: S101  (the admin only shows those that have none)
            found.disabled = self.fields[name].disabled
            self.fields[name] = found

    def _was_sent(self, name: str) -> bool:
        widget = self.fields[name].widget
        return not widget.value_omitted_from_data(self.data, self.files, self.add_prefix(name))

    def _as_sent(self, name: str, column: AsItIs, found: forms.Field | None) -> forms.Field | None:
        """The inputs that the page had which this came from: what is stored now may ask for others."""
        if not self.is_bound or not isinstance(found, WithParts | JsonField):
            return found
        if self.add_prefix(name) in self.data:
            return column.as_json()
        inputs = column.formfield()
        return inputs if isinstance(inputs, WithParts) else found

    @property
    def stored(self) -> Entity | None:
        """The entity as it is stored now; None where a new one is made."""
        found: Entity | None = self.instance.entity
        return found

    @property
    def secrets(self) -> list[str]:
        """Those of the entity's fields in this form that are secrets."""
        return [name for name in self.changeable if isinstance(self.fields[name], SecretField)]

    @property
    def changeable(self) -> list[str]:
        """The entity's fields in this form."""
        return [name for name in self.fields if name not in _OURS]

    @cached_property
    def changed(self) -> list[str]:
        """The entity's fields that somebody changed since they read them."""
        read = self._read
        return [
            name
            for name in self.changeable
            if name not in self.given
            and self._was_sent(name)
            and self.fields[name].has_changed(read[name], self[name].data)
        ]

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
        if self.errors:
            self._ask_for_secrets_again()
        return data

    def _ask_for_secrets_again(self) -> None:
        for name in self.secrets:
            if name not in self.errors and self[name].data["new"].text:
                self.add_error(name, ENTER_AGAIN)

    @cached_property
    def _read(self) -> dict[str, Any]:
        """What the inputs held when the page was read; what the page does not tell counts as it is stored."""
        told: Any = None
        try:
            told = json.loads(self.data.get(self.add_prefix(AS_READ)) or "{}")
        except (ValueError, RecursionError):
            told = {}
        known = told if isinstance(told, dict) else {}
        return {name: known[name] if name in known else self._entered(name) for name in self.changeable}

    def _entered(self, name: str) -> Any:
        field = self.fields[name]
        if self.stored is None:
            return entered_of(field, self.get_initial_for_field(field, name))
        try:
            return entered_of(field, getattr(self.stored, name))
        except Refused:  # it fits no inputs that were sent
            return None

    def _page_of(self, entity: Entity) -> str:
        shown = [name for name in self.changeable if name not in self.secrets]
        held = {name: entered_of(self.fields[name], getattr(entity, name)) for name in shown}
        return json.dumps(held, ensure_ascii=False)  # escapes would make it three times as long

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
        elif isinstance(refused, NotFound):
            self.add_error(
                None, "Somebody deleted this while you were at it. What you entered is here: add it, or leave."
            )
        else:
            self._add_fault(refused.field or "", refused.public_message)

    def _add_fault(self, name: str, message: str) -> None:
        self.add_error(name if name in self.fields else None, message)

    def _bring_up_to_date(self, stored: Entity) -> None:
        """Keep what somebody changed, take what is stored for the rest, and let it be saved over this version."""
        kept = {name: getattr(stored, name) for name in self.changeable if name not in self.secrets}
        secrets = [name for name in self.changed if name in self.secrets]
        mine = {name: self._value(name, self.cleaned_data.get(name)) for name in self.changed if name not in secrets}
        for name, value in kept.items():
            if not carries(self.fields[name], value):
                column: Any = self.instance._meta.get_field(name)
                self.fields[name] = column.as_json()
        self.differences = [
            self._difference(name, stored=getattr(stored, name), entered=entered)
            for name, entered in mine.items()
            if entered != getattr(stored, name)
        ]
        self.differences += [
            Difference(str(self.fields[name].label), self._was(name), getattr(stored, name), None, is_theirs=True)
            for name in self.changeable
            if name not in {*self.changed, *self.secrets, *self.given}
            and self.fields[name].has_changed(self._read[name], self._entered(name))
        ]
        self._ask_for_secrets_again()
        for name in secrets:
            is_removed = self.cleaned_data.get(name) is None and name not in self.errors
            state = IS_NOT_SET if getattr(stored, name) is None else IS_SET
            told = "To be removed" if is_removed else "To be replaced"
            self.differences.append(Difference(str(self.fields[name].label), None, state, told))
            mine[name] = REMOVE if is_removed else None
        # Unbound, it shows these instead of what came with the request; what is wrong with it stays told.
        self.initial = {**kept, **mine, READ_VERSION: stored.version, AS_READ: self._page_of(stored)}
        self.is_bound = False
        self._bound_fields_cache.clear()  # type: ignore[attr-defined]  # pinned in the tests

    def _difference(self, name: str, *, stored: Any, entered: Any) -> Difference:
        now = entered_of(self.fields[name], stored)
        is_contested = self.fields[name].has_changed(self._read[name], now)
        return Difference(str(self.fields[name].label), self._was(name), stored, entered, is_contested)

    def _was(self, name: str) -> Any:
        try:
            return self.fields[name].clean(self._read[name])
        except Refused:
            return None
