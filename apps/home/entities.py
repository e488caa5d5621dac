"""What the first page shows that nothing else keeps."""

from datetime import datetime, timedelta
from typing import Final, Literal

from apps.storage.entity import Entity, Instant

STALE_AFTER: Final = timedelta(minutes=5)


class TableHealth(Entity):
    """How the tables were when the worker last looked: `problems` has a sentence for each thing that is wrong."""

    subject: Literal["tables"] = "tables"
    checked_at: Instant
    table_count: int
    problems: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing was wrong."""
        return not self.problems

    def is_stale(self, now: datetime) -> bool:
        """Whether nobody has looked for so long that it says little about now."""
        return now - self.checked_at > STALE_AFTER
