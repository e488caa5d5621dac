"""Which tables of an environment there are, declared or not."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from apps.storage.connection import Store
from apps.storage.schema.describe import RealTable, describe_structure
from apps.storage.table import Key, Table

TABLES_AT_ONCE = 8


def inventory(store: Store, tables: Sequence[Table], *, with_strangers: bool) -> dict[str, RealTable]:
    """What exists of `tables`, by physical name; `with_strangers` adds tables of this environment that nobody declares.

    Raises the store's `DomainError`s.
    """
    wanted = {store.physical(table): table for table in tables}
    if with_strangers:
        wanted |= {name: _stranger(name) for name in _names_here(store) if name not in wanted}
    named = Store(
        environment=store.environment,
        prefix=store.prefix,
        names={table.name: name for name, table in wanted.items()},
        endpoint=store.endpoint,
        region=store.region,
    )
    with ThreadPoolExecutor(max_workers=TABLES_AT_ONCE) as pool:
        found = pool.map(lambda table: describe_structure(named, table), wanted.values())
        return {real.name: real for real in sorted(filter(None, found), key=lambda real: real.name)}


def _stranger(name: str) -> Table:
    return Table(name=name, partition_key=Key("unknown"))


def _names_here(store: Store) -> Iterator[str]:
    prefix = f"{store.prefix}-{store.environment}-"
    more: dict[str, Any] = {}
    while True:
        answer = store.call("list_tables", table="any table", **more)
        yield from (name for name in answer["TableNames"] if name.startswith(prefix))
        if not answer.get("LastEvaluatedTableName"):
            return
        more = {"ExclusiveStartTableName": answer["LastEvaluatedTableName"]}
