"""Where the app's default repositories are made."""

from functools import lru_cache

from apps.ladders.stores import Stores, stores_on
from apps.storage.connection import Store, default_store


@lru_cache(maxsize=1)
def _on(store: Store) -> Stores:
    return stores_on(store)


def default_stores() -> Stores:
    """The repositories on this process's store."""
    return _on(default_store())
