"""Seal stored secrets with today's key."""

from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any

from apps.storage.management.sweep_command import SweepCommand, Target
from apps.storage.management.table_command import FAILURE, plural

if TYPE_CHECKING:
    from apps.storage.connection import Store
    from apps.storage.items.codec import Codec
    from apps.storage.requests.writing import Writer
    from apps.storage.table import Table
    from apps.storage.upkeep.backfill import Change


class Command(SweepCommand):
    help = (
        "Encrypt stored secrets anew that were encrypted with a former key, so that it can be taken away. Start every "
        "Rungs process with the new key first. Reads whole tables page by page; stopped, it goes on where it was."
    )
    done = "encrypted anew"
    nothing = "No kind of item has secrets: there is nothing to do."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--check", action="store_true", help="only count the items whose secrets need a former key")

    def passes(self, target: Target, store: "Store") -> "list[tuple[Writer[Any], Change]]":
        from apps.storage.upkeep.reencrypt import passes  # noqa: PLC0415  (boto3: not for --help)

        return passes(target.repository(store))

    def concerns(self, codec: "Codec[Any]") -> bool:
        return bool(codec.secrets)

    def work(self, store: "Store", tables: tuple["Table", ...], options: dict[str, Any]) -> None:
        self.dry_run: bool = options["dry_run"]
        if not options["check"]:
            return super().work(store, tables, options)
        self.dry_run = False
        found, sentence, is_well = self.closing(store, self.targets(tables, options["targets"]))
        document = {"success": is_well, **found, "totalDurationMs": self.milliseconds()}
        return self.finish(document, sentence, code=0 if is_well else FAILURE)

    def closing(self, store: "Store", targets: list[Target]) -> tuple[dict[str, Any], str, bool]:
        from apps.storage.upkeep.reencrypt import count_former  # noqa: PLC0415

        left = {target.name: count_former(target.repository(store)) for target in targets}
        total = sum(left.values())
        where = ", ".join(f"{number} in {name}" for name, number in left.items() if number)
        sentence = (
            f"{plural(total, 'item')} still {'needs' if total == 1 else 'need'} a former key: {where}."
            if total
            else "No secret needs a former key any more."
        )
        return {"needFormerKey": left}, sentence, not total or self.dry_run
