"""Where the first page's own state is kept."""

from typing import Final

from apps.home.entities import TableHealth
from apps.home.tables import HEALTH_CHECKS
from apps.storage.repository import Repository

HEALTH: Final = "tables"


class TableHealths(Repository[TableHealth]):
    """The one row that says how the tables are."""

    entity = TableHealth
    table = HEALTH_CHECKS
    noun = "health check"
