"""One's own levels over the seasons, as a small chart."""

from collections.abc import Sequence

from django.conf import settings
from django.utils.safestring import SafeString

from apps.assessments.entities import Report
from apps.reports.charts.pairs import Pair
from apps.reports.charts.trend import trend

FEWEST = 2


def own_trend(reports: Sequence[Report]) -> SafeString | None:
    """The chart of these reports, the first season first; None while there is nothing to compare."""
    if len(reports) < FEWEST:
        return None
    pairs = [Pair(title=one.season, own=one.self_assessed_level, manager=one.final_level) for one in reports]
    return trend(pairs, levels=settings.LEVEL_NAMES, title="Your level, season by season")
