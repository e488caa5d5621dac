"""Delete the tables of dev."""

import time
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from apps.storage.management.table_command import FAILURE, PARTLY, TableCommand, plural

if TYPE_CHECKING:
    from apps.storage.connection import Store
    from apps.storage.table import Table

MARKS = {"deleted": "[green]✓[/]", "missing": "[dim]·[/]", "failed": "[red]✗[/]"}
DEV = "dev"


class Command(TableCommand):
    help = "Delete the tables of dev with all they hold. Staging and prod are refused always."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def work(self, store: "Store", tables: tuple["Table", ...], options: dict[str, Any]) -> None:
        # RUNGS_TABLE_NAMES may map dev's tables to those of the environment that the settings are for.
        for environment in (store.environment, self.environment):
            if environment != DEV:
                raise CommandError(f"Tables of {environment} are never deleted by this command; nothing was deleted.")
        from apps.storage.schema.access import check_access  # noqa: PLC0415  (boto3: not for --help)

        where = check_access(store)
        if not options["yes"]:
            self.ask(len(tables), where)
        with ThreadPoolExecutor(max_workers=8) as pool:
            rows = list(pool.map(lambda table: _delete(store, table), tables))
        console = self.console
        for row in rows:
            console.print(f"{MARKS[row['status']]} {row['tableName']}  {row['status']}")
            if row["error"]:
                console.print(f"    {row['error']}", markup=False)
        failed = [row for row in rows if row["status"] == "failed"]
        deleted = sum(row["status"] == "deleted" for row in rows)
        if self.quiet and not self.as_json:
            for row in failed:
                self.stderr.write(f"{row['tableName']}: {row['error']}")
        document = {
            "success": not failed,
            "environment": store.environment,
            "region": store.region,
            "tables": rows,
            "totalDurationMs": self.milliseconds(),
        }
        closing = f"{plural(deleted, 'table')} of {store.environment} deleted in {self.seconds():.1f} s"
        closing += f", {len(failed)} failed." if failed else "."
        code = 0 if not failed else FAILURE if len(failed) == len(rows) else PARTLY
        self.finish(document, closing, code=code)

    def ask(self, count: int, where: str) -> None:
        """Have the environment's name typed. Raises `CommandError` for anything else."""
        if self.as_json:
            raise CommandError("With --json nobody can be asked: add --yes. Nothing was deleted.")
        self.stdout.write(f"This deletes {plural(count, 'table')} of {DEV} at {where} with all they hold.")
        try:
            answer = input(f"Type {DEV} to go on: ")
        except EOFError:
            raise CommandError("Nobody answered, so nothing was deleted; in scripts use --yes.") from None
        if answer.strip() != DEV:
            raise CommandError("Nothing was deleted.")


def _delete(store: "Store", table: "Table") -> dict[str, Any]:
    from botocore.exceptions import ClientError  # noqa: PLC0415

    from apps.errors import DomainError  # noqa: PLC0415
    from apps.storage.schema.remove import remove  # noqa: PLC0415

    started = time.monotonic()
    error = None
    try:
        status = "deleted" if remove(store, table) else "missing"
    except DomainError as refused:
        status, error = "failed", refused.message
    except ClientError as refused:
        status, error = "failed", str(refused.response.get("Error", {}).get("Message", refused))
    return {
        "tableName": store.physical(table),
        "status": status,
        "durationMs": round((time.monotonic() - started) * 1000),
        "error": error,
    }
