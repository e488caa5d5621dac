"""Versions of the career ladder."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from apps.ladders.ladder import Ladder
from apps.storage.entity import Naming, Stamped, Stored, TimeForm, Unique

SEMANTIC_VERSION = r"^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})$"


class LadderVersion(Stamped):
    """One version of the ladder: the Markdown as it was uploaded, and what it says.

    The stored `version` is the semantic one; how often the item was written is counted in `revision`. Exactly one
    version is active: the pointer `ACTIVE_LADDER` names it, in the transaction that activates it. One read from a list
    has neither content nor ladder (`ladder` is empty then).
    """

    naming = Naming.CAMEL
    times = TimeForm.MILLISECONDS
    derived: ClassVar[Mapping[str, str]] = {"directory": "ladders"}
    unique: ClassVar[tuple[Unique, ...]] = (
        Unique(
            "ladder_version", message="There is a ladder of this version already. Give the new one a higher number."
        ),
    )

    version: Annotated[int, Stored(name="revision")] = 0
    config_id: str
    ladder_version: Annotated[str, Field(pattern=SEMANTIC_VERSION), Stored(name="version")]
    note: str = Field(default="", max_length=500)
    config_content: str = ""
    parsed_config: Ladder = Ladder(categories=())
    is_active: Annotated[bool, Stored(flag=True)] = False

    @property
    def name(self) -> str:
        """What the back office calls it."""
        return f"Version {self.ladder_version}"

    @property
    def ladder(self) -> Ladder:
        """What the version says."""
        return self.parsed_config

    @property
    def order(self) -> tuple[int, ...]:
        """The semantic version as numbers, to compare by."""
        return tuple(int(part) for part in self.ladder_version.split("."))

    def __str__(self) -> str:
        return self.ladder_version
