"""Reports made by an older ladder: readable as they were, and compared as far as they can be."""

from apps.assessments.repository import Reports
from apps.ladders.ladder import Category, Competency, Ladder, Level
from apps.reports.seasons_apart import changes
from tests.policy_runs.web import browser
from tests.reports.test_pages import text
from tests.seasons import active_ladder, plan_of, reported

OLDER = Ladder(
    categories=tuple(
        Category(
            title=category,
            competencies=tuple(
                Competency(
                    title=title,
                    levels=tuple(Level(number=n, expectation=f"Formerly at {n}.") for n in range(1, 6)),
                )
                for title in titles
            ),
        )
        for category, titles in {"Craft": ("Testing", "Sawing"), "Culture": ("Openness",)}.items()
    )
)


def before(harbour, store):
    ladder = active_ladder(store, OLDER, version="0.9.0")
    plan = plan_of(store, harbour.team, ladder, season="2025-Q4", status="completed")
    return reported(
        store, plan, harbour.timo.user_id, team=harbour.team, ladder=ladder, own=(1, 2, 3), by_manager=(5, 2, 3)
    )


def test_a_report_stays_readable_by_the_ladder_it_was_made_with(harbour, store):
    html = browser(harbour.timo).get(f"/reports/{before(harbour, store).report_id}/").content.decode()
    table = html[html.index('class="differences') :]
    assert table.index("Testing") < table.index("Sawing") < table.index("Openness")
    assert "Formerly at 5." in html and "Career ladder 0.9.0" in html


def test_what_cannot_be_compared_is_named(harbour, store):
    before(harbour, store)
    told = text(browser(harbour.timo).get(f"/reports/member/{harbour.timo.user_id}/"))
    for words in (
        *("2025-Q4 to 2026-Q1:", "New categories: People.", "Categories that are gone: Culture."),
        *("New competencies: Craft: Design.", "Competencies that are gone: Craft: Sawing."),
    ):
        assert words in told, words


def test_without_another_ladder_there_is_nothing_to_name(harbour, store):
    plan = plan_of(store, harbour.team, harbour.ladder, season="2025-Q4", status="completed")
    one = reported(
        store, plan, harbour.timo.user_id, team=harbour.team, ladder=harbour.ladder, own=(1, 2, 3), by_manager=(5, 2, 3)
    )
    assert changes([one, harbour.report]) == []
    assert "cannot be compared" not in text(browser(harbour.timo).get(f"/reports/member/{harbour.timo.user_id}/"))


def test_a_report_whose_ladder_and_team_are_gone_can_still_be_read_by_an_administrator(harbour):
    stores = harbour.stores
    stores.ladders.delete(harbour.ladder.config_id)
    stores.teams.delete(harbour.team.team_id)
    page = browser(harbour.ada).get(f"/reports/{harbour.report.report_id}/")
    assert page.status_code == 200 and "Testing" in page.content.decode()
    assert browser(harbour.mona).get(f"/reports/{harbour.report.report_id}/").status_code == 404
    assert browser(harbour.timo).get(f"/reports/{harbour.report.report_id}/").status_code == 200
    assert Reports(stores.store).get(harbour.report.report_id)
