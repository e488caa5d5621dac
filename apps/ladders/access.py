"""Versions of the ladder for pages and API: the one that was asked for, beside the active one."""

from dataclasses import dataclass

from apps.ladders.comparing import Difference, compared
from apps.ladders.entities import LadderVersion
from apps.ladders.errors import LadderNotFound
from apps.ladders.repository import ACTIVE_LADDER
from apps.ladders.stores import Stores
from apps.storage.transaction import read_together

LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class Beside:
    """A version beside the active one: None where none is active yet, or where it is the active one itself."""

    version: LadderVersion
    active: LadderVersion | None
    is_active: bool

    @property
    def difference(self) -> Difference | None:
        """What activating it would change; None where there is nothing to compare with."""
        return compared(self.active.ladder, self.version.ladder) if self.active is not None else None


def version_of(stores: Stores, config_id: str) -> LadderVersion:
    """The version. Raises `LadderNotFound`."""
    found = stores.ladders.find(config_id)
    if found is None:
        raise LadderNotFound("There is no such version of the ladder.")
    return found


def beside_active(stores: Stores, config_id: str) -> Beside:
    """The version and the active one as they are now, in two requests. Raises `LadderNotFound`.

    Which one is active is what the pointer says: the flag of a version that was read earlier may have changed.
    """
    version, pointer = read_together(
        stores.store, stores.ladders.reading(config_id), stores.pointers.reading(ACTIVE_LADDER)
    )
    if version is None:
        raise LadderNotFound("There is no such version of the ladder.")
    if pointer is None or pointer.target == config_id:
        return Beside(version, None, is_active=pointer is not None)
    return Beside(version, stores.ladders.get(pointer.target), is_active=False)
