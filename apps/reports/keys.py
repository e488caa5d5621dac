"""What can be an id."""

from typing import Final

LONGEST_ID: Final = 64


def can_be_id(key: str) -> bool:
    """Whether it can be one at all: the store refuses to look for an empty or a very long key."""
    return 0 < len(key) <= LONGEST_ID
