"""Does each table stand as it is declared? Nothing is changed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from apps.storage.connection import Store
from apps.storage.schema.describe import ACTIVE, RealTable, describe
from apps.storage.schema.plan import RUN_SETUP, differences, lacking
from apps.storage.table import Table

TABLES_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What verification found out about one table; `real` is None where it does not exist.

    `unsupported` names declared capabilities that this engine lacks, so that they could not be checked.
    """

    table: Table
    physical: str
    real: RealTable | None
    issues: tuple[str, ...]
    unsupported: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing is missing or different."""
        return not self.issues

    @property
    def status(self) -> str:
        """DynamoDB's own status, or MISSING."""
        return "MISSING" if self.real is None else self.real.status


def verify(store: Store, table: Table) -> Check:
    """Compare one table with its declaration. Raises the store's `DomainError`s where it cannot be looked at."""
    real = describe(store, table)
    physical = store.physical(table)
    if real is None:
        return Check(table=table, physical=physical, real=None, issues=(f"The table is missing. {RUN_SETUP}",))
    issues = [str(difference) for difference in differences(table, real, environment=store.environment)]
    if real.status != ACTIVE:
        issues.insert(0, f"The table is {real.status}. Wait until DynamoDB has finished, then verify again.")
    unsupported = lacking(table, real, environment=store.environment)
    return Check(table=table, physical=physical, real=real, issues=tuple(issues), unsupported=unsupported)


def verify_all(store: Store, tables: Sequence[Table]) -> tuple[Check, ...]:
    """Compare tables with their declarations, several at once, in the order given."""
    with ThreadPoolExecutor(max_workers=TABLES_AT_ONCE) as pool:
        return tuple(pool.map(lambda table: verify(store, table), tables))
