"""The difference between a declared table and the real one, and what may be done about it.

One list serves both commands: verification prints it, setup carries out what is safe and explains the rest.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from apps.storage.schema.describe import ACTIVE, PROTECTION, RECOVERY, TTL, RealIndex, RealTable
from apps.storage.table import Index, Key, Recovery, Table

APPLICATION = "Rungs"
ON_DEMAND = "PAY_PER_REQUEST"
RUN_SETUP = "Run: manage.py setup_tables"


class Action(StrEnum):
    """What setup can do to an existing table without harm."""

    ADD_INDEX = "add index"
    BILL_ON_DEMAND = "bill on demand"
    ENABLE_TTL = "enable TTL"
    ENABLE_RECOVERY = "enable point-in-time recovery"
    TAG = "tag"
    PROTECT = "protect from deletion"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; `target` is the index or attribute it is about."""

    action: Action
    target: str = ""

    def __str__(self) -> str:
        return f"{self.action} {self.target}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as declared.

    With a `step`, setup does it. Without one it is left to a person: `blocks` says whether the application would go
    wrong until then.
    """

    message: str
    remedy: str
    step: Step | None = None
    blocks: bool = False

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}"


def wanted_tags(environment: str) -> Mapping[str, str]:
    """The tags that every table carries."""
    return {"Environment": environment, "Application": APPLICATION}


def differences(table: Table, real: RealTable, *, environment: str) -> tuple[Difference, ...]:
    """Everything in which `real` is not as `table` declares for `environment`, leaving out what the engine lacks."""
    return (
        *_keys(table, real),
        *_billing(real),
        *_indexes(table, real),
        *_ttl(table, real),
        *_recovery(table, real, environment),
        *_tags(real, environment),
        *_protection(real, environment),
    )


def steps(found: Sequence[Difference]) -> tuple[Step, ...]:
    """What setup would do about these differences, in order."""
    return tuple(difference.step for difference in found if difference.step is not None)


def lacking(table: Table, real: RealTable, *, environment: str) -> tuple[str, ...]:
    """Capabilities that are declared for this table and that the engine does not have: neither drift nor failure."""
    unwanted = {
        TTL: table.ttl is None,
        RECOVERY: not table.wants_recovery(environment),
        PROTECTION: environment != "prod",
    }
    return tuple(name for name in real.unsupported if not unwanted.get(name, False))


def _keys(table: Table, real: RealTable) -> Iterator[Difference]:
    if real.keys != table.keys:
        yield Difference(
            message=f"Its key is {_plain(real.keys)}, but {_plain(table.keys)} is declared.",
            remedy=(
                "DynamoDB cannot change a table's key: copy what it holds into a new table and map that one's name in "
                "RUNGS_TABLE_NAMES, or, if it holds nothing, delete it and run manage.py setup_tables."
            ),
            blocks=True,
        )


def _billing(real: RealTable) -> Iterator[Difference]:
    if real.billing_mode != ON_DEMAND:
        yield Difference(
            message=f"Its billing mode is {real.billing_mode}, but {ON_DEMAND} is declared.",
            remedy=RUN_SETUP,
            step=Step(Action.BILL_ON_DEMAND),
        )


def _indexes(table: Table, real: RealTable) -> Iterator[Difference]:
    for index in table.indexes:
        found = real.indexes.get(index.name)
        if found is None:
            yield Difference(
                message=f"Index {index.name} is missing.", remedy=RUN_SETUP, step=Step(Action.ADD_INDEX, index.name)
            )
        else:
            yield from _index(index, found)
    for name in sorted(real.indexes.keys() - {index.name for index in table.indexes}):
        yield Difference(
            message=f"Index {name} exists but is not declared.",
            remedy="Declare it in tables.py, or drop it yourself when nothing reads it; it costs storage and writes.",
        )


def _index(index: Index, found: RealIndex) -> Iterator[Difference]:
    by_hand = (
        "DynamoDB cannot change an index: drop it yourself when nothing reads it and run manage.py setup_tables, "
        "which builds it anew."
    )
    if found.keys != index.keys:
        yield Difference(
            message=f"Index {index.name} has the key {_plain(found.keys)}, but {_plain(index.keys)} is declared.",
            remedy=by_hand,
            blocks=True,
        )
    declared = None if index.include is None else tuple(sorted(index.include))
    if found.include != declared:
        yield Difference(
            message=f"Index {index.name} carries {_carried(found.include)}, but {_carried(declared)} is declared.",
            remedy=by_hand,
            blocks=True,
        )
    if found.status != ACTIVE:
        yield Difference(
            message=f"Index {index.name} is {found.status}.",
            remedy="Wait until DynamoDB has finished, then verify again.",
        )


def _ttl(table: Table, real: RealTable) -> Iterator[Difference]:
    actual = real.ttl if real.ttl_status in {"ENABLED", "ENABLING"} else None
    if real.ttl_status == "UNKNOWN" or actual == table.ttl:
        return
    if actual is None:
        yield Difference(
            message=f"Items do not expire by {table.ttl}: TTL is {real.ttl_status.lower()}.",
            remedy=RUN_SETUP,
            step=Step(Action.ENABLE_TTL, str(table.ttl)),
        )
    else:
        yield Difference(
            message=f"Items expire by {actual}, but {table.ttl or 'no expiry'} is declared.",
            remedy=(
                f"Disable TTL yourself (aws dynamodb update-time-to-live --table-name {real.name} "
                f"--time-to-live-specification Enabled=false,AttributeName={actual}), wait an hour as AWS demands, "
                "then run manage.py setup_tables."
            ),
            blocks=True,
        )


def _recovery(table: Table, real: RealTable, environment: str) -> Iterator[Difference]:
    if real.has_recovery is False and table.wants_recovery(environment):
        yield Difference(message="Point-in-time recovery is off.", remedy=RUN_SETUP, step=Step(Action.ENABLE_RECOVERY))
    if real.has_recovery and table.recovery is Recovery.NEVER:
        yield Difference(
            message="Point-in-time recovery is on, but what this table holds must not be kept.",
            remedy=(
                f"Turn it off yourself (aws dynamodb update-continuous-backups --table-name {real.name} "
                "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=false)."
            ),
        )


def _tags(real: RealTable, environment: str) -> Iterator[Difference]:
    if real.tags is None:
        return
    for name, value in wanted_tags(environment).items():
        if real.tags.get(name) != value:
            yield Difference(
                message=f"Its tag {name} is {real.tags.get(name, 'missing')}, but {value} is declared.",
                remedy=RUN_SETUP,
                step=Step(Action.TAG, f"{name}={value}"),
            )


def _protection(real: RealTable, environment: str) -> Iterator[Difference]:
    if environment == "prod" and real.is_protected is False:
        yield Difference(message="It is not protected from deletion.", remedy=RUN_SETUP, step=Step(Action.PROTECT))


def _plain(keys: Sequence[Key]) -> str:
    return ", ".join(f"{key.name} ({key.type.value})" for key in keys)


def _carried(include: Sequence[str] | None) -> str:
    if include is None:
        return "all attributes"
    return ", ".join(include) or "only the keys"
