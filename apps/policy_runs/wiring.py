"""Where the app's default repositories are made."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from apps.policy_runs.asts import ASTS
from apps.policy_runs.registry import synchronise_registry
from apps.policy_runs.stores import Stores, stores_on
from apps.storage.connection import Store, default_store


@lru_cache(maxsize=1)
def _on(store: Store) -> Stores:
    return stores_on(store)


def default_stores() -> Stores:
    """The repositories on this process's store."""
    return _on(default_store())


def synchronise_asts(*, store: Store) -> Sequence[str]:
    """Bring the AST registry up to date with the code; called by `setup_tables`."""
    return synchronise_registry(stores_on(store), asts=ASTS, now=datetime.now(UTC))
