"""A table as it really is at the endpoint, as one value."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from apps.storage.connection import Store
from apps.storage.errors import TableMissing, Unsupported
from apps.storage.table import AttributeType, Key, Table

ACTIVE = "ACTIVE"
RECOVERY, TTL, TAGS, PROTECTION = "point-in-time recovery", "TTL", "tags", "deletion protection"


@dataclass(frozen=True, slots=True, kw_only=True)
class RealIndex:
    """A global secondary index as found; `include` as in `table.Index`."""

    name: str
    keys: tuple[Key, ...]
    include: tuple[str, ...] | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RealTable:
    """A table as found. `items` and `size_bytes` are DynamoDB's own, some hours old on AWS.

    `unsupported` names what this engine cannot tell; the attributes concerned are None then.
    """

    name: str
    arn: str
    status: str
    keys: tuple[Key, ...]
    definitions: tuple[Key, ...]
    indexes: Mapping[str, RealIndex]
    billing_mode: str
    items: int
    size_bytes: int
    is_protected: bool | None
    ttl: str | None = None
    ttl_status: str = "DISABLED"
    has_recovery: bool | None = None
    tags: Mapping[str, str] | None = None
    unsupported: tuple[str, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether the table and all its indexes are ACTIVE."""
        return self.status == ACTIVE and all(index.status == ACTIVE for index in self.indexes.values())


def describe_structure(store: Store, table: Table) -> RealTable | None:
    """Keys, indexes, billing and status in one request; None where the table does not exist."""
    try:
        answer = store.call("describe_table", table=table.name, TableName=store.physical(table))
    except TableMissing:
        return None
    return _structure(answer["Table"])


def describe(store: Store, table: Table) -> RealTable | None:
    """Everything about a table, in four requests; None where it does not exist. Raises the store's `DomainError`s."""
    real = describe_structure(store, table)
    if real is None:
        return None
    ask = partial(store.call, table=table.name)
    unsupported = [PROTECTION] if real.is_protected is None else []
    ttl, ttl_status, has_recovery, tags = None, "UNKNOWN", None, None
    try:
        found = ask("describe_time_to_live", TableName=real.name)["TimeToLiveDescription"]
        ttl, ttl_status = found.get("AttributeName"), found.get("TimeToLiveStatus", "DISABLED")
    except Unsupported:
        unsupported.append(TTL)
    try:
        backups = ask("describe_continuous_backups", TableName=real.name)["ContinuousBackupsDescription"]
        status = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        has_recovery = status == "ENABLED"
    except Unsupported:
        unsupported.append(RECOVERY)
    try:
        tags = _tags(store, table, real.arn)
    except Unsupported:
        unsupported.append(TAGS)
    return replace(
        real, ttl=ttl, ttl_status=ttl_status, has_recovery=has_recovery, tags=tags, unsupported=tuple(unsupported)
    )


def _tags(store: Store, table: Table, arn: str) -> dict[str, str]:
    tags: dict[str, str] = {}
    more: dict[str, Any] = {}
    while True:
        answer = store.call("list_tags_of_resource", table=table.name, ResourceArn=arn, **more)
        tags |= {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])}
        if not answer.get("NextToken"):
            return tags
        more = {"NextToken": answer["NextToken"]}


def _structure(found: Mapping[str, Any]) -> RealTable:
    types = {part["AttributeName"]: AttributeType(part["AttributeType"]) for part in found["AttributeDefinitions"]}
    return RealTable(
        name=found["TableName"],
        arn=found.get("TableArn", ""),
        status=found["TableStatus"],
        keys=_keys(found["KeySchema"], types),
        definitions=tuple(Key(name, kind) for name, kind in types.items()),
        indexes={
            index["IndexName"]: RealIndex(
                name=index["IndexName"],
                keys=_keys(index["KeySchema"], types),
                include=_include(index["Projection"]),
                status=index.get("IndexStatus", ACTIVE),
            )
            for index in found.get("GlobalSecondaryIndexes") or ()
        },
        # AWS leaves the summary out for tables that were always provisioned.
        billing_mode=found.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        items=int(found.get("ItemCount", 0)),
        size_bytes=int(found.get("TableSizeBytes", 0)),
        is_protected=found.get("DeletionProtectionEnabled"),
    )


def _keys(schema: Iterable[Mapping[str, str]], types: Mapping[str, AttributeType]) -> tuple[Key, ...]:
    ordered = sorted(schema, key=lambda part: part["KeyType"] != "HASH")
    # An engine may forget the type of a key; a string is then as good a guess as any and shows up as a difference.
    return tuple(Key(part["AttributeName"], types.get(part["AttributeName"], AttributeType.STRING)) for part in ordered)


def _include(projection: Mapping[str, Any]) -> tuple[str, ...] | None:
    kind = projection.get("ProjectionType", "ALL")
    return None if kind == "ALL" else tuple(sorted(projection.get("NonKeyAttributes") or ()))
