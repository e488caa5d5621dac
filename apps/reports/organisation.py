"""The whole organisation in a season, from the counters that its plans keep."""

from collections.abc import Sequence
from typing import Any, Final

from apps.assessments.entities import Plan, PlanStatus
from apps.reports.charts.distribution import distribution
from apps.reports.reading import OneSeason
from apps.reports.scores import FEWEST_LEVELS, added_up

A_PAGE: Final = 50


def organisation_context(one: OneSeason, *, page: str) -> dict[str, Any]:
    """Levels by category, and how far each plan is: the least complete first, `page` of them (from 1 up).

    Drafts are left out: nobody was asked for anything yet.
    """
    begun = [plan for plan in one.plans if plan.status is not PlanStatus.DRAFT]
    plans = sorted(begun, key=lambda plan: (plan.percent_submitted, plan.plan_name.casefold(), plan.plan_id))
    counts = added_up(plan.level_counts for plan in plans)
    highest = max([FEWEST_LEVELS, *(level for row in counts.values() for level in row)])
    pages = max(1, -(-len(plans) // A_PAGE))
    number = min(max(int(page), 1), pages) if page.isascii() and page.isdigit() and len(page) < 6 else 1  # noqa: PLR2004
    return {
        "one": one,
        "totals": _totals(plans),
        "counts": counts,
        "levels": list(range(1, highest + 1)),
        "distribution": distribution(counts, highest=highest, title=f"How often each level was given in {one.season}")
        if counts
        else "",
        "plans": plans[(number - 1) * A_PAGE : number * A_PAGE],
        "previous_page": number - 1 if number > 1 else None,
        "next_page": number + 1 if number < pages else None,
        "page": number,
        "pages": pages,
        "apart": _apart(plans),
    }


def _totals(plans: Sequence[Plan]) -> dict[str, int]:
    wanted, submitted = sum(plan.assessment_count for plan in plans), sum(plan.submitted for plan in plans)
    return {
        "plans": len(plans),
        "members": sum(plan.member_count for plan in plans),
        "wanted": wanted,
        "submitted": submitted,
        "percent": 100 * submitted // wanted if wanted else 0,
        "reports": sum(plan.report_count for plan in plans),
        "complete": sum(plan.percent_submitted == 100 for plan in plans),  # noqa: PLR2004  (percent)
    }


def _apart(plans: Sequence[Plan]) -> list[tuple[str, list[str]]]:
    """Where plans were made by several versions of the ladder: each version, and the categories that only it has.

    Told by what was scored: a version without a report yet has none.
    """
    by_version: dict[str, set[str]] = {}
    for plan in plans:
        by_version.setdefault(plan.config_version, set()).update(plan.level_counts)
    if len(by_version) < 2:  # noqa: PLR2004  (nothing to compare)
        return []
    return [
        (version, sorted(titles - set().union(*(row for other, row in by_version.items() if other != version))))
        for version, titles in sorted(by_version.items())
    ]
