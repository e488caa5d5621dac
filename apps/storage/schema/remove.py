"""Deleting a table of dev, and only of dev."""

import time

from apps.errors import Conflict
from apps.storage.connection import Store
from apps.storage.schema.describe import describe, describe_structure
from apps.storage.table import Table

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 3.0


def remove(store: Store, table: Table) -> bool:
    """Delete a table and wait until it is gone; False where there was none.

    Raises `Conflict` for a table that its own tag assigns to another environment, whatever its name, and else the
    store's errors; DynamoDB refuses a table that is protected.
    """
    real = describe(store, table)
    if real is None:
        return False
    owner = (real.tags or {}).get("Environment", store.environment)
    if owner != store.environment:
        raise Conflict(f"Its tag Environment says {owner}, so it is not deleted.")
    store.call("delete_table", table=table.name, TableName=real.name)
    pause = FIRST_PAUSE_SECONDS
    while describe_structure(store, table) is not None:
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
    return True
