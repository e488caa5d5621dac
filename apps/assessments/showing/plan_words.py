"""How pages say when a plan is due, and what a state is called."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from apps.assessments.entities import Assessment, AssessmentStatus, Plan, PlanStatus

SOON_DAYS = 7

# What a state is called, and its icon: the style sheet knows states by the icon's name.
PLAN_STATES: Final = {
    PlanStatus.DRAFT: ("Draft", "pending"),
    PlanStatus.ACTIVE: ("Active", "running"),
    PlanStatus.COMPLETED: ("Completed", "success"),
    PlanStatus.ARCHIVED: ("Archived", "skipped"),
}
ASSESSMENT_STATES: Final = {
    AssessmentStatus.NOT_STARTED: ("Not started", "pending"),
    AssessmentStatus.IN_PROGRESS: ("In progress", "running"),
    AssessmentStatus.SUBMITTED: ("Submitted", "success"),
}
UNFINISHED: Final = ("Left unfinished", "skipped")


@dataclass(frozen=True, slots=True)
class State:
    """A state as a page shows it."""

    word: str
    icon: str


def plan_state(plan: Plan) -> State:
    """The plan's."""
    return State(*PLAN_STATES[plan.status])


def assessment_state(one: Assessment) -> State:
    """An assessment's."""
    return State(*(UNFINISHED if one.ended_at and not one.is_submitted else ASSESSMENT_STATES[one.status]))


def due_words(plan: Plan, today: date) -> str:
    """How long it is until the end of an active plan: `in 5 days`, `today`, `3 days overdue`; empty for others."""
    if plan.status is not PlanStatus.ACTIVE:
        return ""
    days = (plan.end_date - today).days
    if days in {0, 1}:
        return "tomorrow" if days else "today"
    number = f"{abs(days)} day{'' if abs(days) == 1 else 's'}"
    return f"{number} overdue" if days < 0 else f"in {number}"


def is_due_soon(plan: Plan, today: date) -> bool:
    """Whether an active plan ends within a week, or should have ended."""
    return plan.status is PlanStatus.ACTIVE and (plan.end_date - today).days <= SOON_DAYS
