"""The pages of reports: what they say, to whom, and what they ask of the store."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from apps.accounts.entities import Role
from apps.assessments.entities import AssessmentStatus, Plan, PlanStatus, Season
from apps.assessments.repository import Plans, Seasons
from apps.assessments.services.submitting import reopen, submit
from apps.errors import Invalid
from apps.reports.services import Notes, discuss
from apps.storage.transaction import Transaction
from tests.policy_runs.web import beyond_sign_in, browser
from tests.seasons import NOW, active_ladder, admin, manager, plan_of, reported, team_member, team_of


def text(response) -> str:
    html = response.content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def settled(user):
    """A browser whose session has noted already that it is used."""
    client = browser(user)
    client.get("/account/")
    return client


def page_of(harbour, report=None) -> str:
    return f"/reports/{(report or harbour.report).report_id}/"


def test_a_report_says_both_levels_with_their_names_and_where_the_views_differ(harbour, costs):
    client = settled(harbour.timo)
    with costs(requests=5) as cost:
        page = client.get(page_of(harbour))
    told = text(page)
    assert "Timo Member" in told and "3 Practitioner" in told and "4 Specialist" in told
    assert "Manager 3 levels below self" in told and "Stands out:" in told and "\N{MINUS SIGN}3" in told
    assert "1 of 3" in told
    assert sum(beyond_sign_in(cost).values()) <= 3


def test_rows_stand_in_the_order_of_the_ladder_and_the_furthest_apart_first_above_them(harbour):
    html = browser(harbour.mona).get(page_of(harbour)).content.decode()
    table = html[html.index('class="differences') :]
    assert table.index("Design") < table.index("Testing") < table.index("Feedback")
    assert html.index('class="highlights"') < html.index('class="differences')


def test_feedback_stands_side_by_side_and_is_rendered_harmlessly(harbour):
    own = harbour.stores.assessments.get(harbour.report.self_assessment_id)
    bad = "Good **work** <script>alert(1)</script> [x](javascript:alert(1)) ![y](https://example.org/p.png)"
    harbour.stores.assessments.put_many([own.evolve(way_forward=bad)])
    html = browser(harbour.mona).get(page_of(harbour)).content.decode()
    assert "Good <strong>work</strong>" in html and "&lt;script&gt;alert(1)" in html
    assert "<script>alert" not in html and 'href="javascript' not in html and "<img" not in html
    assert html.count("Shows <strong>6</strong>.") == 1 and html.count("Shows <strong>3</strong>.") == 2


def test_nobody_else_learns_that_there_is_a_report(harbour, store):
    strangers = [manager(store, name="Max Manager"), team_member(store, name="Tessa"), harbour.tim]
    for somebody in strangers:
        client = browser(somebody)
        assert client.get(page_of(harbour)).status_code == 404
        assert client.get(f"/reports/member/{harbour.timo.user_id}/").status_code == 404
        assert client.get(f"/reports/plan/{harbour.plan.plan_id}/").status_code == 404
        assert client.post(f"{page_of(harbour)}notes/", {"revision": 0}).status_code == 404
    assert browser(harbour.timo).get(f"/reports/plan/{harbour.plan.plan_id}/").status_code == 404
    assert browser(harbour.timo).get("/reports/organisation/").status_code == 404
    for known in (harbour.mona, harbour.ada, harbour.timo):
        assert browser(known).get(page_of(harbour)).status_code == 200


def test_while_an_assessment_is_open_again_its_draft_is_not_shown(harbour):
    stores = harbour.stores
    draft = stores.assessments.get(harbour.report.manager_assessment_id).evolve(
        status=AssessmentStatus.IN_PROGRESS, way_forward="A secret draft."
    )
    stores.assessments.put_many([draft])
    stores.reports.save(stores.reports.get(harbour.report.report_id).evolve(reopened_at=datetime.now(UTC)))
    told = text(browser(harbour.timo).get(page_of(harbour)))
    assert "An assessment was reopened" in told and "Being revised" in told
    assert "A secret draft." not in told and "Shows 3" not in told


def test_what_is_submitted_again_is_in_the_report_only_once_both_are(harbour):
    stores, actor = harbour.stores, harbour.ada.acting()
    own, by_manager = harbour.report.self_assessment_id, harbour.report.manager_assessment_id
    later = NOW + timedelta(days=1)
    for key in (own, by_manager):
        reopen(stores, assessment_id=key, reason="A slip.", by=harbour.ada, actor=actor, now=later)
    draft = stores.assessments.get(by_manager, consistent=True)
    stores.assessments.save(draft.evolve(way_forward="Said anew by the manager."))
    later += timedelta(hours=1)
    submit(stores, assessment_id=by_manager, by=harbour.mona, actor=harbour.mona.acting(), now=later)
    timos = browser(harbour.timo)
    assert "Said anew" not in text(timos.get(page_of(harbour)))
    assert b"Said anew" not in timos.get(f"/api/reports/{harbour.report.report_id}").content
    submit(stores, assessment_id=own, by=harbour.timo, actor=harbour.timo.acting(), now=later)
    assert "Said anew by the manager." in text(timos.get(page_of(harbour)))


def test_the_manager_writes_notes_which_member_and_administrator_read(harbour):
    client = browser(harbour.mona)
    form = {"discussed_on": "2026-03-10", "discussion_notes": "We *talked*.", "next_steps": "- Pair", "revision": 0}
    answer = client.post(f"{page_of(harbour)}notes/", form)
    assert (answer.status_code, answer.url) == (302, f"{page_of(harbour)}#meeting")
    for reader in (harbour.timo, harbour.ada):
        html = browser(reader).get(page_of(harbour)).content.decode()
        assert "We <em>talked</em>." in html and "<li>Pair</li>" in html and "10 March 2026" in html
        assert "<textarea" not in html
        refused = browser(reader).post(f"{page_of(harbour)}notes/", {**form, "revision": 1, "next_steps": "Mine."})
        assert refused.status_code == 403
    stored = harbour.stores.reports.get(harbour.report.report_id)
    assert (stored.next_steps, stored.notes_revision) == ("- Pair", 1)


def test_of_two_who_write_notes_at_once_the_second_sees_both_and_loses_nothing(harbour):
    client = browser(harbour.mona)
    client.post(f"{page_of(harbour)}notes/", {"discussion_notes": "The first.", "revision": 0})
    second = client.post(f"{page_of(harbour)}notes/", {"discussion_notes": "The second.", "revision": 0})
    html = second.content.decode()
    assert second.status_code == 409
    assert "What is stored now" in html and "The first." in html and "The second.</textarea>" in html
    again = re.search(r'name="revision" value="(\d+)"', html)[1]
    assert client.post(f"{page_of(harbour)}notes/", {"discussion_notes": "Both.", "revision": again}).status_code == 302


def test_an_export_meanwhile_is_no_conflict_for_who_writes_notes(harbour):
    client = browser(harbour.mona)
    assert browser(harbour.ada).get(f"{page_of(harbour)}report.csv").status_code == 200
    assert client.post(f"{page_of(harbour)}notes/", {"next_steps": "On.", "revision": 0}).status_code == 302


def test_the_day_of_the_meeting_is_one_that_has_begun_somewhere(harbour):
    evening, mona = datetime(2026, 3, 2, 12, tzinfo=UTC), harbour.mona
    more = {"report_id": harbour.report.report_id, "user": mona, "actor": mona.acting(), "now": evening, "revision": 0}
    with pytest.raises(Invalid, match="future"):
        discuss(harbour.stores, notes=Notes(discussed_on=date(2026, 3, 4)), **more)
    assert discuss(harbour.stores, notes=Notes(discussed_on=date(2026, 3, 3)), **more).discussed_on == date(2026, 3, 3)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"discussed_on": "tomorrow"}, "Enter the day as year, month and day"),
        ({"discussed_on": "2099-01-01"}, "it cannot lie in the future"),
        ({"next_steps": "x" * 10_001}, "Shorten the next steps"),
    ],
    ids=["no day", "a day to come", "too long"],
)
def test_what_cannot_be_saved_is_told_beside_the_field_and_stays(harbour, sent, told):
    answer = browser(harbour.mona).post(
        f"{page_of(harbour)}notes/", {"discussion_notes": "Kept.", "revision": 0, **sent}
    )
    assert answer.status_code == 422
    assert told in answer.content.decode() and "Kept.</textarea>" in answer.content.decode()
    assert harbour.stores.reports.get(harbour.report.report_id).notes_revision == 0


def test_a_person_over_twelve_seasons_takes_two_requests(harbour, store, costs):
    older = active_ladder(store, version="0.9.0")
    for season in (f"{year}-Q{quarter}" for year in (2023, 2024, 2025) for quarter in (1, 2, 3, 4)):
        if season != "2023-Q1":
            plan = plan_of(store, harbour.team, older, season=season, status="completed")
            reported(
                store, plan, harbour.timo.user_id, team=harbour.team, ladder=older, own=(2, 2, 2), by_manager=(2, 3, 2)
            )
    for reader in (harbour.timo, harbour.mona, harbour.ada):
        client = settled(reader)
        with costs(requests=4) as cost:
            page = client.get(f"/reports/member/{harbour.timo.user_id}/")
        assert sum(beyond_sign_in(cost).values()) <= 2
        assert page.content.decode().count('class="manager"') == 2 * 13, "a wide chart and a narrow one"
    client = settled(harbour.timo)
    with costs(requests=5) as cost:
        client.get(page_of(harbour))
    assert sum(beyond_sign_in(cost).values()) <= 3


def test_a_manager_sees_of_a_person_only_the_seasons_of_teams_they_lead(harbour, store):
    other = manager(store, name="Olaf Manager")
    team = team_of(store, other, harbour.timo, name="Quay")
    plan = plan_of(store, team, harbour.ladder, season="2025-Q4", status="completed")
    reported(store, plan, harbour.timo.user_id, team=team, ladder=harbour.ladder, own=(1, 1, 1), by_manager=(1, 1, 1))
    seen = {
        reader.name: text(browser(reader).get(f"/reports/member/{harbour.timo.user_id}/"))
        for reader in (other, harbour.mona, harbour.timo, harbour.ada)
    }
    assert "2025-Q4" in seen["Olaf Manager"] and "2026-Q1" not in seen["Olaf Manager"]
    assert "2026-Q1" in seen["Mona Manager"] and "2025-Q4" not in seen["Mona Manager"]
    assert all("2025-Q4" in seen[name] and "2026-Q1" in seen[name] for name in ("Timo Member", "Ada Admin"))
    assert "2025-Q4" not in text(browser(harbour.mona).get(page_of(harbour)))
    assert "2025-Q4" in text(browser(harbour.timo).get(page_of(harbour)))


def test_who_came_to_lead_the_team_is_not_handed_the_report_on_themselves(harbour):
    stores = harbour.stores
    stores.users.save(harbour.timo.evolve(roles=frozenset({Role.MANAGER})))
    led = harbour.team.with_members({harbour.tim.user_id}).evolve(manager_id=harbour.timo.user_id)
    stores.teams.save(led)
    timos, plan_id = browser(harbour.timo), harbour.plan.plan_id
    for address in (f"/reports/plan/{plan_id}/", f"/reports/plan/{plan_id}/reports.csv"):
        html = timos.get(address).content.decode().partition("<main")  # the side bar says who is signed in
        told = html[2] or html[0]
        assert "Tim Other" in told and "Timo Member" not in told
    (listed,) = timos.get(f"/api/reports/by-plan/{plan_id}").json()["items"]
    assert listed["reportId"] == harbour.tims.report_id


def test_a_team_of_fifty_takes_three_requests(store, costs):
    leader = manager(store)
    people = [team_member(store, name=f"Person {number:02}") for number in range(50)]
    team, ladder = team_of(store, leader, *people), active_ladder(store)
    plan = plan_of(store, team, ladder)
    for number, somebody in enumerate(people):
        level = 1 + number % 7
        reported(
            store, plan, somebody.user_id, team=team, ladder=ladder, own=(4, 4, 4), by_manager=(level, level, level)
        )
    client = settled(leader)
    with costs(requests=5) as cost:
        page = client.get(f"/reports/plan/{plan.plan_id}/")
    html = page.content.decode()
    assert sum(beyond_sign_in(cost).values()) <= 3
    assert "Person 00" in html and "Person 49" in html and "50 of 50" in html
    assert html.count('<svg class="chart heat"') == 2
    assert html.index(">Person 00</text>") < html.index(">Person 49</text>")
    assert browser(leader).get(f"/reports/plan/{plan.plan_id}/?by=competency").status_code == 200


def test_the_organisation_is_read_from_the_counters_of_its_plans(harbour, store, costs):
    second = team_of(store, manager(store, name="Olaf Manager"), team_member(store, name="Tara"), name="Quay")
    plan_of(store, second, harbour.ladder)
    third = team_of(store, manager(store, name="Dora Manager"), team_member(store, name="Tom"), name="Dock")
    plan_of(store, third, harbour.ladder, status="draft")
    client = settled(harbour.ada)
    with costs(requests=4) as cost:
        page = client.get("/reports/organisation/")
    told = text(page)
    assert sum(beyond_sign_in(cost).values()) <= 2
    assert "66 %" in told and "Quay 2026-Q1" in told and "Harbour 2026-Q1" in told
    assert "Dock" not in told, "a draft asks nobody for anything yet"
    assert told.index("Quay 2026-Q1") < told.index("Harbour 2026-Q1"), "the least complete first"
    assert browser(harbour.ada).get("/reports/organisation/?season=2020-Q1").status_code == 404


def test_a_thousand_teams_take_the_organisation_three_requests(store, costs):
    ladder, chief = active_ladder(store), admin(store)
    titles = ("Craft", "People", "Delivery", "Judgement")
    counts = {title: {str(level): 40 for level in range(1, 8)} for title in titles}
    Seasons(store).put_many([Season(season="2026-Q1")])
    plans = Plans(store)
    made = (
        Plan(
            plan_id=f"plan-{number:04}",
            team_id=f"team-{number:04}",
            plan_name=f"Team {number:04}, 2026-Q1",
            season="2026-Q1",
            start_date=date(2026, 1, 5),
            end_date=date(2026, 3, 31),
            status=PlanStatus.COMPLETED,
            config_id=ladder.config_id,
            config_version="1.0.0",
            member_count=10,
            self_submitted=10,
            manager_submitted=number % 11,
            report_count=number % 11,
            level_counts=counts,
        )
        for number in range(1000)
    )
    for part in zip(*[made] * 100, strict=True):
        Transaction(store, *(plans.adding(plan) for plan in part)).commit()
    client = settled(chief)
    with costs(requests=5) as cost:
        page = client.get("/reports/organisation/?season=2026-Q1&page=20")
    assert sum(beyond_sign_in(cost).values()) <= 3, "the seasons, and a thousand plans in one or two"
    told = text(page)
    assert "1,000" in told and "10,000" in told and "40,000" in told
    assert page.content.decode().count("/reports/plan/plan-") == 50
    assert 'rel="next"' not in page.content.decode() and 'rel="prev"' in page.content.decode()


@pytest.mark.parametrize("reader", ["ada", "mona", "timo"])
def test_the_list_leads_everybody_to_what_is_theirs_in_three_requests(harbour, costs, reader):
    client = settled(getattr(harbour, reader))
    with costs(requests=5) as cost:
        page = client.get("/reports/")
    assert sum(beyond_sign_in(cost).values()) <= 3
    leads_to = page_of(harbour) if reader == "timo" else f"/reports/plan/{harbour.plan.plan_id}/"
    assert f'href="{leads_to}"' in page.content.decode()


def test_before_there_is_anything_every_page_says_what_to_do_first(store):
    for somebody, words in (
        (manager(store), "You lead no team yet"),
        (team_member(store), "There is no report on you yet"),
    ):
        assert words in text(browser(somebody).get("/reports/"))
    newcomer = team_member(store, name="New Member")
    assert "There is no report on you yet" in text(browser(newcomer).get(f"/reports/member/{newcomer.user_id}/"))
