"""What Pydantic finds wrong, in the words of our forms."""

from collections.abc import Mapping
from typing import Any

_SENTENCES = {
    "greater_than_equal": "Enter {ge} or more.",
    "less_than_equal": "Enter {le} or less.",
    "greater_than": "Enter more than {gt}.",
    "less_than": "Enter less than {lt}.",
    "string_too_long": "Enter at most {max_length} characters.",
    "string_too_short": "Enter at least {min_length} characters.",
    "string_pattern_mismatch": "Enter only what fits this pattern: {pattern}",
    "too_long": "Enter at most {max_length}.",
    "too_short": "Enter at least {min_length}.",
}


def sentence(fault: Mapping[str, Any]) -> str:
    """One of a `ValidationError`'s `errors()` as people read it."""
    told = _SENTENCES.get(fault["type"])
    return told.format(**fault["ctx"]) if told else str(fault["msg"]).removeprefix("Value error, ")
