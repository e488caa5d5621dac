"""Where the app's default repositories are made, and who hears of a team that changed."""

import logging
from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.utils.module_loading import import_string

from apps.errors import DomainError
from apps.storage.connection import Store, default_store
from apps.teams.stores import Stores, stores_on

logger = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def _on(store: Store) -> Stores:
    return stores_on(store)


def default_stores() -> Stores:
    """The repositories on this process's store."""
    return _on(default_store())


def after_change(team_id: str, *, now: datetime) -> None:
    """Let those follow a change of the team's members or manager who stand above (`TEAMS["AFTER_CHANGE"]`).

    To be called once the change is written. What they cannot do now is logged and no error: the team stays marked as
    unsettled until somebody has followed it.
    """
    for path in settings.TEAMS["AFTER_CHANGE"]:
        try:
            import_string(path)(team_id, now=now)
        except DomainError as error:
            logger.warning("%s could not follow team %s yet: %s", path, team_id, error.message)
