"""The inputs of our form fields, drawn by our own templates."""

from typing import Any

from django import forms
from django.template.loader import render_to_string


class OwnTemplate(forms.Widget):
    """A widget whose template is among the project's."""

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> str:
        del renderer
        return render_to_string(template_name, context)


class Group(OwnTemplate, forms.CheckboxSelectMultiple):
    """A box for each choice."""

    template_name = "console/inputs/group.html"

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        """That of the first box, where an error leads to."""
        return f"{id_}_0" if index is None else super().id_for_label(id_, index)


class Lines(forms.Textarea):
    """One value a line."""

    def __init__(self) -> None:
        super().__init__(attrs={"rows": 4, "spellcheck": "false", "class": "lines-input"})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """As many lines as there are, within reason."""
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"]["rows"] = min(max(str(value or "").count("\n") + 2, 3), 16)
        return context


class Words(forms.TextInput):
    """A text: one line, or as many as it has; a line break stays what it was."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Room for every line."""
        context = super().get_context(name, value, attrs)
        lines = str(value or "").count("\n")
        if lines:
            context["widget"]["template_name"] = forms.Textarea.template_name
            context["widget"]["attrs"]["rows"] = min(lines + 2, 16)
        return context

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> Any:
        """The input, or the area."""
        context = self.get_context(name, value, attrs)
        return self._render(context["widget"]["template_name"], context, renderer)  # type: ignore[attr-defined]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """What is in it, with the line breaks of everybody else but browsers."""
        value = super().value_from_datadict(data, files, name)
        return value.replace("\r\n", "\n") if isinstance(value, str) else value
