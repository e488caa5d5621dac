"""What is done with reports; each is recorded in the transaction of the change.

The audit log says that notes were written and that something was handed out, not what stands in it: it is about people.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from apps.accounts.entities import User
from apps.accounts.permissions import Permission, require
from apps.assessments.access import OfTeam, concerning
from apps.assessments.entities import Plan, Report
from apps.assessments.errors import ReportNotFound
from apps.assessments.stores import Stores
from apps.audit.entities import Actor
from apps.errors import Invalid, NotFound
from apps.reports.errors import NotesChanged
from apps.storage.conditions import Update
from apps.storage.errors import Contention, StaleVersion
from apps.storage.transaction import Transaction
from apps.teams.entities import Team

TRIES: Final = 5
FARTHEST_AHEAD: Final = timedelta(hours=14)
"""Of all clocks on earth: where they go, a day has begun that is not there yet by UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What is written after manager and member have met: when that was, what was said, what was agreed (Markdown)."""

    discussed_on: date | None = None
    discussion_notes: str = ""
    next_steps: str = ""

    @classmethod
    def of(cls, report: Report) -> "Notes":
        """Those that a report has."""
        return cls(
            discussed_on=report.discussed_on,
            discussion_notes=report.discussion_notes,
            next_steps=report.next_steps,
        )


def discuss(
    stores: Stores, *, report_id: str, notes: Notes, revision: int, user: User, actor: Actor, now: datetime
) -> Report:
    """Put these notes in place of those of this revision.

    Raises `NotesChanged` where others were written meanwhile, `Invalid` for a day to come, `ReportNotFound`,
    `Forbidden`, `Contention`.
    """
    for _ in range(TRIES):
        report = stores.reports.find(report_id, consistent=True)
        if report is None:
            raise ReportNotFound
        team = stores.teams.find(report.team_id, consistent=True)
        _require_discussing(user, concerning(team, report))
        before = Notes.of(report)
        if before == notes:
            return report
        if report.notes_revision != revision:
            raise NotesChanged(report)
        if notes.discussed_on is not None and notes.discussed_on > (now + FARTHEST_AHEAD).date():
            raise Invalid("Enter the day on which you met: it cannot lie in the future.", field="discussed_on")
        changed = report.evolve(
            discussed_on=notes.discussed_on,
            discussion_notes=notes.discussion_notes,
            next_steps=notes.next_steps,
            notes_revision=revision + 1,
            updated_at=now,
        )
        told = {
            "discussed_on": notes.discussed_on,
            "notes": "changed" if notes.discussion_notes != before.discussion_notes else None,
            "next_steps": "changed" if notes.next_steps != before.next_steps else None,
        }
        entry = stores.audit.recording(
            f"AssessmentReports#{report_id}", action="report.discussed", actor=actor, at=now, after=told
        )
        try:
            return stores.reports.save(changed, entry)
        except StaleVersion:  # made anew or exported meanwhile, which does not touch the notes: look again
            continue
    raise Contention


def _require_discussing(user: User, about: OfTeam) -> None:
    try:
        require(user, Permission.REPORT_DISCUSS, about)
    except NotFound:  # told like one that is not there
        raise ReportNotFound from None


def note_exported(
    stores: Stores, *, report: Report, team: Team | None, form: str, user: User, actor: Actor, now: datetime
) -> None:
    """Record that a report is handed out as `form` (`pdf`, `csv`, `json`), before it is. Raises as `require`."""
    require(user, Permission.REPORT_EXPORT, concerning(team, report))
    entry = stores.audit.recording(
        f"AssessmentReports#{report.report_id}", action="report.exported", actor=actor, at=now, after={"form": form}
    )
    handed_out = stores.reports.updating(report.report_id, Update(set={"exported_at": now}))
    Transaction(stores.store, handed_out, entry).commit()


def note_plan_exported(
    stores: Stores, *, plan: Plan, team: Team | None, reports: int, user: User, actor: Actor, now: datetime
) -> None:
    """Record that all reports of a plan are handed out as CSV, before they are. Raises as `require`."""
    require(user, Permission.REPORT_EXPORT, concerning(team))
    entry = stores.audit.recording(
        f"AssessmentPlans#{plan.plan_id}",
        action="plan.reports_exported",
        actor=actor,
        at=now,
        after={"form": "csv", "reports": reports},
    )
    Transaction(stores.store, entry).commit()


def note_season_exported(stores: Stores, *, season: str, plans: int, user: User, actor: Actor, now: datetime) -> None:
    """Record that the figures of a season are handed out as CSV, before they are. Raises as `require`."""
    require(user, Permission.ORGANISATION_SEE)
    entry = stores.audit.recording(
        f"Seasons#{season}", action="season.exported", actor=actor, at=now, after={"form": "csv", "plans": plans}
    )
    Transaction(stores.store, entry).commit()
