"""A season to plan."""

import pytest

from apps.storage.connection import Store
from tests.assessments.plans.planning import Season, season_on


@pytest.fixture
def season(store: Store) -> Season:
    """A manager with a team of two, and an active ladder."""
    return season_on(store)
