"""What this process asks of the store, as counters for Prometheus."""

from collections.abc import Collection
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from apps.errors import Conflict, DomainError
from apps.storage.metering import Exchange

# From a local engine's millisecond to a request that used up its retries.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
OTHER = "other"
_REFUSALS = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})


class StoreMetrics:
    """Counts every exchange it is shown; its labels hold only what the code declares, never a key or a value."""

    def __init__(self, *, tables: Collection[str], registry: CollectorRegistry) -> None:
        """`tables` are the declared names that may stand in a label; any other is `other`."""
        self.tables = frozenset(tables)
        self.requests = Counter(
            "rungs_store_requests",
            "Requests to the store; a transaction counts once for each of its tables. "
            "The outcome is ok, refused (by a condition or another write in the way), throttled or failed.",
            ("table", "operation", "outcome"),
            registry=registry,
        )
        self.units = Counter(
            "rungs_store_capacity_units",
            "Capacity consumed, as the store tells it, of kind read or write; the index is empty for the table itself.",
            ("table", "index", "kind"),
            registry=registry,
        )
        self.seconds = Histogram(
            "rungs_store_request_seconds",
            "How long requests to the store took, with all their retries.",
            ("operation",),
            registry=registry,
            buckets=SECONDS,
        )

    def saw(self, exchange: Exchange) -> None:
        """Count one request."""
        outcome = outcome_of(exchange)
        self.seconds.labels(exchange.operation).observe(exchange.seconds)
        for table in exchange.table.split("+"):
            self.requests.labels(self._known(table), exchange.operation, outcome).inc()
        for share in exchange.shares:
            table = self._known(share.table)
            for kind, units in (("read", share.read_units), ("write", share.write_units)):
                if units:
                    self.units.labels(table, share.index, kind).inc(units)

    def _known(self, table: str) -> str:
        return table if table in self.tables else OTHER


def outcome_of(exchange: Exchange) -> str:
    """How a request ended: `ok`, `refused`, `throttled` or `failed`."""
    error: Any = exchange.error
    if exchange.answer is not None:
        return "ok"
    if isinstance(error, DomainError):
        if isinstance(error, Conflict):
            return "refused"
        return "throttled" if error.code == "throttled" else "failed"
    response = getattr(error, "response", None) or {}  # a refused condition comes as botocore raised it
    return "refused" if response.get("Error", {}).get("Code") in _REFUSALS else "failed"
