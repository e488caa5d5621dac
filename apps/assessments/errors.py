"""What can go wrong with plans, assessments and reports."""

from collections.abc import Mapping, Sequence

from apps.errors import Conflict, Invalid, NotFound


class PlanNotFound(NotFound):
    """There is no such plan, or this person may not see it: which of these is never told."""

    code = "plan_not_found"

    def __init__(self) -> None:
        """One sentence for every cause."""
        super().__init__("There is no such plan.")


class AssessmentNotFound(NotFound):
    """There is no such assessment, or this person may not see it: which of these is never told."""

    code = "assessment_not_found"

    def __init__(self) -> None:
        """One sentence for every cause."""
        super().__init__("There is no such assessment.")


class ReportNotFound(NotFound):
    """There is no such report, or this person may not see it: which of these is never told."""

    code = "report_not_found"

    def __init__(self) -> None:
        """One sentence for every cause."""
        super().__init__("There is no such report.")


class InvalidPlan(Invalid):
    """A plan that cannot be so; `field` says what is wrong with it."""

    code = "invalid_plan"


class PlanRefused(Conflict):
    """What is wanted of the plan does not go with the state it is in; `message` says why and what to do."""

    code = "plan_refused"


class InvalidAnswer(Invalid):
    """An answer that the ladder has no place for, or that is too long; `details` has each with its competency."""

    code = "invalid_answer"


class AnswersChanged(Conflict):
    """Some answers were changed elsewhere; `details` has what became of each, and what is stored now."""

    code = "answers_changed"

    def __init__(self, outcomes: Sequence[Mapping[str, object]]) -> None:
        """`outcomes` are those of every answer that was sent: what was saved stays saved."""
        super().__init__("Some of these answers were changed elsewhere meanwhile. Choose which version stays.")
        self.outcomes = tuple(outcomes)

    def details(self) -> Sequence[Mapping[str, object]]:
        """The outcomes."""
        return self.outcomes


class Incomplete(Invalid):
    """An assessment that cannot be submitted yet; `details` has what is missing."""

    code = "incomplete"


class AssessmentLocked(Conflict):
    """The assessment takes no more answers: it was submitted, or its plan has ended."""

    code = "assessment_locked"


class NotReopened(Conflict):
    """The assessment cannot be reopened: it is open, its plan has ended, or nobody could change it."""

    code = "not_reopened"


class ReportNotReady(Conflict):
    """There is no report before both assessments are submitted."""

    code = "report_not_ready"
