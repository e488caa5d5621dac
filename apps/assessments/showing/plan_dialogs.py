"""What each change of a plan asks before it is done: what it will create, what will go, whom it writes to."""

from dataclasses import dataclass
from typing import Final

from apps.assessments.entities import PlanStatus
from apps.assessments.showing.plan_board import Board

MOST_NAMES: Final = 12


@dataclass(frozen=True, slots=True)
class Dialog:
    """A question before a deed: `name` is the deed's address too; `keep` and `does` are its two buttons."""

    name: str
    heading: str
    text: str
    keep: str
    does: str
    bad: bool = False


def dialogs_for(board: Board, *, may_activate: bool, may_remind: bool) -> list[Dialog]:
    """What can be done with this plan now."""
    status = board.plan.status
    if status is PlanStatus.DRAFT:
        return [*([_activate(board)] if may_activate else []), _DELETE]
    if status is PlanStatus.ACTIVE:
        return [*([_remind(board)] if may_remind else []), _complete(board)]
    return [_ARCHIVE] if status is PlanStatus.COMPLETED else []


def _activate(board: Board) -> Dialog:
    members = len(board.team.member_ids) if board.team else 0
    who = "the one member is" if members == 1 else f"each of the {members} members is"
    manager = board.name(board.team.manager_id) if board.team else ""
    text = (
        f"It creates {2 * members} assessments: {who} asked for their own, and {manager} for one of each member. "
        "Season, start and ladder stay from then on. A plan cannot become a draft again."
    )
    return Dialog("activate", "Activate this plan?", text, "Keep the draft", "Activate")


def _remind(board: Board) -> Dialog:
    names = board.awaited
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    goes = "One e-mail goes to one person" if len(names) == 1 else f"One e-mail goes to each of {len(names)} people"
    text = f"{goes}, with links to what waits for them: {', '.join(names[:MOST_NAMES])}{more}."
    return Dialog("remind", "Remind who has not submitted?", text, "Do not remind", "Send reminders")


def _complete(board: Board) -> Dialog:
    left = board.unfinished
    if not left:
        text = "Everything is submitted. No assessment can be reopened afterwards. This cannot be undone."
        return Dialog("complete", "Complete this plan?", text, "Keep it active", "Complete")
    what = (
        "1 assessment is not submitted: it stays" if left == 1 else f"{left} assessments are not submitted: they stay"
    )
    text = f"{what} unfinished and locked, without a report. What was written is kept. This cannot be undone."
    return Dialog("complete", "Complete this plan?", text, "Keep it active", "Complete", bad=True)


_DELETE: Final = Dialog(
    "delete",
    "Delete this draft?",
    "The draft goes for good. No assessment was created from it.",
    "Keep the draft",
    "Delete draft",
    bad=True,
)
_ARCHIVE: Final = Dialog(
    "archive",
    "Archive this plan?",
    "It leaves the list of completed plans. Plan, assessments and reports can still be read. This cannot be undone.",
    "Keep it as it is",
    "Archive",
)
