"""Reports as files: CSV that a spreadsheet takes as it is, and JSON."""

from collections.abc import Iterable, Iterator
from typing import Any

from apps.assessments.entities import Plan, Report
from apps.reports.reading import OnePlan, OneReport
from apps.reports.scores import as_counts, by_category, highlights, scores
from apps.reports.telling import chapters, reported
from apps.spreadsheets import csv_line

REPORT_COLUMNS = (
    *("member", "season", "team", "category", "competency", "self", "manager", "difference", "stands out"),
    *("self: evidence", "self: next level", "manager: evidence", "manager: next level"),
)
PLAN_COLUMNS = ("member", "category", "competency", "self", "manager", "difference", "stands out")
SEASON_COLUMNS = ("plan", "status", "members", "self submitted", "manager submitted", "submitted %", "reports")


def report_csv(one: OneReport) -> Iterator[bytes]:
    """A line for each competency."""
    yield csv_line(REPORT_COLUMNS)
    team = one.team.team_name if one.team else ""
    for chapter in chapters(one):
        for part in chapter.parts:
            difference = part.score.difference
            written = [
                text
                for answer in (part.own, part.manager)
                for text in ((answer.evidence, answer.next_level_feedback) if answer else ("", ""))
            ]
            yield csv_line(
                (
                    *(one.member_name, one.report.season, team, *part.score.place),
                    *(difference.self_score, difference.manager_score, difference.difference),
                    *("yes" if difference.stands_out else "", *written),
                )
            )


def plan_csv(one: OnePlan) -> Iterator[bytes]:
    """A line for each member and competency."""
    yield csv_line(PLAN_COLUMNS)
    for report in one.reports:
        name = one.names.get(report.team_member_id, report.team_member_id)
        for score in scores(report.variance, one.ladder):
            found = score.difference
            stands_out = "yes" if found.stands_out else ""
            numbers = (found.self_score, found.manager_score, found.difference)
            yield csv_line((name, *score.place, *numbers, stands_out))


def season_csv(plans: Iterable[Plan]) -> Iterator[bytes]:
    """A line for each plan, with how often each level was given in each category."""
    found = list(plans)
    places = sorted({(c, level) for plan in found for c, row in as_counts(plan.level_counts).items() for level in row})
    yield csv_line((*SEASON_COLUMNS, *(f"{category}: level {level}" for category, level in places)))
    for plan in found:
        counts = as_counts(plan.level_counts)
        numbers = (plan.member_count, plan.self_submitted, plan.manager_submitted, plan.percent_submitted)
        levels = (counts.get(category, {}).get(level, 0) for category, level in places)
        yield csv_line((plan.plan_name, plan.status.value, *numbers, plan.report_count, *levels))


def report_summary(report: Report) -> dict[str, Any]:
    """What lists and exports say of a report, without what anybody wrote."""
    return {
        "report_id": report.report_id,
        "plan_id": report.plan_id,
        "team_id": report.team_id,
        "member_id": report.team_member_id,
        "season": report.season,
        "final_level": report.final_level,
        "self_assessed_level": report.self_assessed_level,
        "generated_at": report.generated_at,
        "exported_at": report.exported_at,
        "reopened_at": report.reopened_at,
        "discussed_on": report.discussed_on,
    }


def whole_report(one: OneReport) -> dict[str, Any]:
    """All that the report's page says, in the ladder's order."""
    own, manager = reported(one.own, one.report), reported(one.by_manager, one.report)
    found = scores(one.report.variance, one.ladder)
    return {
        **report_summary(one.report),
        "member_name": one.member_name,
        "team_name": one.team.team_name if one.team else "",
        "plan_name": one.plan.plan_name if one.plan else "",
        "ladder_version": one.ladder_version.ladder_version if one.ladder_version else "",
        "categories": [
            {
                "title": row.title,
                "self_mean": row.pair.own,
                "manager_mean": row.pair.manager,
                "largest_difference_that_stands_out": row.apart,
            }
            for row in by_category(one.report.variance, one.ladder)
        ],
        "competencies": [_competency(part) for chapter in chapters(one) for part in chapter.parts],
        "highlights": [
            {"category": score.place[0], "competency": score.place[1], "difference": score.difference.difference}
            for score in highlights(found)
        ],
        "self_way_forward": own.way_forward if own else "",
        "manager_way_forward": manager.way_forward if manager else "",
        "notes": {
            "discussed_on": one.report.discussed_on,
            "discussion_notes": one.report.discussion_notes,
            "next_steps": one.report.next_steps,
            "revision": one.report.notes_revision,
        },
    }


def _competency(part: Any) -> dict[str, Any]:
    difference = part.score.difference
    return {
        "category": part.score.place[0],
        "competency": part.score.place[1],
        "self_score": difference.self_score,
        "manager_score": difference.manager_score,
        "difference": difference.difference,
        "stands_out": difference.stands_out,
        "self_evidence": part.own.evidence if part.own else "",
        "self_next_level": part.own.next_level_feedback if part.own else "",
        "manager_evidence": part.manager.evidence if part.manager else "",
        "manager_next_level": part.manager.next_level_feedback if part.manager else "",
    }
