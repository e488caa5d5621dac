"""Several writes, to any tables, all or none."""

import uuid
from typing import Any

from botocore.exceptions import ClientError

from apps.errors import DomainError
from apps.storage import backoff
from apps.storage.connection import Store
from apps.storage.errors import Contention, ItemTooLarge, Throttled
from apps.storage.writes import Write

MOST_WRITES = 100
TRIES = 6


class Transaction:
    """Collects writes made by repositories (`adding`, `saving`, `updating` ...) and commits them together."""

    def __init__(self, store: Store, *writes: Write) -> None:
        """Start with these writes; `include` adds more, with the same limit."""
        self.store = store
        self.writes: list[Write] = []
        self.include(*writes)

    def include(self, *writes: Write) -> None:
        """Add writes. Raises `ValueError` past DynamoDB's 100: larger work goes in steps that can be repeated."""
        self.writes += writes
        if len(self.writes) > MOST_WRITES:
            raise ValueError(f"a transaction holds at most {MOST_WRITES} writes, not {len(self.writes)}")

    def commit(self) -> None:
        """Write all, or raise the error of the first write whose condition failed and write none.

        A transaction that meets another write, or a busy store, is repeated a few times before `Contention` or
        `Throttled`. Without writes there is nothing to do.
        """
        if not self.writes:
            return
        token = str(uuid.uuid4())
        items = [
            {write.kind: {**write.request, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}
            if "ConditionExpression" in write.request
            else {write.kind: dict(write.request)}
            for write in self.writes
        ]
        table = "+".join(dict.fromkeys(write.table for write in self.writes))
        passing: DomainError = Contention()
        for attempt in range(TRIES):
            try:
                self.store.call("transact_write_items", table=table, TransactItems=items, ClientRequestToken=token)
            except ClientError as error:
                passing = self._passing(error)
                # A cancelled transaction is over: only a new token starts it afresh.
                token = str(uuid.uuid4())
                backoff.rest(attempt)
            else:
                return
        raise passing

    def _passing(self, error: ClientError) -> DomainError:
        """The domain error behind a cancellation that may pass by itself; raises the one behind any other."""
        reasons: list[Any] = error.response.get("CancellationReasons", [])
        for write, reason in zip(self.writes, reasons, strict=False):
            if reason.get("Code") == "ConditionalCheckFailed":
                raise write.explain(reason.get("Item")) from error
            if reason.get("Code") == "ValidationError" and "Item size" in str(reason.get("Message")):
                raise ItemTooLarge(f"An item of {write.table} is larger than DynamoDB's 400 KB.") from error
        codes = {reason.get("Code") for reason in reasons}
        if "ItemCollectionSizeLimitExceeded" in codes:
            raise ItemTooLarge("The items of one partition exceed what the store allows.") from error
        if codes & {"ThrottlingError", "ProvisionedThroughputExceeded"}:
            return Throttled("The store is busy. Try again in a moment.", retry_after_seconds=2)
        if "TransactionConflict" in codes:
            return Contention()
        raise error
