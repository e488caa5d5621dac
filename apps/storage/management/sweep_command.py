"""What the commands share that rewrite the items of whole tables."""

from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from apps.storage.management.table_command import FAILURE, PARTLY, TableCommand, plural

if TYPE_CHECKING:
    from apps.storage.connection import Store
    from apps.storage.items.codec import Codec
    from apps.storage.repository import Repository
    from apps.storage.requests.writing import Writer
    from apps.storage.table import Table
    from apps.storage.upkeep.backfill import Change, Checkpoint

SECONDS_BETWEEN_LINES = 1.0


@dataclass(frozen=True, slots=True)
class Target:
    """A kind of item that work is to be done on."""

    repository: "type[Repository[Any]]"

    @property
    def name(self) -> str:
        """`Users.User`."""
        return f"{self.repository.table.name}.{self.repository.entity.__name__}"

    @property
    def codec(self) -> "Codec[Any]":
        """How its items are stored."""
        from apps.storage.items.codec import Codec  # noqa: PLC0415  (`--help` needs none)

        return Codec(self.repository.entity, self.repository.table)


class SweepCommand(TableCommand):
    """A command that reads whole tables page by page and rewrites what is due.

    Exit codes: 0 done, 1 failure or nothing could be rewritten, 2 some items failed.
    """

    done = "rewritten"
    nothing = "Nothing to do."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The flags of both commands."""
        parser.add_argument(
            "targets", nargs="*", metavar="TABLE[.Entity]", help="these kinds of item; default: all that it concerns"
        )
        super().add_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="read and check everything, and write nothing")
        parser.add_argument("--rate", type=_rate, metavar="N", help="write at most N items a second")
        parser.add_argument("--restart", action="store_true", help="begin afresh, even where an earlier run stopped")

    def passes(self, target: Target, store: "Store") -> "list[tuple[Writer[Any], Change]]":
        """What is read for one kind, and what is done to its items."""
        raise NotImplementedError

    def concerns(self, codec: "Codec[Any]") -> bool:
        """Whether there may be something to do for this kind."""
        raise NotImplementedError

    def closing(self, store: "Store", targets: list[Target]) -> tuple[dict[str, Any], str, bool]:
        """What is found after all: for the document, as a sentence, and whether it is as it should be."""
        del store, targets
        return {}, "", True

    def work(self, store: "Store", tables: tuple["Table", ...], options: dict[str, Any]) -> None:
        """Sweep each kind, and tell."""
        from apps.storage.upkeep.backfill import sweep  # noqa: PLC0415  (boto3: not for --help)

        targets = self.targets(tables, options["targets"])
        results = []
        how = {name: options[name] for name in ("dry_run", "rate", "restart")}
        for target in targets:
            for repository, change in self.passes(target, store):
                self.console.print(f"Reading all of {store.physical(repository.table)}, page by page ...", markup=False)
                self.told = float("-inf")
                result = sweep(repository, change, tell=self.progress, **how)
                results.append((target, result))
                self.tell(target, result, dry_run=options["dry_run"])
        found, sentence, is_well = self.closing(store, targets)
        failed = sum(result.failed for _, result in results)
        written = sum(result.written for _, result in results)
        document = {
            "success": is_well and not failed,
            "environment": store.environment,
            "region": store.region,
            "dryRun": options["dry_run"],
            "tasks": [_task(target, result) for target, result in results],
            **found,
            "totalDurationMs": self.milliseconds(),
        }
        code = 0 if is_well and not failed else PARTLY if written else FAILURE
        would = "would be " if options["dry_run"] else ""
        counts = f"{plural(written, 'item')} {would}{self.done}, {failed} failed, in {self.seconds():.1f} s."
        self.finish(document, " ".join(filter(None, (counts if targets else self.nothing, sentence))), code=code)

    def targets(self, tables: tuple["Table", ...], names: list[str]) -> list[Target]:
        """The kinds to work on. Raises `CommandError` for a name that nobody has."""
        from apps.storage.registry import declared_repositories  # noqa: PLC0415  (boto3: not for --help)

        kinds = tuple(Target(kind) for kind in declared_repositories() if kind.table in tables)
        known = {name for target in kinds for name in (target.name, target.repository.table.name)}
        for name in names:
            if name not in known:
                near = get_close_matches(name, sorted(known), n=1, cutoff=0.5)
                hint = f"; did you mean {near[0]}?" if near else "."
                raise CommandError(f"No kind of item is called {name}{hint}")
        chosen = {
            target.name: target
            for target in reversed(kinds)
            if not names or target.name in names or target.repository.table.name in names
        }
        return [target for _, target in sorted(chosen.items()) if self.concerns(target.codec)]

    def progress(self, at: "Checkpoint") -> None:
        """A line after a page, at most one a second."""
        if at.finished_at is None and self.seconds() - self.told >= SECONDS_BETWEEN_LINES:
            self.told = self.seconds()
            self.console.print(
                f"  page {at.pages}: {at.looked_at} looked at, {at.written} {self.done}, {at.failed} failed"
            )

    def tell(self, target: Target, result: "Checkpoint", *, dry_run: bool) -> None:
        """One line for a kind, and one for each failure."""
        would = "would be " if dry_run else ""
        self.console.print(
            f"{target.name}: {result.looked_at} looked at, {result.written} {would}{self.done}, {result.failed} failed",
            markup=False,
        )
        left_out = result.failed - len(result.failures)
        lines = [f"    {failure.key}: {failure.reason}" for failure in result.failures]
        for line in [*lines, *([f"    and {left_out} more"] if left_out else [])]:
            if not self.as_json:
                self.stderr.write(line)


def _task(target: Target, result: "Checkpoint") -> dict[str, Any]:
    table, _, entity = target.name.partition(".")
    return {
        "table": table,
        "entity": entity,
        "goal": result.goal,
        "lookedAt": result.looked_at,
        "written": result.written,
        "failed": result.failed,
        "failures": [failure.model_dump() for failure in result.failures],
        "startedAt": result.started_at.isoformat(),
    }


def _rate(raw: str) -> float:
    try:
        rate = float(raw)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise ArgumentTypeError(f"{raw!r} is no number of items a second")
    return rate
