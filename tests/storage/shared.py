"""One store for many tests of a process: a client takes longer to make than a table."""

from collections.abc import Callable
from functools import cache

from apps.storage.connection import Store
from apps.storage.engine import EngineKind
from apps.storage.table import Table
from tests.conftest import create_tables, new_store

Endpoints = Callable[[EngineKind], str]

_made: set[tuple[Store, Table]] = set()


def emptied(endpoint: str, *tables: Table) -> Store:
    """The process's shared store at this endpoint, with these tables and nothing in them."""
    store = _shared(endpoint)
    for table in tables:
        if (store, table) in _made:
            store.client.delete_table(TableName=store.physical(table))
        _made.add((store, table))
    create_tables(store, *tables)
    return store


@cache
def _shared(endpoint: str) -> Store:
    return new_store(endpoint)
