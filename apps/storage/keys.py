"""Key templates: how a key's text follows from fields, and the fields from the text.

Rungs serves a single organisation. The place to make it serve several is here: a leading `{org_id}#` in the templates.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

DELIMITER = "#"


class KeyTemplate:
    """A template such as `{status}#{policy_number}`; text outside braces stands for itself."""

    def __init__(self, template: str) -> None:
        """Take the template apart. Raises `ValueError` where fields have no `#` between them: it tells them apart."""
        self.template = template
        self.parts = re.split(r"\{(\w+)\}", template)
        self.fields = tuple(self.parts[1::2])
        if any(DELIMITER not in part for part in self.parts[2:-1:2]):
            raise ValueError(f"{template!r} has two fields without a delimiter between them")
        text = "(?s:.*)" if len(self.fields) == 1 else f"[^{DELIMITER}]*"
        self._pattern = re.compile(
            "".join(
                f"(?P<{part}>{text})" if position % 2 else re.escape(part) for position, part in enumerate(self.parts)
            )
        )

    def fill(self, value_of: Callable[[str], Any]) -> str | None:
        """The key for the fields that `value_of` gives by name, or None where one of them is None.

        Raises `ValueError` for a value that holds the delimiter.
        """
        filled = [self.parts[0]]
        for position in range(1, len(self.parts), 2):
            value = value_of(self.parts[position])
            if value is None:
                return None
            text = _text(value)
            if DELIMITER in text and len(self.fields) > 1:
                raise ValueError(f"{text!r} holds {DELIMITER!r}, which separates the parts of {self.template!r}")
            filled += (text, self.parts[position + 1])
        return "".join(filled)

    def read(self, key: str) -> Mapping[str, str]:
        """The fields' texts in a key. Raises `ValueError` where the key is not of this form."""
        found = self._pattern.fullmatch(key)
        if found is None:
            raise ValueError(f"{key!r} is not of the form {self.template!r}")
        return found.groupdict()


def _text(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        from apps.storage.codec import iso  # noqa: PLC0415  (the codec compiles templates)

        return iso(value)
    return str(value)
