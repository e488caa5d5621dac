"""Where the first page's own state is kept."""

from typing import Final

from apps.home.entities import TableHealth
from apps.storage.repository import Repository
from apps.storage.tables import POINTERS

HEALTH: Final = "table-health"


class TableHealths(Repository[TableHealth]):
    """The one row that says how the tables are."""

    entity = TableHealth
    table = POINTERS
    noun = "state of the tables"
