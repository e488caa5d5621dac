"""Compare tables with their declarations."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from apps.storage.management.table_command import FAILURE, TableCommand, plural

if TYPE_CHECKING:
    from apps.storage.connection import Store
    from apps.storage.schema.verify import Check
    from apps.storage.table import Table


class Command(TableCommand):
    help = "Compare the tables with what the code declares, and say what is missing or different; changes nothing."

    def work(self, store: "Store", tables: tuple["Table", ...], options: dict[str, Any]) -> None:
        del options
        from apps.storage.schema.access import check_access  # noqa: PLC0415  (boto3: not for --help)
        from apps.storage.schema.verify import verify_all  # noqa: PLC0415

        check_access(store)
        checks = verify_all(store, tables)
        self.show(checks)
        bad = [check for check in checks if not check.passed]
        if self.quiet and not self.as_json:
            for check in bad:
                self.stderr.write(f"{check.physical}: {' '.join(check.issues)}")
        self.finish(self.document(store, checks), self.sentence(checks), code=FAILURE if bad else 0)

    def show(self, checks: Sequence["Check"]) -> None:
        """One line a table, and one for each thing that is not as declared."""
        from rich.markup import escape  # noqa: PLC0415

        console = self.console
        for check in checks:
            mark = "[green]✓[/]" if check.passed else "[red]✗[/]"
            indexes = f", {plural(len(check.real.indexes), 'index')}" if check.real and check.real.indexes else ""
            console.print(f"{mark} {check.physical}  {check.status}{indexes}")
            for issue in check.issues:
                console.print(f"    {escape(issue)}")

    def document(self, store: "Store", checks: Sequence["Check"]) -> dict[str, Any]:
        return {
            "success": all(check.passed for check in checks),
            "environment": store.environment,
            "region": store.region,
            "checks": [_check(check) for check in checks],
            "summary": {
                "totalTables": len(checks),
                "tablesFound": sum(check.real is not None for check in checks),
                "tablesMissing": sum(check.real is None for check in checks),
                "tablesWithIssues": sum(check.real is not None and not check.passed for check in checks),
            },
            "durationMs": self.milliseconds(),
        }

    def sentence(self, checks: Sequence["Check"]) -> str:
        missing = sum(check.real is None for check in checks)
        different = sum(check.real is not None and not check.passed for check in checks)
        found = [f"{missing} missing"] * bool(missing) + [f"{different} different"] * bool(different)
        lacking = sorted({name for check in checks for name in check.unsupported})
        closing = (
            f"{plural(len(checks), 'table')} verified in {self.seconds():.1f} s: "
            f"{', '.join(found) or 'all as declared'}."
        )
        return closing + (
            f" Not checked, since this engine does not offer it: {', '.join(lacking)}." if lacking else ""
        )


def _check(check: "Check") -> dict[str, Any]:
    real = check.real
    keys = [{"name": key.name, "type": key.type.value} for key in real.keys] if real else []
    return {
        "tableName": check.physical,
        "status": check.status,
        "partitionKey": keys[0] if keys else None,
        "sortKey": keys[1] if len(keys) > 1 else None,
        "gsiNames": sorted(real.indexes) if real else [],
        "billingMode": real.billing_mode if real else None,
        "passed": check.passed,
        "issues": list(check.issues),
        "unsupported": list(check.unsupported),
    }
