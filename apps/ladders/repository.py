"""The questions that are asked of the ladder's versions."""

from apps.ladders.entities import LadderVersion
from apps.ladders.errors import NoActiveLadder
from apps.ladders.tables import CONFIG_VERSIONS
from apps.storage.conditions import Query
from apps.storage.page import Page
from apps.storage.pointers import Pointers
from apps.storage.repository import Repository

ACTIVE_LADDER = "active-ladder"


class LadderVersions(Repository[LadderVersion]):
    """The versions of the ladder."""

    entity = LadderVersion
    table = CONFIG_VERSIONS
    noun = "version of the ladder"

    def listed(self, *, limit: int = 25, cursor: str | None = None) -> Page[LadderVersion]:
        """Versions, newest first, without what they say. Raises `BadCursor`."""
        query = Query(partition="ladders", index="directory-index", descending=True)
        return self.page(query, limit=limit, cursor=cursor)

    def active(self) -> LadderVersion | None:
        """The active version, in two consistent reads by key; None before the first was activated."""
        pointer = Pointers(self.store).find(ACTIVE_LADDER, consistent=True)
        return self.get(pointer.target, consistent=True) if pointer else None

    def active_for_sure(self) -> LadderVersion:
        """The same. Raises `NoActiveLadder` where there is none."""
        found = self.active()
        if found is None:
            raise NoActiveLadder("There is no active career ladder yet. An administrator uploads and activates one.")
        return found
