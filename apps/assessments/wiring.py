"""Where the app's default repositories are made."""

from datetime import datetime
from functools import lru_cache

from apps.assessments.services import activation
from apps.assessments.stores import Stores, stores_on
from apps.storage.connection import Store, default_store


@lru_cache(maxsize=1)
def _on(store: Store) -> Stores:
    return stores_on(store)


def default_stores() -> Stores:
    """The repositories on this process's store."""
    return _on(default_store())


def follow_team(team_id: str, *, now: datetime) -> None:
    """Let plans under way follow a team; called after each change of one. Raises domain errors."""
    activation.follow_team(default_stores(), team_id=team_id, now=now)
