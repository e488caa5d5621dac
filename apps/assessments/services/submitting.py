"""Submitting, the report that follows from two submissions, and reopening.

Each is one transaction over the assessment, the plan's counters, the audit log and, where both views are there, the
report. It checks that the other view is still what the decision rested on; whoever loses a race looks again, so that of
two who submit at the same moment exactly one makes the report.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from apps.accounts.entities import User
from apps.accounts.permissions import Permission, allowed, require
from apps.assessments.access import concerning
from apps.assessments.entities import Assessment, AssessmentStatus, AssessmentType, Plan, PlanStatus, Report
from apps.assessments.errors import (
    AssessmentNotFound,
    Incomplete,
    NotReopened,
    ReportNotFound,
    ReportNotReady,
)
from apps.assessments.ids import assessment_id as id_of
from apps.assessments.ids import report_id
from apps.assessments.services.opening import OTHER, Opened, opened, opened_for_anybody
from apps.assessments.stores import Stores
from apps.assessments.variance import level_counts, variance_of
from apps.audit.entities import Actor
from apps.errors import Conflict, Invalid, NotFound
from apps.ladders.ladder import Ladder, Place
from apps.storage.conditions import Condition, Update, attribute
from apps.storage.errors import AlreadyExists, ConditionFailed, Contention, ItemNotFound
from apps.storage.plane import backoff
from apps.storage.transaction import Transaction, read_together
from apps.storage.writes import Write

TRIES = 12
LONGEST_REST = 4  # about a second at most: somebody waits
LONGEST_REASON = 500
COUNTER = {AssessmentType.SELF: "self_submitted", AssessmentType.MANAGER: "manager_submitted"}

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The locked assessment, and the report where both views are there now."""

    assessment: Assessment
    report: Report | None


def submit(
    stores: Stores, *, assessment_id: str, by: User, actor: Actor, now: datetime, version: int | None = None
) -> Submitted:
    """Lock the assessment and count it; where the other one is submitted already, make the report.

    What was submitted already stays so. `version` is the one that was looked at: where it is not the stored one any
    more, `Conflict` asks to look again. Raises `AssessmentNotFound`, `Forbidden`, `AssessmentLocked`, `Incomplete` (its
    `details` name each missing level), `Contention` where others keep writing.
    """

    def once() -> Submitted:
        found = opened(stores, assessment_id=assessment_id, by=by)
        found.require_filling_in(by)
        if found.assessment.is_submitted:
            return Submitted(assessment=found.assessment, report=found.report)
        found.require_open()
        if version is not None and version != found.assessment.version:
            raise Conflict(
                "The answers were changed since you looked at them. Look at them again, then submit.", code="stale"
            )
        _require_complete(found.assessment, found.ladder)
        return _submitted(stores, found, actor=actor, now=now)

    return _at_last(once)


def generate_report(stores: Stores, *, plan_id: str, member_id: str, by: User, actor: Actor, now: datetime) -> Report:
    """The report on this member under this plan: the one that is there, else made from the two submitted views.

    Submitting makes it; this is for who asks for it by name. Raises `ReportNotFound` for who may not see it and for a
    plan that is not there, `ReportNotReady`.
    """

    def once() -> Report:
        plan = stores.plans.find(plan_id, consistent=True)
        if plan is None:
            raise ReportNotFound
        team, own, managers, existing = read_together(
            stores.store,
            stores.teams.reading(plan.team_id),
            stores.assessments.reading(id_of(plan_id, member_id, AssessmentType.SELF)),
            stores.assessments.reading(id_of(plan_id, member_id, AssessmentType.MANAGER)),
            stores.reports.reading(report_id(plan_id, member_id)),
        )
        about = own or managers
        if about is None or not allowed(by, Permission.REPORT_SEE, concerning(team, about)):
            raise ReportNotFound
        if existing is not None and existing.reopened_at is None:
            return existing
        if own is None or managers is None or not (own.is_submitted and managers.is_submitted):
            raise ReportNotReady("There is no report before both assessments are submitted.")
        report = stores.reports.stamped(_report(own, managers, existing, now=now))
        Transaction(
            stores.store,
            stores.plans.saving(_with_report(plan, report, existing)),
            *_report_writes(stores, report, existing, actor=actor, now=now),
            *(stores.assessments.checking(one.assessment_id, _unchanged(one)) for one in (own, managers)),
        ).commit()
        return report.at_version(report.version + 1)

    return _at_last(once)


