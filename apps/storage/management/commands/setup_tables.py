"""Create and complete tables."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.module_loading import import_string

from apps.storage.management.table_command import FAILURE, PARTLY, TableCommand, plural

if TYPE_CHECKING:
    from apps.storage.connection import Store
    from apps.storage.schema.apply import Outcome
    from apps.storage.table import Table

MARKS = {"created": "[green]✓[/]", "updated": "[green]✓[/]", "exists": "[dim]✓[/]", "failed": "[red]✗[/]"}
PLANNED = {"created": "would be created", "updated": "would be updated", "exists": "as declared", "failed": "failed"}


class Command(TableCommand):
    help = "Create the tables that are missing and complete those that exist; never what cannot be changed safely."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--plan", "--dry-run", action="store_true", help="show what would be done, and do nothing")

    def work(self, store: "Store", tables: tuple["Table", ...], options: dict[str, Any]) -> None:
        from apps.storage.schema.access import check_access  # noqa: PLC0415  (boto3: not for --help)
        from apps.storage.schema.apply import set_up  # noqa: PLC0415

        self.plan: bool = options["plan"]
        console = self.console
        where = check_access(store)
        verb = "Planning" if self.plan else "Setting up"
        console.print(f"{verb} {plural(len(tables), 'table')} for [bold]{store.environment}[/] at {where}")
        outcomes = set_up(store, tables, plan_only=self.plan, tell=lambda outcome: self.show(outcome, console))
        failed = [outcome for outcome in outcomes if outcome.status == "failed"]
        if self.quiet and not self.as_json:
            for outcome in failed:
                self.stderr.write(f"{outcome.physical}: {outcome.error}")
        if not failed and not self.plan and not options["only"]:
            self.synchronise(store)
        code = 0 if not failed else FAILURE if len(failed) == len(outcomes) else PARTLY
        self.finish(self.document(store, outcomes), self.sentence(outcomes), code=code)

    def show(self, outcome: "Outcome", console: Any) -> None:
        """One line for one table, and what a person must know about it."""
        from rich.markup import escape  # noqa: PLC0415

        word = PLANNED[outcome.status] if self.plan else str(outcome.status)
        changes = f" ({', '.join(outcome.changes)})" if outcome.changes else ""
        seconds = "" if self.plan else f"  [dim]{outcome.duration_ms / 1000:.2f} s[/]"
        console.print(f"{MARKS[outcome.status]} {outcome.physical}  {word}{escape(changes)}{seconds}")
        for line in (outcome.error, *outcome.notes):
            if line:
                console.print(f"    {escape(line)}")

    def synchronise(self, store: "Store") -> None:
        """Let the apps bring what they keep in tables up to what their code says."""
        for path in getattr(settings, "STORAGE", {}).get("AFTER_SETUP", ()):
            said = import_string(path)(store=store)
            self.console.print(f"[green]✓[/] {said if isinstance(said, str) else path.rpartition('.')[2]}")

    def document(self, store: "Store", outcomes: Sequence["Outcome"]) -> dict[str, Any]:
        tables = [
            {
                "tableName": outcome.physical,
                "status": str(outcome.status),
                "durationMs": outcome.duration_ms,
                "error": outcome.error,
                "unsupported": list(outcome.unsupported),
            }
            | ({"changes": list(outcome.changes)} if self.plan else {})
            for outcome in outcomes
        ]
        return {
            "success": all(outcome.status != "failed" for outcome in outcomes),
            "environment": store.environment,
            "region": store.region,
            "tables": tables,
            "totalDurationMs": self.milliseconds(),
        } | ({"plan": True} if self.plan else {})

    def sentence(self, outcomes: Sequence["Outcome"]) -> str:
        words = PLANNED if self.plan else {status: status for status in MARKS} | {"exists": "there already"}
        counts = [
            f"{sum(outcome.status == status for outcome in outcomes)} {words[status]}"
            for status in MARKS
            if any(outcome.status == status for outcome in outcomes)
        ]
        lacking = sorted({name for outcome in outcomes for name in outcome.unsupported})
        closing = f"{plural(len(outcomes), 'table')} in {self.seconds():.1f} s: {', '.join(counts)}."
        return closing + (f" This engine does not offer {', '.join(lacking)}." if lacking else "")
