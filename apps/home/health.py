"""How the tables are: looked at by the worker, so that no page has to ask thirty times."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final

from apps.errors import DomainError
from apps.home.entities import TableHealth
from apps.home.repository import HEALTH, TableHealths
from apps.storage.connection import Store
from apps.storage.schema.describe import ACTIVE, describe_structure
from apps.storage.table import Table

LOOK_EVERY: Final = timedelta(seconds=55)  # a little less than the worker's minute
TABLES_AT_ONCE: Final = 4


def look_at_tables(store: Store, tables: Sequence[Table], *, now: datetime) -> TableHealth:
    """Keep how the tables are now, unless another worker did so within the last minute; returns what is kept."""
    healths = TableHealths(store)
    known = healths.find(HEALTH, consistent=True)
    if known is not None and timedelta() <= now - known.checked_at < LOOK_EVERY:
        return known
    with ThreadPoolExecutor(max_workers=TABLES_AT_ONCE) as pool:
        problems = tuple(problem for one in pool.map(lambda table: _problems(store, table), tables) for problem in one)
    found = TableHealth(checked_at=now, table_count=len(tables), problems=tuple(dict.fromkeys(problems)))
    healths.put_many([found])
    return found


def _problems(store: Store, table: Table) -> list[str]:
    try:
        real = describe_structure(store, table)
    except DomainError as error:
        return [error.public_message]
    if real is None:
        return [f"Table {table.name} is missing."]
    problems = [] if real.status in {ACTIVE, "UPDATING"} else [f"Table {table.name} is {real.status}."]
    for index in table.indexes:
        found = real.indexes.get(index.name)
        if found is None:
            problems.append(f"Table {table.name} lacks the index {index.name}.")
        elif found.status != ACTIVE:
            problems.append(f"The index {index.name} of {table.name} is {found.status}.")
    return problems
