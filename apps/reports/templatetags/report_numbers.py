"""Numbers of reports in templates: `{{ difference|signed }}`, `{{ mean|score }}`, `{{ names|get:id }}`."""

from collections.abc import Mapping
from typing import Any

from django import template

from apps.assessments.entities import Plan, Report
from apps.assessments.showing.plan_words import State, plan_state
from apps.assessments.variance import Variance
from apps.reports.charts.drawing import said

register = template.Library()

DASH = "\N{EN DASH}"


@register.filter
def signed(number: int | None) -> str:
    """A difference with its sign: +3, 0, or with a minus sign; a dash where there is none."""
    if number is None:
        return DASH
    return f"{number:+d}".replace("-", "\N{MINUS SIGN}") if number else "0"


@register.filter
def score(number: float | None) -> str:
    """A level, or a mean of levels to one decimal; a dash where there is none."""
    return said(number)


@register.filter
def get(mapping: Mapping[Any, Any], key: Any) -> Any:
    """What a mapping has for a key; nothing where it has nothing."""
    return mapping.get(key, "")


@register.filter
def state(plan: Plan) -> State:
    """What the state of a plan is called, and its icon."""
    return plan_state(plan)


@register.filter
def size(number: int) -> int:
    """How large a difference is, whoever's level is the higher one."""
    return abs(number)


@register.filter
def apart(report: Report) -> int:
    """The manager's level of a report minus one's own."""
    return report.final_level - report.self_assessed_level


@register.filter
def competencies(variance: Variance) -> int:
    """How many competencies both scored."""
    return sum(len(row) for row in variance.values())
