"""Form fields for single values, and for sets and lists that are typed one a line or ticked.

Every field knows three forms of a value: the entity's own; what was *entered*, in plain JSON, which is what the inputs
hold, so that it can travel in the page and be compared with what is entered later; and its widget's inputs.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from apps.console.forms.widgets import Group, Lines
from apps.storage.items.values import is_number

TOO_MANY_DIGITS = "Enter a number of at most 38 digits."
REQUIRED = "This field is required."


@dataclass(frozen=True, slots=True)
class Entered:
    """What came with a request, to be told from a value of the entity's."""

    raw: Any


class ValueField(forms.Field):
    """A field that carries a value as `entered`, and takes it back by `clean`."""

    def entered(self, value: Any) -> Any:
        """What the inputs hold for this value of the entity's."""
        raise NotImplementedError

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Mark what came with the request."""
        del initial
        return Entered(data)

    def prepare_value(self, value: Any) -> Any:
        """What the widget shows."""
        return value.raw if isinstance(value, Entered) else self.entered(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether what is entered means something else than what was entered in the page as it was read."""
        if initial == data:
            return False
        try:
            return bool(self.clean(initial) != self.clean(data))
        except ValidationError:
            return True


def entered_of(field: forms.Field, value: Any) -> Any:
    """What the inputs of any field hold for this value, in plain JSON."""
    shown = field.entered(value) if isinstance(field, ValueField) else field.prepare_value(value)
    return shown.value if isinstance(shown, Enum) else shown


def carries(field: forms.Field, value: Any) -> bool:
    """Whether the value comes back from the inputs as it went in."""
    if not isinstance(field, ValueField):
        return True
    try:
        entered = field.entered(value)
    except ValidationError:
        return False
    try:
        return bool(field.clean(entered) == value)
    except ValidationError:
        return value is None


class NumberField(ValueField):
    """An exact number; 1.50 stays 1.50 where nobody changes it."""

    widget = forms.TextInput(attrs={"inputmode": "decimal"})

    def entered(self, value: Any) -> str:
        """Its digits."""
        return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)

    def clean(self, value: Any) -> Decimal | None:
        """The number. Raises `ValidationError` for what is none."""
        text = str(value or "").strip()
        if not text:
            if self.required:
                raise ValidationError(REQUIRED)
            return None
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise ValidationError("Enter a number such as 12.50.") from None
        if not number.is_finite():
            raise ValidationError("Enter a number such as 12.50.")
        if not is_number(str(number)):
            raise ValidationError(TOO_MANY_DIGITS)
        return number


class WholeField(forms.IntegerField):
    """A whole number that can be stored."""

    def validate(self, value: Any) -> None:
        """Raise `ValidationError` for one of too many digits."""
        super().validate(value)
        if value is not None and not is_number(str(value)):
            raise ValidationError(TOO_MANY_DIGITS)


class OneOfField(ValueField):
    """One of the values of an enum or a `Literal`."""

    def __init__(self, *, choices: Mapping[Any, str], **options: Any) -> None:
        """`choices` are the values with their words."""
        super().__init__(**options)
        self.values = {_text(value): value for value in choices}
        blank = [] if self.required and self.initial is not None else [("", "–")]  # noqa: RUF001
        self.widget = forms.Select(choices=[*blank, *((_text(value), told) for value, told in choices.items())])

    def entered(self, value: Any) -> str:
        """Its text."""
        return "" if value is None else _text(value)

    def clean(self, value: Any) -> Any:
        """The value. Raises `ValidationError` for one that is not offered."""
        if not value:
            if self.required:
                raise ValidationError(REQUIRED)
            return None
        if not isinstance(value, str) or value not in self.values:
            raise ValidationError("Choose one of those that are offered.")
        return self.values[value]


class ManyField(ValueField):
    """Several values; `gather` makes of them what the entity has: a set, a list or a tuple."""

    empty_value: Any

    def __init__(self, *, gather: Callable[[Iterable[Any]], Any], none: bool = False, **options: Any) -> None:
        """`none` says that no value at all is None instead of empty."""
        super().__init__(**options)
        self.gather = gather
        self.empty_value = None if none else gather(())

    def _gathered(self, values: list[Any]) -> Any:
        return self.gather(values) if values else self.empty_value


class TickedField(ManyField):
    """A set of an enum's members, each with a box."""

    def __init__(self, *, choices: Mapping[Any, str], **options: Any) -> None:
        """`choices` are the members with their words."""
        super().__init__(**options)
        self.required = False  # an entity that wants at least one says so itself
        self.values = {_text(value): value for value in choices}
        self.widget = Group(choices=[(_text(value), told) for value, told in choices.items()])

    def entered(self, value: Any) -> list[str]:
        """The texts of the members, in the order in which they are offered."""
        members = {_text(one) for one in value or ()}
        return [text for text in self.values if text in members]

    def clean(self, value: Any) -> Any:
        """The set. Raises `ValidationError` for a member that is not offered."""
        ticked = list(dict.fromkeys(map(str, value))) if isinstance(value, list) else []
        if any(text not in self.values for text in ticked):
            raise ValidationError("Choose among those that are offered.")
        return self._gathered([self.values[text] for text in ticked])


class LinesField(ManyField):
    """Texts or numbers, one a line; empty lines count for nothing."""

    def __init__(self, *, part: forms.Field, **options: Any) -> None:
        """`part` is the field of one of them."""
        super().__init__(**options)
        self.required = False
        self.help_text = self.help_text or "One a line."
        self.part = part
        self.widget = Lines()

    def entered(self, value: Any) -> str:
        """The lines; those of a set are sorted, so that they stand in the same order at every reading."""
        lines = [str(entered_of(self.part, one)) for one in value or ()]
        return "\n".join(sorted(lines) if isinstance(value, set | frozenset) else lines)

    def clean(self, value: Any) -> Any:
        """The values. Raises `ValidationError` with the number of each line that is none."""
        found, faults = [], []
        for number, line in enumerate(str(value or "").splitlines(), start=1):
            if line.strip():
                try:
                    found.append(self.part.clean(line.strip()))
                except ValidationError as error:
                    faults += [ValidationError(f"Line {number}: {told}") for told in error.messages]
        if faults:
            raise ValidationError(faults)
        return self._gathered(found)


def _text(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value)
