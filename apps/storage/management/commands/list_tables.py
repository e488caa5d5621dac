"""List the tables of an environment."""

from typing import TYPE_CHECKING, Any

from apps.storage.management.table_command import TableCommand, plural

if TYPE_CHECKING:
    from apps.storage.connection import Store
    from apps.storage.schema.describe import RealTable
    from apps.storage.table import Table


class Command(TableCommand):
    help = "List the tables of an environment with their status, items, size and indexes."

    def work(self, store: "Store", tables: tuple["Table", ...], options: dict[str, Any]) -> None:
        from apps.storage.schema.access import check_access  # noqa: PLC0415  (boto3: not for --help)
        from apps.storage.schema.inventory import inventory  # noqa: PLC0415

        check_access(store)
        found = inventory(store, tables, with_strangers=not options["only"])
        missing = [store.physical(table) for table in tables if store.physical(table) not in found]
        declared = {store.physical(table) for table in tables}
        self.show(found, declared)
        document = {
            "success": True,
            "environment": store.environment,
            "region": store.region,
            "tables": [_row(real) | {"declared": name in declared} for name, real in found.items()],
            "missing": missing,
            "durationMs": self.milliseconds(),
        }
        closing = f"{plural(len(found), 'table')} of {store.environment} in {self.seconds():.1f} s."
        if missing:
            closing += f" {len(missing)} declared and not there; create them with: manage.py setup_tables"
        self.finish(document, closing)

    def show(self, found: dict[str, "RealTable"], declared: set[str]) -> None:
        """A table of tables."""
        from rich.filesize import decimal  # noqa: PLC0415
        from rich.table import Table as Grid  # noqa: PLC0415

        if not found:
            return
        grid = Grid(box=None, pad_edge=False, header_style="bold")
        for heading in ("Table", "Status"):
            grid.add_column(heading, no_wrap=True)
        for heading in ("Items", "Size"):
            grid.add_column(heading, no_wrap=True, justify="right")
        grid.add_column("Indexes", no_wrap=True, overflow="ignore")
        for name, real in found.items():
            status = real.status if name in declared else f"{real.status}, not declared"
            grid.add_row(name, status, f"{real.items:,}", decimal(real.size_bytes), "\n".join(sorted(real.indexes)))
        self.console.print(grid)


def _row(real: "RealTable") -> dict[str, Any]:
    return {
        "tableName": real.name,
        "status": real.status,
        "itemCount": real.items,
        "sizeBytes": real.size_bytes,
        "indexes": sorted(real.indexes),
    }
