"""Find guards of unique values that do not match their items, and mend them."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from apps.storage.management.table_command import FAILURE, TableCommand, plural

if TYPE_CHECKING:
    from apps.storage.connection import Store
    from apps.storage.table import Table

WORDS = {
    "missing": "{item} has it, and nothing guards it",
    "foreign": "{item} has it, but it is guarded for {other}, which has not",
    "double": "both {item} and {other} have it: change one of them",
    "orphan": "{item} is gone or has another value",
    "unreadable": "{item} does not fit its entity, so that its guards are not known",
}


class Command(TableCommand):
    help = "Compare every unique value with its guard, and mend the guards that do not match. Reads whole tables."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say what does not match")

    def work(self, store: "Store", tables: tuple["Table", ...], options: dict[str, Any]) -> None:
        from apps.storage.registry import declared_repositories  # noqa: PLC0415  (boto3: not for --help)
        from apps.storage.upkeep.repair import Fault, check_guards  # noqa: PLC0415

        mend, console, found = not options["dry_run"], self.console, []
        guarded = [kind for kind in declared_repositories() if kind.entity.unique and kind.table in tables]
        for kind in guarded:
            console.print(f"Reading {store.physical(kind.table)} and its guards ...", markup=False)
            for finding in check_guards(kind(store), mend=mend):
                found.append(finding)
                state = "mended" if finding.is_mended else finding.fault
                words = WORDS[finding.fault].format(item=finding.item, other=finding.other)
                console.print(f"{state}: {finding.guard}: {words}", markup=False)
        left = [finding for finding in found if not finding.is_mended]
        document = {
            "success": not left,
            "tables": sorted({store.physical(kind.table) for kind in guarded}),
            "findings": [asdict(finding) for finding in found],
            "totalDurationMs": self.milliseconds(),
        }
        closing = (
            f"{plural(len(found), 'guard')} did not match, {len(found) - len(left)} mended, in {self.seconds():.1f} s."
        )
        if any(finding.fault not in {Fault.DOUBLE, Fault.UNREADABLE} for finding in left) and mend:
            closing += " Some changed while they were looked at: run the command again."
        self.finish(document, closing, code=FAILURE if left else 0)
