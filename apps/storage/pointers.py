"""Named states that every process must read consistently, such as which of several versions is in force."""

from apps.storage.entity import Entity
from apps.storage.repository import Repository
from apps.storage.tables import POINTERS


class Pointer(Entity):
    """`name` says what is pointed at, `target` which one it is."""

    name: str
    target: str


class Pointers(Repository[Pointer]):
    """The pointers; read them with `consistent=True`, and move them in the transaction of what they stand for."""

    entity = Pointer
    table = POINTERS
    noun = "pointer"
