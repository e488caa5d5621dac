"""The inputs of values that have parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms

from apps.console.forms.widgets import OwnTemplate

PLACE: Final = "__i__"
"""Stands for the number of a row in the template that the script makes new rows from."""
MOST_ROWS: Final = 900


@dataclass(frozen=True, slots=True)
class Part:
    """A labelled input inside another one."""

    label: str
    id: str
    label_for: str
    html: str
    hint: str
    errors: list[str]
    is_box: bool
    is_group: bool


class WithFaults(OwnTemplate):
    """A widget that tells beside each part what is wrong with it: `faults` has sentences by the path to the part."""

    use_fieldset = True

    def __init__(self) -> None:
        super().__init__()
        self.faults: dict[tuple[Any, ...], list[str]] = {}

    def part(self, field: forms.Field, name: str, *, key: Any, entered: Any) -> Part:
        """The input of a part, drawn."""
        widget, id_ = field.widget, f"id_{name}"
        inside = {path[1:]: told for path, told in self.faults.items() if path[:1] == (key,)}
        errors = inside.pop((), [])
        if isinstance(widget, WithFaults):
            widget.faults = inside
        attrs = {"id": id_}
        told = [f"{id_}_{what}" for what, there in (("helptext", field.help_text), ("error", errors)) if there]
        if told:
            attrs["aria-describedby"] = " ".join(told)
        if errors:
            attrs["aria-invalid"] = "true"
        return Part(
            label=str(field.label or ""),
            id=id_,
            label_for=widget.id_for_label(id_),
            html=widget.render(name, entered, attrs),
            hint=str(field.help_text),
            errors=errors,
            is_box=isinstance(widget, forms.CheckboxInput),
            is_group=widget.use_fieldset,
        )


class PartsInput(WithFaults):
    """The inputs of a nested model; where it may be absent, with a box that says whether it is there."""

    template_name = "console/inputs/parts.html"

    def __init__(self, fields: Mapping[str, forms.Field], *, optional: bool) -> None:
        super().__init__()
        self.fields, self.optional = fields, optional

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, Any]:
        """What is in the inputs."""
        there = not self.optional or f"{name}-set" in data
        return {"set": there, "parts": self.parts_from(data, files, name)}

    def parts_from(self, data: Any, files: Any, name: str) -> dict[str, Any]:
        """The same without the box."""
        return {
            part: field.widget.value_from_datadict(data, files, f"{name}-{part}") for part, field in self.fields.items()
        }

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Never: its parts tell."""
        del data, files, name
        return False

    def id_for_label(self, id_: str) -> str:
        """That of the first part."""
        first, field = next(iter(self.fields.items()))
        return str(field.widget.id_for_label(f"{id_}-{first}"))

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The drawn parts."""
        context = super().get_context(name, value, attrs)
        entered = value if isinstance(value, Mapping) else {"set": not self.optional, "parts": {}}
        more = {"parts": self.drawn(name, entered["parts"]), "optional": self.optional, "is_set": entered["set"]}
        context["widget"] |= more
        return context

    def drawn(self, name: str, entered: Any) -> list[Part]:
        """The inputs of every part."""
        return [
            self.part(field, f"{name}-{part}", key=part, entered=entered.get(part))
            for part, field in self.fields.items()
        ]


class RowsInput(WithFaults):
    """Rows of parts, each with a box that removes it, and an empty one at the end."""

    template_name = "console/inputs/rows.html"

    def __init__(self, row: forms.Field, *, blank: Any) -> None:
        super().__init__()
        self.row, self.blank = row, blank

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
        """The rows that are filled in and not to be removed."""
        number = str(data.get(f"{name}-rows", ""))
        many = min(int(number), MOST_ROWS) if number.isascii() and number.isdigit() and len(number) < 5 else 0  # noqa: PLR2004
        rows = [
            self.row.widget.parts_from(data, files, f"{name}-{index}")
            for index in range(many)
            if f"{name}-{index}-remove" not in data
        ]
        return [row for row in rows if _plain(row) != _plain(self.blank)]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Whether the rows were not sent at all."""
        del files
        return f"{name}-rows" not in data

    def id_for_label(self, id_: str) -> str:
        """That of the first row's first input."""
        return str(self.row.widget.id_for_label(f"{id_}-0"))

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The drawn rows."""
        context = super().get_context(name, value, attrs)
        entered = list(value) if isinstance(value, list) else []
        rows = [self._drawn(name, index, row) for index, row in enumerate([*entered, self.blank])]
        template = self._drawn(name, PLACE, self.blank)
        context["widget"] |= {"rows": rows, "template": template, "many": len(rows), "spare": len(entered)}
        return context

    def _drawn(self, name: str, index: Any, entered: Any) -> dict[str, Any]:
        inside = {path[1:]: told for path, told in self.faults.items() if path[:1] == (index,)}
        self.row.widget.faults = inside
        prefix = f"{name}-{index}"
        return {"parts": self.row.widget.drawn(prefix, entered), "name": prefix, "errors": inside.get((), [])}


class JsonInput(forms.Textarea):
    """JSON, in letters of one width."""

    def __init__(self) -> None:
        super().__init__(attrs={"spellcheck": "false", "class": "mono", "data-json": "", "autocomplete": "off"})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """As many lines as there are, within reason."""
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"]["rows"] = min(max(str(value or "").count("\n") + 2, 6), 24)
        return context


def _plain(entered: Any) -> Any:
    """What is entered, to be compared: an input that holds a number, and one that came back as text."""
    if isinstance(entered, Mapping):
        return {name: _plain(part) for name, part in entered.items() if name not in {"zone", "fold"}}
    if isinstance(entered, list):
        return [_plain(part) for part in entered]
    return entered if isinstance(entered, bool) else str(entered or "").replace("\r\n", "\n")
