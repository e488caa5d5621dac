"""What the pages of reports, and their PDFs, are filled with."""

from collections.abc import Sequence
from typing import Any, Final

from django.utils.safestring import SafeString

from apps.assessments.entities import Report
from apps.ladders.levels import level_words
from apps.reports.charts.distribution import distribution
from apps.reports.charts.dumbbells import gap
from apps.reports.charts.heat import Cell, Row, heat_maps
from apps.reports.charts.pairs import Pair
from apps.reports.charts.radar import MOST_AXES, radar
from apps.reports.charts.trend import NARROW, WIDE, trend
from apps.reports.reading import OnePerson, OnePlan, OneReport
from apps.reports.scores import CategoryScores, as_counts, by_category, highest_level, highlights, scores
from apps.reports.seasons_apart import changes
from apps.reports.telling import chapters, reported

MOST_APART: Final = 25
"""Competencies that the page of a plan names as furthest apart."""


def report_context(one: OneReport, *, by_competency: bool = False) -> dict[str, Any]:
    """One report, with its radar by category or by competency, and the trend of the person."""
    report, found = one.report, scores(one.report.variance, one.ladder)
    categories = by_category(report.variance, one.ladder)
    highest = highest_level(one.ladder, [report])
    pairs = [score.pair for score in found] if by_competency else [row.pair for row in categories]
    words = "competency" if by_competency else "category"
    return {
        "one": one,
        "report": report,
        "name": one.member_name,
        "apart": report.final_level - report.self_assessed_level,
        "by_competency": by_competency,
        "may_choose": 1 < len(categories) < len(found) <= MOST_AXES,
        "radar": radar(pairs, highest=highest, title=f"Levels of {one.member_name} by {words}"),
        "pairs": pairs,
        "categories": categories,
        "highlights": highlights(found),
        "chapters": [
            {"title": row.title, "rows": [(score, gap(score.pair, highest=highest)) for score in row.scores]}
            for row in categories
        ],
        "written": chapters(one),
        "own": reported(one.own, report),
        "by_manager": reported(one.by_manager, report),
        **trend_context(one.history, name=one.member_name),
    }


def trend_context(reports: Sequence[Report], *, name: str) -> dict[str, Any]:
    """The levels of somebody over the seasons, and what cannot be compared between them."""
    return {
        "history": reports,
        "trend": trends(reports, title=f"Levels of {name} over the seasons"),
        "changes": changes(reports),
    }


def trends(reports: Sequence[Report], *, title: str) -> list[SafeString]:
    """The levels over the seasons, the first one first, as a wide chart and a narrow one; nothing without a report."""
    if not reports:
        return []
    seasons = [Pair(title=one.season, own=one.self_assessed_level, manager=one.final_level) for one in reports]
    highest = max([7, *(max(one.self_assessed_level, one.final_level) for one in reports)])
    levels = [level_words(number) for number in range(1, highest + 1)]
    return [trend(seasons, levels=levels, title=title, room=room) for room in (WIDE, NARROW)]


def person_context(one: OnePerson) -> dict[str, Any]:
    """Somebody's seasons: the levels, and the means of each category."""
    by_report = [{row.title: row for row in by_category(report.variance, None)} for report in one.reports]
    titles = _titles(one.reports)
    rows = [Row(title=title, cells=[_cell(found.get(title)) for found in by_report]) for title in titles]
    seasons = [report.season for report in one.reports]
    highest = highest_level(None, one.reports)
    title = f"{one.member.name}: the manager's level by category, season by season"
    return {
        "person": one.member,
        "reports": [{"report": report, "team": one.teams.get(report.team_id)} for report in reversed(one.reports)],
        "heat": heat_maps(rows, seasons, highest=highest, title=title) if rows else [],
        "rows": rows,
        "seasons": seasons,
        **trend_context(one.reports, name=one.member.name),
    }


def plan_context(one: OnePlan, *, by_competency: bool = False) -> dict[str, Any]:
    """A team in a season: who stands where, how often each level was given, and where views differ most."""
    highest = highest_level(one.ladder, one.reports)
    if by_competency:
        columns, rows = _by_competency(one)
    else:
        columns, rows = _by_category(one)
    ordered = dict(sorted(as_counts(one.plan.level_counts).items(), key=lambda item: _order(item[0], one)))
    differences = [
        (report, score) for report in one.reports for score in highlights(scores(report.variance, one.ladder))
    ]
    return {
        "one": one,
        "plan": one.plan,
        "by_competency": by_competency,
        "columns": columns,
        "rows": list(zip(one.reports, rows, strict=True)),
        "heat": heat_maps(rows, columns, highest=highest, title=f"Levels of {one.plan.plan_name}") if rows else [],
        "counts": ordered,
        "levels": list(range(1, highest + 1)),
        "distribution": distribution(ordered, highest=highest, title="How often each level was given")
        if ordered
        else "",
        "differences": sorted(differences, key=lambda item: -abs(item[1].difference.difference))[:MOST_APART],
        "more_differences": max(0, len(differences) - MOST_APART),
    }


def _order(title: str, one: OnePlan) -> tuple[int, str]:
    known = [category.title for category in one.ladder.categories] if one.ladder else []
    return (known.index(title) if title in known else len(known)), title


def _by_category(one: OnePlan) -> tuple[list[str], list[Row]]:
    found = [{row.title: row for row in by_category(report.variance, one.ladder)} for report in one.reports]
    known = [category.title for category in one.ladder.categories] if one.ladder else []
    scored = {title for row in found for title in row}
    columns = [*(title for title in known if title in scored), *sorted(scored - set(known))]
    return columns, [_row(one, n, [_cell(row.get(title)) for title in columns]) for n, row in enumerate(found)]


def _by_competency(one: OnePlan) -> tuple[list[str], list[Row]]:
    found = [{score.place: score.difference for score in scores(r.variance, one.ladder)} for r in one.reports]
    known = list(one.ladder.places) if one.ladder else []
    scored = {place for row in found for place in row}
    places = [*(place for place in known if place in scored), *sorted(scored - set(known))]
    cells = [
        [
            Cell(value=row[place].manager_score, apart=row[place].difference if row[place].stands_out else None)
            if place in row
            else Cell(value=None)
            for place in places
        ]
        for row in found
    ]
    return [title for _, title in places], [_row(one, number, row) for number, row in enumerate(cells)]


def _row(one: OnePlan, number: int, cells: list[Cell]) -> Row:
    return Row(title=one.names.get(one.reports[number].team_member_id, "Somebody who is gone"), cells=cells)


def _cell(row: CategoryScores | None) -> Cell:
    return Cell(value=row.pair.manager, apart=row.apart) if row else Cell(value=None)


def _titles(reports: Sequence[Report]) -> list[str]:
    """Every category of any of them: those of the latest first."""
    return list(dict.fromkeys(title for report in reversed(reports) for title in sorted(report.variance)))
