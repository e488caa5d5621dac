"""Submissions, the report that follows from two of them, and reopening: counted once, whoever races whom."""

import threading

import pytest

from apps.assessments.entities import AssessmentStatus, PlanStatus
from apps.assessments.errors import (
    AssessmentLocked,
    AssessmentNotFound,
    Incomplete,
    NotReopened,
    ReportNotFound,
    ReportNotReady,
)
from apps.assessments.ids import report_id
from apps.assessments.services.answering import GivenAnswer, save_answers
from apps.assessments.services.submitting import generate_report, reopen, submit
from apps.errors import Conflict, Forbidden, Invalid
from tests.assessments.conftest import MANAGER, SELF
from tests.seasons import NOW

OWN, BY_MANAGER = (3, 4, 5), (6, 4, 4)
COUNTS = {"Craft": {"6": 1, "4": 1}, "People": {"4": 1}}


def submitted(season, kind, member=None, **more):
    by = (member or season.timo) if kind is SELF else season.mona
    key = season.id(kind, member)
    return submit(season.stores, assessment_id=key, by=by, actor=by.acting(), now=NOW, **more)


def reopened(season, kind, *, by=None, reason="A slip."):
    by = by or season.ada
    return reopen(season.stores, assessment_id=season.id(kind), reason=reason, by=by, actor=by.acting(), now=NOW)


def generated(season, by=None):
    by = by or season.mona
    return generate_report(
        season.stores, plan_id=season.plan.plan_id, member_id=season.timo.user_id, by=by, actor=by.acting(), now=NOW
    )


def report(season, member=None):
    return season.stores.reports.find(report_id(season.plan.plan_id, (member or season.timo).user_id), consistent=True)


def counters(season):
    plan = season.stored_plan()
    return plan.self_submitted, plan.manager_submitted, plan.report_count


def deeds(season, object_):
    return [entry.action for entry in season.stores.audit.of(object_).items]


def test_the_second_submission_makes_the_report(season):
    season.fill(SELF, OWN)
    season.fill(MANAGER, BY_MANAGER)
    first = submitted(season, SELF)
    assert first.report is None
    assert first.assessment == season.stored(SELF)
    assert first.assessment.is_submitted
    assert counters(season) == (1, 0, 0)
    second = submitted(season, MANAGER)
    assert second.report == report(season)
    assert (second.report.final_level, second.report.self_assessed_level) == (4, 4)
    assert second.report.variance["Craft"]["Design"].difference == 3
    assert counters(season) == (1, 1, 1)
    assert season.stored_plan().level_counts == COUNTS
    assert deeds(season, f"Assessments#{season.id(SELF)}") == ["assessment.submitted"]
    assert deeds(season, f"AssessmentReports#{second.report.report_id}") == ["report.generated"]


@pytest.mark.parametrize("attempt", range(5))
def test_of_two_who_submit_at_the_same_moment_exactly_one_makes_the_report(season, in_threads, attempt):
    season.fill(SELF, OWN)
    season.fill(MANAGER, BY_MANAGER)
    found = {}

    def work(position):
        kind = (SELF, MANAGER)[position]
        found[kind] = submitted(season, kind).report

    in_threads(2, work)
    assert [one for one in found.values() if one is not None] == [report(season)]
    assert counters(season) == (1, 1, 1)
    assert season.stored_plan().level_counts == COUNTS
    assert deeds(season, f"AssessmentReports#{report(season).report_id}") == ["report.generated"]


def test_a_whole_team_that_submits_at_once_is_counted_right(season, in_threads):
    work = [(kind, person) for kind in (SELF, MANAGER) for person in (season.timo, season.tina)]
    for kind, person in work:
        season.fill(kind, OWN if kind is SELF else BY_MANAGER, person)
    in_threads(4, lambda position: submitted(season, *work[position]))
    assert counters(season) == (2, 2, 2)
    assert season.stored_plan().level_counts == {"Craft": {"6": 2, "4": 2}, "People": {"4": 2}}


def test_submitting_twice_is_submitting_once_even_at_once(season, in_threads):
    season.fill(SELF)
    in_threads(3, lambda _: submitted(season, SELF))
    submitted(season, SELF)
    assert counters(season) == (1, 0, 0)
    assert deeds(season, f"Assessments#{season.id(SELF)}") == ["assessment.submitted"]


def test_an_answer_that_is_saved_at_the_moment_of_the_submission_is_in_it_or_refused(season, in_threads):
    season.fill(SELF)
    refused = threading.Event()

    def work(position):
        if position:
            submitted(season, SELF)
            return
        try:
            save_answers(
                season.stores,
                assessment_id=season.id(SELF),
                by=season.timo,
                now=NOW,
                answers=[GivenAnswer(place=("Craft", "Design"), level=7, revision=1)],
            )
        except AssessmentLocked:
            refused.set()

    in_threads(2, work)
    stored = season.stored(SELF)
    assert stored.is_submitted
    assert (stored.answer(("Craft", "Design")).level == 7) is not refused.is_set()