def reopen(stores: Stores, *, assessment_id: str, reason: str, by: User, actor: Actor, now: datetime) -> Assessment:
    """Take a submission back, so that the assessor can change it; the report says so until both are submitted again.

    Raises `AssessmentNotFound`, `Forbidden`, `Invalid` (field `reason`), `NotReopened` where it is open already, its
    plan has ended or nobody could change it, `Contention`.
    """
    why = reason.strip()

    def once() -> Assessment:
        found = opened_for_anybody(stores, assessment_id=assessment_id)
        _require_reopening(found, by)
        if not why:
            raise Invalid("Enter why it is reopened; the audit log keeps it.", field="reason")
        if len(why) > LONGEST_REASON:
            raise Invalid(f"Shorten the reason to {LONGEST_REASON} characters.", field="reason")
        _require_reopenable(found)
        return _reopened(stores, found, reason=why, actor=actor, now=now)

    return _at_last(once)


def missing(assessment: Assessment, ladder: Ladder) -> list[Place]:
    """The competencies for which no level was chosen, in the ladder's order."""
    return [place for place in ladder.places if assessment.answer(place).level is None]


def _require_complete(assessment: Assessment, ladder: Ladder) -> None:
    findings: list[dict[str, object]] = [
        {"message": f"{category}: choose a level for {title}.", "category": category, "competency": title}
        for category, title in missing(assessment, ladder)
    ]
    if assessment.current_level is None:
        findings.append({"message": "Choose the overall level.", "field": "current_level"})
    if findings:
        words = "one answer is" if len(findings) == 1 else f"{len(findings)} answers are"
        raise Incomplete(f"This assessment cannot be submitted yet: {words} missing.", findings=findings)


def _submitted(stores: Stores, found: Opened, *, actor: Actor, now: datetime) -> Submitted:
    changed = stores.assessments.stamped(
        found.assessment.evolve(status=AssessmentStatus.SUBMITTED, submitted_at=now, reopened_at=None, updated_at=now)
    )
    other, plan = found.other, found.plan
    counter = COUNTER[changed.assessment_type]
    entry = stores.audit.recording(
        object_of(changed),
        action="assessment.submitted",
        actor=actor,
        at=now,
        before={"status": found.assessment.status.value},
        after={"status": changed.status.value, **_about(changed)},
    )
    writes = [stores.assessments.saving(changed), entry, *_demands(stores, found)]
    report: Report | None = None
    if other is not None and other.is_submitted:
        own, managers = (changed, other) if changed.assessment_type is AssessmentType.SELF else (other, changed)
        report = stores.reports.stamped(_report(own, managers, found.report, now=now))
        counted = plan.evolve(**{counter: getattr(plan, counter) + 1})
        writes += [
            stores.plans.saving(_with_report(counted, report, found.report), condition=_is_active()),
            *_report_writes(stores, report, found.report, actor=actor, now=now),
        ]
    else:
        writes.append(stores.plans.updating(plan.plan_id, Update(add={counter: 1}), condition=_is_active()))
    Transaction(stores.store, *writes).commit()
    return Submitted(
        assessment=changed.at_version(changed.version + 1),
        report=report and report.at_version(report.version + 1),
    )


def _reopened(stores: Stores, found: Opened, *, reason: str, actor: Actor, now: datetime) -> Assessment:
    was = found.assessment
    is_managers = was.assessment_type is AssessmentType.MANAGER
    assessor_id = found.team.manager_id if is_managers and found.team else was.assessor_id  # who leads the team now
    reopened = was.evolve(
        status=AssessmentStatus.IN_PROGRESS,
        submitted_at=None,
        reopened_at=now,
        updated_at=now,
        assessor_id=assessor_id,
    )
    changed = stores.assessments.stamped(reopened)
    entry = stores.audit.recording(
        object_of(changed),
        action="assessment.reopened",
        actor=actor,
        at=now,
        before={"status": found.assessment.status.value, "submitted_at": found.assessment.submitted_at},
        after={"status": changed.status.value, "reason": reason, **_about(changed)},
    )
    counter = COUNTER[changed.assessment_type]
    writes = [
        stores.assessments.saving(changed),
        stores.plans.updating(found.plan.plan_id, Update(add={counter: -1}), condition=_is_active()),
        entry,
        *_demands(stores, found),
    ]
    if found.report is not None:
        writes.append(stores.reports.updating(found.report.report_id, Update(set={"reopened_at": now})))
    if is_managers and found.team:  # who follows the team passes over what is submitted
        still_leads = attribute("manager_id").equals(assessor_id)
        writes.append(stores.teams.checking(found.team.team_id, still_leads))
    Transaction(stores.store, *writes).commit()
    return changed.at_version(changed.version + 1)


