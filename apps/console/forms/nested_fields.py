"""Form fields for values that have parts: models, rows of them, maps, and JSON for what has no fixed form."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from pydantic import BaseModel, TypeAdapter
from pydantic import ValidationError as Misfit

from apps.console.forms.exact_json import Mistake, read_json, write_json
from apps.console.forms.nested_inputs import JsonInput, PartsInput, RowsInput
from apps.console.forms.sentences import sentence
from apps.console.forms.value_fields import REQUIRED, ManyField, ValueField, entered_of

MOST_INPUTS = 400
"""Of one field; what has more is edited as JSON (a request may have 1,000 inputs)."""


class Fault(ValidationError):
    """What is wrong with one part: `path` leads to it, `where` says the same in words."""

    def __init__(self, told: str, *, path: tuple[Any, ...] = (), where: tuple[str, ...] = ()) -> None:
        self.told, self.path, self.where = told, path, where
        super().__init__(f"{', '.join(where)}: {told}" if where else told)

    def inside(self, key: Any, label: str) -> "Fault":
        """The same as the whole tells it, of which this is the part `key`."""
        return Fault(self.told, path=(key, *self.path), where=(label, *self.where))


def faults_in(error: ValidationError) -> list[Fault]:
    """The single faults of an error of any field's."""
    return [one if isinstance(one, Fault) else Fault(one.messages[0]) for one in error.error_list]


class WithParts(ValueField):
    """A field whose widget tells beside each part what is wrong with it."""

    widget: Any

    def clean(self, value: Any) -> Any:
        """The value. Raises `ValidationError` with every fault of every part."""
        faults: list[Fault] = []
        found = self.put_together(value, faults)
        self.widget.faults = {}
        for fault in faults:
            self.widget.faults.setdefault(fault.path, []).append(fault.told)
        if faults:
            raise ValidationError(faults)
        return found

    def put_together(self, value: Any, faults: list[Fault]) -> Any:
        """The value, where there are no faults; otherwise they are added."""
        raise NotImplementedError


class PartsField(WithParts):
    """Several fields that make one value."""

    def __init__(
        self,
        *,
        parts: Mapping[str, forms.Field],
        make: Callable[[dict[str, Any]], Any],
        take: Callable[[Any], Mapping[str, Any]],
        **options: Any,
    ) -> None:
        """`make` puts the parts' values together, `take` takes a value apart."""
        super().__init__(**options)
        self.parts, self.make, self.take = dict(parts), make, take
        self.widget = PartsInput(self.parts, optional=not self.required)

    def entered(self, value: Any) -> dict[str, Any]:
        """What the inputs of each part hold."""
        values = None if value is None else self.take(value)
        return {
            "set": value is not None,
            "parts": {
                name: entered_of(part, part.initial if values is None else values[name])
                for name, part in self.parts.items()
            },
        }

    def put_together(self, value: Any, faults: list[Fault]) -> Any:
        """The value of all parts."""
        entered = value if isinstance(value, Mapping) else {}
        if not self.required and not entered.get("set"):
            return None
        given = entered.get("parts")
        given = given if isinstance(given, Mapping) else {}
        values: dict[str, Any] = {}
        before = len(faults)
        for name, part in self.parts.items():
            try:
                values[name] = part.clean(given.get(name))
            except ValidationError as error:
                faults += [fault.inside(name, str(part.label)) for fault in faults_in(error)]
        if len(faults) > before:
            return None
        try:
            return self.make(values)
        except Misfit as error:
            faults += [self._fault(fault) for fault in error.errors(include_url=False, include_input=False)]
        return None

    def _fault(self, fault: Any) -> Fault:
        name = str(fault["loc"][0]) if fault["loc"] else ""
        told = Fault(sentence(fault))
        return told.inside(name, str(self.parts[name].label)) if name in self.parts else told