def test_what_is_missing_is_named(season):
    season.fill(SELF, (3,))
    with pytest.raises(Incomplete) as refused:
        submitted(season, SELF)
    assert [one.get("competency") for one in refused.value.details()] == ["Testing", "Feedback"]
    season.stores.assessments.save(season.fill(SELF).evolve(current_level=None))
    with pytest.raises(Incomplete, match="one answer is missing"):
        submitted(season, SELF)
    assert counters(season) == (0, 0, 0)


def test_what_changed_since_it_was_looked_at_is_not_submitted(season):
    looked_at = season.fill(SELF).version
    season.stores.assessments.save(season.stored(SELF).evolve(way_forward="Other."))
    with pytest.raises(Conflict, match="changed since"):
        submitted(season, SELF, version=looked_at)
    assert submitted(season, SELF, version=looked_at + 1).assessment.is_submitted


def test_only_the_assessor_submits_and_only_under_a_plan_that_is_under_way(season):
    season.fill(SELF)
    for person, refusal in (
        (season.mona, Forbidden),
        (season.ada, Forbidden),
        (season.tina, AssessmentNotFound),
    ):
        with pytest.raises(refusal):
            submit(season.stores, assessment_id=season.id(SELF), by=person, actor=person.acting(), now=NOW)
    season.stores.plans.save(season.stored_plan().evolve(status=PlanStatus.COMPLETED, active_season=None))
    with pytest.raises(AssessmentLocked):
        submitted(season, SELF)


def test_a_reopened_assessment_is_open_counted_back_and_its_report_says_so(season):
    season.fill(SELF, OWN)
    season.fill(MANAGER, BY_MANAGER)
    submitted(season, SELF)
    made = submitted(season, MANAGER).report
    season.stores.reports.save(made.evolve(discussion_notes="We talked.", next_steps="Lead."))
    opened = reopened(season, MANAGER, reason="  The wrong level.  ")
    assert opened == season.stored(MANAGER)
    assert (opened.status, opened.submitted_at, opened.reopened_at) == (AssessmentStatus.IN_PROGRESS, None, NOW)
    assert counters(season) == (1, 0, 1)
    assert report(season).reopened_at == NOW
    entry = season.stores.audit.of(f"Assessments#{season.id(MANAGER)}").items[0]
    assert (entry.action, entry.after["reason"]) == ("assessment.reopened", "The wrong level.")
    with pytest.raises(ReportNotReady):
        generated(season)

    save_answers(
        season.stores,
        assessment_id=season.id(MANAGER),
        by=season.mona,
        now=NOW,
        answers=[GivenAnswer(place=("Craft", "Design"), level=4, revision=1)],
    )
    again = submitted(season, MANAGER)
    assert again.report == report(season)
    assert again.assessment.reopened_at is None
    assert (again.report.discussion_notes, again.report.next_steps) == ("We talked.", "Lead.")
    assert again.report.reopened_at is None
    assert again.report.variance["Craft"]["Design"].difference == 1
    assert counters(season) == (1, 1, 1)
    assert season.stored_plan().level_counts == {"Craft": {"4": 2}, "People": {"4": 1}}


def test_a_report_is_never_made_of_a_view_that_is_being_reopened(season, in_threads):
    season.fill(SELF, OWN)
    season.fill(MANAGER, BY_MANAGER)
    submitted(season, SELF)
    in_threads(2, lambda position: reopened(season, SELF) if position else submitted(season, MANAGER))
    assert not season.stored(SELF).is_submitted
    found = report(season)
    assert found is None or found.reopened_at is not None
    assert counters(season)[:2] == (0, 1)
    submitted(season, SELF)
    assert report(season).reopened_at is None
    assert counters(season) == (1, 1, 1)
    assert season.stored_plan().level_counts == COUNTS


def test_only_an_administrator_reopens_with_a_reason_what_is_submitted_under_a_plan_under_way(season):
    with pytest.raises(NotReopened, match="is open"):
        reopened(season, SELF)
    season.fill(SELF)
    submitted(season, SELF)
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(Invalid) as refused:
            reopened(season, SELF, reason=reason)
        assert refused.value.field == "reason"
    with pytest.raises(Forbidden):
        reopened(season, SELF, by=season.mona)
    with pytest.raises(AssessmentNotFound):
        reopened(season, SELF, by=season.timo)
    season.stores.plans.save(season.stored_plan().evolve(status=PlanStatus.COMPLETED, active_season=None))
    with pytest.raises(NotReopened, match="has ended"):
        reopened(season, SELF)
    assert counters(season) == (1, 0, 0)


def test_asking_for_the_report_gives_the_one_that_is_there_or_makes_it_once(season, in_threads):
    with pytest.raises(ReportNotReady):
        generated(season)
    season.fill(SELF, OWN)
    season.fill(MANAGER, BY_MANAGER)
    submitted(season, SELF)
    made = submitted(season, MANAGER).report
    assert generated(season) == made
    # As after a restore of one table without the other:
    season.stores.reports.delete(made)
    season.stores.plans.save(season.stored_plan().evolve(report_count=0, level_counts={}))
    in_threads(3, lambda _: generated(season))
    assert report(season).variance == made.variance
    assert counters(season) == (1, 1, 1)
    assert season.stored_plan().level_counts == COUNTS
    assert generated(season, by=season.timo) == report(season)
    with pytest.raises(ReportNotFound):
        generated(season, by=season.tina)