def _require_reopening(found: Opened, by: User) -> None:
    try:
        require(by, Permission.ASSESSMENT_REOPEN, found.thing)
    except NotFound:
        raise AssessmentNotFound from None


def _require_reopenable(found: Opened) -> None:
    if not found.assessment.is_submitted:
        raise NotReopened("This assessment is open: there is no submission to take back.")
    if found.plan.status is not PlanStatus.ACTIVE:
        raise NotReopened("The plan of this assessment has ended: its assessments stay as they are.")
    is_managers = found.assessment.assessment_type is AssessmentType.MANAGER
    if is_managers and found.team is not None and found.team.manager_id == found.assessment.team_member_id:
        raise NotReopened("The person it is about leads the team now, so that nobody could change it.")


def _demands(stores: Stores, found: Opened) -> list[Write]:
    """What must hold of the other view: it is as submitted as it was when it was read, with the same answers."""
    mine, other = found.assessment, found.other
    if other is not None and other.is_submitted:
        return [stores.assessments.checking(other.assessment_id, _unchanged(other))]
    key = id_of(mine.plan_id, mine.team_member_id, OTHER[mine.assessment_type])
    return [stores.assessments.checking(key, attribute("status").differs(AssessmentStatus.SUBMITTED))]


def _report(own: Assessment, managers: Assessment, existing: Report | None, *, now: datetime) -> Report:
    """The report on two submitted views; one that is there keeps what was written into it after the meeting."""
    found = {
        "self_assessment_id": own.assessment_id,
        "manager_assessment_id": managers.assessment_id,
        "final_level": managers.current_level,
        "self_assessed_level": own.current_level,
        "variance": variance_of(own.selections, managers.selections),
        "generated_at": now,
        "reopened_at": None,
    }
    if existing is not None:
        return existing.evolve(**found, updated_at=now)
    return Report.model_validate(
        {
            "report_id": report_id(own.plan_id, own.team_member_id),
            **{name: getattr(own, name) for name in ("plan_id", "team_id", "team_member_id", "season", "config_id")},
            **found,
            "created_at": now,
            "updated_at": now,
        }
    )


def _report_writes(
    stores: Stores, report: Report, existing: Report | None, *, actor: Actor, now: datetime
) -> list[Write]:
    entry = stores.audit.recording(
        f"AssessmentReports#{report.report_id}",
        action="report.generated",
        actor=actor,
        at=now,
        before={} if existing is None else {"generated_at": existing.generated_at},
        after={"plan_id": report.plan_id, "member_id": report.team_member_id},
    )
    reports = stores.reports
    return [reports.adding(report) if existing is None else reports.saving(report), entry]


def _with_report(plan: Plan, report: Report, existing: Report | None) -> Plan:
    """The plan with this report counted in place of the former one."""
    counts = {category: dict(row) for category, row in plan.level_counts.items()}
    _count(counts, level_counts(report.variance), by=1)
    if existing is not None:
        _count(counts, level_counts(existing.variance), by=-1)
    left = {category: {level: number for level, number in row.items() if number} for category, row in counts.items()}
    return plan.evolve(
        report_count=plan.report_count + (existing is None),
        level_counts={category: row for category, row in left.items() if row},
    )


def _count(counts: dict[str, dict[str, int]], more: Mapping[str, Mapping[str, int]], *, by: int) -> None:
    for category, row in more.items():
        counted = counts.setdefault(category, {})
        for level, number in row.items():
            counted[level] = counted.get(level, 0) + by * number


def _about(assessment: Assessment) -> dict[str, str]:
    return {
        "type": assessment.assessment_type.value,
        "member_id": assessment.team_member_id,
        "plan_id": assessment.plan_id,
    }


def _is_active() -> Condition:
    return attribute("status").equals(PlanStatus.ACTIVE)


def _unchanged(assessment: Assessment) -> Condition:
    return attribute("version").equals(assessment.version)


def object_of(assessment: Assessment) -> str:
    """The assessment as the audit log names it."""
    return f"Assessments#{assessment.assessment_id}"


def _at_last(once: Callable[[], R]) -> R:
    """What comes of it, tried again while others write what it rests on. Raises `Contention`."""
    for attempt in range(TRIES):
        try:
            return once()
        except (ConditionFailed, AlreadyExists, ItemNotFound, Contention) as error:
            met = error
            backoff.rest(min(attempt, LONGEST_REST))
    raise Contention from met