class RowsField(WithParts, ManyField):
    """Rows of parts, with room for one more."""

    def __init__(self, *, row: PartsField, **options: Any) -> None:
        """`row` is the field of one of them."""
        super().__init__(**options)
        self.required = False
        self.row = row
        self.widget = RowsInput(row, blank=row.entered(None)["parts"])

    def entered(self, value: Any) -> list[Any]:
        """What the inputs of each row hold."""
        rows = [self.row.entered(one)["parts"] for one in self.scattered(value)]
        if sum(_inputs(row) for row in rows) > MOST_INPUTS:
            raise ValidationError("More rows than a form can have.")
        return rows

    def scattered(self, value: Any) -> Iterable[Any]:
        """The rows of a value."""
        return value or ()

    def put_together(self, value: Any, faults: list[Fault]) -> Any:
        """The value of all rows."""
        found = []
        for number, row in enumerate(value if isinstance(value, list) else []):
            try:
                found.append(self.row.clean({"set": True, "parts": row}))
            except ValidationError as error:
                faults += [fault.inside(number, f"Row {number + 1}") for fault in faults_in(error)]
        return None if faults else self.gathered(found, faults)

    def gathered(self, rows: list[Any], faults: list[Fault]) -> Any:
        """The value that these rows make."""
        del faults
        return self._gathered(rows)


class MapField(RowsField):
    """A map: rows of a name and a value."""

    def scattered(self, value: Any) -> Iterable[Any]:
        """Names and values, by name: the store keeps no order of them."""
        return sorted((value or {}).items(), key=lambda pair: str(pair[0]))

    def gathered(self, rows: list[Any], faults: list[Fault]) -> Any:
        """The map; a name that comes twice is a fault."""
        found: dict[Any, Any] = {}
        for number, (name, value) in enumerate(rows):
            if name in found:
                fault = Fault(f"“{name}” comes twice.").inside("name", "Name")
                faults.append(fault.inside(number, f"Row {number + 1}"))
            found[name] = value
        return found or self.empty_value


class JsonField(ValueField):
    """Anything of a type, as JSON."""

    def __init__(self, *, kind: Any, **options: Any) -> None:
        """`kind` is the type that the value must have."""
        super().__init__(**options)
        self.kind: TypeAdapter[Any] = TypeAdapter(kind)
        self.none = not self.required
        self.widget = JsonInput()

    def entered(self, value: Any) -> str:
        """The text. Raises `ValidationError` for a value that JSON has no form of."""
        try:
            return "" if value is None else write_json(value)
        except TypeError as error:
            raise ValidationError(str(error)) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether it means something else: layout and the order of names count for nothing, and true is not 1."""
        if initial == data:
            return False
        try:
            return write_json(self.clean(initial)) != write_json(self.clean(data))
        except ValidationError:
            return True

    def clean(self, value: Any) -> Any:
        """The value. Raises `ValidationError` with line and column, or with the way to the part that does not fit."""
        text = str(value or "")
        if not text.strip():
            if self.required:
                raise ValidationError(REQUIRED)
            return None
        try:
            return self.kind.validate_python(read_json(text))
        except Mistake as mistake:
            raise ValidationError(str(mistake)) from None
        except Misfit as error:
            faults = error.errors(include_url=False, include_input=False)
            raise ValidationError([f"{_way(fault['loc'])}{sentence(fault)}" for fault in faults[:5]]) from None


def model_field(model: type[BaseModel], *, parts: Mapping[str, forms.Field], **options: Any) -> PartsField:
    """The field of a nested model."""

    def taken(value: Any) -> dict[str, Any]:
        return {name: getattr(value, name) for name in parts}

    return PartsField(parts=parts, make=model.model_validate, take=taken, **options)


def pair_field(*, name: forms.Field, value: forms.Field) -> PartsField:
    """The field of one entry of a map."""
    return PartsField(
        parts={"name": name, "value": value},
        make=lambda values: (values["name"], values["value"]),
        take=lambda pair: {"name": pair[0], "value": pair[1]},
    )


def _inputs(entered: Any) -> int:
    if isinstance(entered, Mapping):
        return sum(_inputs(part) for part in entered.values())
    return sum(_inputs(part) for part in entered) + 1 if isinstance(entered, list) else 1


def _way(loc: tuple[Any, ...]) -> str:
    way = ", ".join(f"entry {part + 1}" if isinstance(part, int) else str(part) for part in loc)
    return f"{way}: " if way else ""
