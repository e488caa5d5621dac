"""Bring stored items to the form that this release writes."""

from typing import TYPE_CHECKING, Any

from apps.storage.management.sweep_command import SweepCommand, Target

if TYPE_CHECKING:
    from apps.storage.connection import Store
    from apps.storage.items.codec import Codec
    from apps.storage.requests.writing import Writer
    from apps.storage.upkeep.backfill import Change


class Command(SweepCommand):
    help = (
        "Rewrite items of earlier schema versions in the form that this release writes. Reads whole tables page by "
        "page; stopped or killed, it goes on where it was at the next start."
    )
    done = "upgraded"
    nothing = "No kind of item has upgrades: there is nothing to do."

    def passes(self, target: Target, store: "Store") -> "list[tuple[Writer[Any], Change]]":
        from apps.storage.upkeep.backfill import Upgrading  # noqa: PLC0415  (boto3: not for --help)

        return [(target.repository(store), Upgrading())]

    def concerns(self, codec: "Codec[Any]") -> bool:
        return codec.schema is not None
