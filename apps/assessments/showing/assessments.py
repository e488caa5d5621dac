"""An assessment as its pages show it: category by category, with how far each is and what the other view says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from django.utils import timezone

from apps.accounts.entities import User
from apps.accounts.permissions import Permission, allowed
from apps.assessments.entities import LONGEST_ANSWER, LONGEST_TEXT, Answer, Assessment, AssessmentType
from apps.assessments.services.opening import Opened
from apps.assessments.services.submitting import missing
from apps.ladders.ladder import Category, Competency, Ladder, Place

GONE = "Somebody who is gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCompetency:
    """A competency with the answer to show, in the revision that it stands on; `number` counts from 1.

    `theirs` is the other view's answer where it may be read beside; `stored` the one that was written elsewhere
    meanwhile; `errors` say what is wrong, by field.
    """

    number: int
    competency: Competency
    category: str
    answer: Answer
    revision: int
    theirs: Answer | None = None
    stored: Answer | None = None
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCategory:
    """A category and how many of its competencies have a level."""

    category: Category
    answered: int
    is_current: bool = False

    @property
    def total(self) -> int:
        """How many competencies it has."""
        return len(self.category.competencies)

    @property
    def is_done(self) -> bool:
        """Whether each of them has a level."""
        return self.answered == self.total


def categories_of(assessment: Assessment, ladder: Ladder, current: Category | None = None) -> list[ShownCategory]:
    """Every category with its progress."""
    return [
        ShownCategory(
            category=category,
            answered=sum(
                assessment.answer((category.title, one.title)).level is not None for one in category.competencies
            ),
            is_current=category is current,
        )
        for category in ladder.categories
    ]


def category_to_show(assessment: Assessment, ladder: Ladder, asked: str) -> Category:
    """The category that was asked for, else where the assessor left, else the first one with something missing."""
    left = next(iter(missing(assessment, ladder)), None)
    titles = (asked, assessment.resume_at, left[0] if left else "")
    found = next((category for title in titles if (category := ladder.category(title)) is not None), None)
    return found or ladder.categories[0]


def competencies_of(category: Category, opened: Opened, *, by: User) -> list[ShownCompetency]:
    """The category's competencies with the stored answers."""
    theirs = beside(opened, by=by)
    return [
        ShownCompetency(
            number=number,
            competency=competency,
            category=category.title,
            answer=opened.assessment.answer(place),
            revision=opened.assessment.revision(place),
            theirs=theirs.answer(place) if theirs else None,
        )
        for number, (place, competency) in enumerate(_places(category), 1)
    ]


def beside(opened: Opened, *, by: User) -> Assessment | None:
    """The member's own view, to be read beside the manager's once it is submitted; before, it may still change."""
    if opened.assessment.assessment_type is not AssessmentType.MANAGER:
        return None
    other = opened.other_seen_by(by)
    return other if other is not None and other.is_submitted else None


def frame_of(opened: Opened, *, by: User, now: datetime) -> dict[str, object]:
    """What every page of an assessment says of it."""
    assessment, plan = opened.assessment, opened.plan
    own = assessment.assessment_type is AssessmentType.SELF
    name = opened.member.name if opened.member else GONE
    is_mine = assessment.team_member_id == by.user_id
    own_view = opened.other_seen_by(by) if not own else None
    return {
        "assessment": assessment,
        "plan": plan,
        "team": opened.team,
        "member_name": name,
        "assessor_name": opened.assessor.name if opened.assessor else GONE,
        "title": "My self-assessment" if own and is_mine else f"Self-assessment of {name}" if own else name,
        "is_own": own,
        "own_view": own_view,
        "report": opened.report if allowed(by, Permission.REPORT_SEE, opened.thing) else None,
        "is_overdue": not assessment.is_submitted and plan.is_overdue(today(now)),
        "may_fill_in": opened.may_be_filled_in_by(by) and opened.is_open,
        "longest_answer": LONGEST_ANSWER,
        "longest_text": LONGEST_TEXT,
    }


def today(now: datetime) -> date:
    """The day it is for the reader."""
    return timezone.localtime(now).date()


def neighbours(category: Category, ladder: Ladder) -> tuple[Category | None, Category | None]:
    """The categories before and after this one."""
    at = ladder.categories.index(category)
    before = ladder.categories[at - 1] if at else None
    return before, ladder.categories[at + 1] if at + 1 < len(ladder.categories) else None


def _places(category: Category) -> list[tuple[Place, Competency]]:
    return [((category.title, one.title), one) for one in category.competencies]
