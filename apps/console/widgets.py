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
        super().__init__(attrs={"rows": 4, "spellcheck": "false"})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """As many lines as there are, within reason."""
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"]["rows"] = min(max(str(value or "").count("\n") + 2, 3), 16)
        return context
