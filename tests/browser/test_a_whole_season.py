"""A season as a team lives it: planned, assessed from both sides, reported on, handed out, read by who it is about."""

import json
import re
from pathlib import Path

import pypdfium2
import pytest
from playwright.async_api import Page, expect

from tests.browser.watched_pages import sign_in, watched

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

TEAM = "Night Ferry"
SEASON = "2031-Q1"
MEMBERS = {"freya": "Freya Hollis", "goran": "Goran Babić"}


async def test_a_season_is_lived_from_its_plan_to_the_member_who_reads_the_report(new_context, tmp_path):
    ada, mara, freya, goran = [await watched(await new_context(accept_downloads=True)) for _ in range(4)]
    await sign_in(ada.page, "ada")
    await _make_the_team(ada.page)
    await sign_in(mara.page, "mara")
    plan = await _plan_the_season(mara.page)

    for somebody, person in ((freya, "freya"), (goran, "goran")):
        await sign_in(somebody.page, person)
        await _open_from_home(somebody.page)
        own = somebody.page.url
        await _assess(somebody.page, level="4", text=f"{person} carried the *night shift*.")
        await somebody.page.goto(own)
        await expect(somebody.page.locator("input[type=radio]")).to_have_count(0)

    await mara.page.goto(plan)
    await expect(mara.page.get_by_role("main")).to_contain_text("2 of 4 assessments submitted")
    for name, level in ((MEMBERS["freya"], "7"), (MEMBERS["goran"], "3")):
        await mara.page.goto(plan)
        await mara.page.get_by_role("link", name=re.compile(f"^.*manager.s assessment of {name}")).click()
        await expect(mara.page.get_by_text(re.compile(f"{name}.s own view")).first).to_be_visible()
        assert await _refused(freya.page, mara.page.url), "the member does not see the manager's assessment"
        await _assess(mara.page, level=level, text=f"Seen from outside: {level}.")

    await mara.page.goto(plan)
    await mara.page.get_by_role("link", name=f"Report on {MEMBERS['freya']}").click()
    report = mara.page.url
    main = mara.page.get_by_role("main")
    await expect(main).to_contain_text("7 Luminary")
    await expect(main).to_contain_text("4 Specialist")
    await expect(main.get_by_role("img").first).to_be_visible()
    await expect(main.locator("tr.far")).to_have_count(12)
    await mara.page.get_by_label("Agreed next steps").fill("Hand the night shift over.")
    await mara.page.get_by_role("button", name="Save the notes").click()
    await expect(mara.page.get_by_label("Agreed next steps")).to_have_value("Hand the night shift over.")
    await _take_it_away(mara.page, tmp_path)

    await freya.page.goto("/reports/")
    await freya.page.get_by_role("main").get_by_role("link", name=re.compile(SEASON)).first.click()
    await expect(freya.page).to_have_url(report)
    await expect(freya.page.get_by_role("main")).to_contain_text("Seen from outside: 7.")
    await expect(freya.page.get_by_role("main")).to_contain_text("Hand the night shift over.")
    await expect(freya.page.get_by_role("link", name="PDF")).to_have_count(0)
    assert await _refused(goran.page, report), "a colleague's report is not there"

    await mara.page.goto(plan)
    await mara.page.get_by_role("button", name="Complete").click()
    await mara.page.get_by_role("dialog").get_by_role("button", name="Complete").click()
    await expect(mara.page.locator(".head")).to_contain_text("Completed")
    for somebody in (ada, mara):
        somebody.expect_no_complaint()
    for somebody in (freya, goran):
        somebody.expect_no_complaint("404")


async def _make_the_team(page: Page) -> None:
    await page.goto("/teams/new/")
    await page.get_by_label("Name").fill(TEAM)
    await page.get_by_label("Manager").fill("mara@example.org")
    await page.get_by_role("button", name="Make team").click()
    await expect(page.get_by_role("heading", name=TEAM)).to_be_visible()
    await page.wait_for_load_state()  # the search follows typing from then on
    for name in MEMBERS.values():
        await page.get_by_label("Name begins with").fill(name)
        await page.get_by_role("checkbox", name=name).check()
    await page.get_by_role("button", name="Add chosen").click()
    for name in MEMBERS.values():
        await expect(page.get_by_role("rowheader", name=name)).to_be_visible()


async def _plan_the_season(page: Page) -> str:
    await page.goto("/plans/")
    await page.get_by_role("link", name="New plan").click()
    await page.get_by_role("link", name=TEAM).click()
    await page.get_by_label("Name").fill(f"{TEAM} {SEASON}")
    await page.get_by_label("Season").fill(SEASON)
    await page.get_by_label("Start").fill("2031-01-06")
    await page.get_by_label(re.compile("End|Due")).fill("2031-03-28")
    await page.get_by_role("button", name="Prepare the plan").click()
    await expect(page.locator(".head")).to_contain_text("Draft")
    await page.get_by_role("button", name="Activate").click()
    await page.get_by_role("dialog").get_by_role("button", name="Activate").click()
    await expect(page.locator(".head")).to_contain_text("Active")
    await expect(page.get_by_role("main")).to_contain_text("0 of 4 assessments submitted")
    return page.url


async def _open_from_home(page: Page) -> None:
    """What waits for somebody is on their first page."""
    await page.goto("/")
    row = page.locator("li, tr").filter(has_text=SEASON)
    await row.get_by_role("link").first.click()
    await expect(page.locator("[data-fill-in]")).to_be_visible()


async def _assess(page: Page, *, level: str, text: str) -> None:
    """Go through every category, then submit."""
    steps = await page.locator("nav a[href*='category=']").count()
    first = page.locator("nav a[href*='category=']").first
    await first.click()
    for step in range(steps):
        await expect(page.locator("nav a[href*='category=']").nth(step)).to_have_attribute(
            "aria-current", re.compile(".")
        )
        for competency in await page.locator("[data-competency]").all():
            await competency.locator(f"label[for^=level-][for$='-{level}']").click()
            await competency.get_by_label("What shows this level?").fill(text)
        await page.get_by_role("button", name=re.compile("^Save, and on|^Review")).click()
    await expect(page.get_by_role("heading", name=re.compile("^Review"))).to_be_visible()
    await page.get_by_label("Overall level").select_option(level)
    await page.get_by_label("Way forward").fill("Onwards.")
    await page.get_by_role("button", name="Submit …").click()
    await page.get_by_role("dialog").get_by_role("button", name="Submit").click()
    await expect(page.locator("[data-fill-in]")).to_have_count(0)
    await expect(page.locator(".head")).to_contain_text("Submitted")


async def _take_it_away(page: Page, folder: Path) -> None:
    """The same report on paper, in a sheet and for machines."""
    pdf, sheet, machines = [await _downloaded(page, name, folder) for name in ("PDF", "CSV", "JSON")]
    document = pypdfium2.PdfDocument(pdf)
    text = "\n".join(leaf.get_textpage().get_text_bounded() for leaf in document)
    for words in (MEMBERS["freya"], SEASON, "7 Luminary", "Seen from outside: 7.", "Hand the night shift over."):
        assert words in text, words
    assert sheet.read_text(encoding="utf-8-sig").count("\n") >= 13
    told = json.loads(machines.read_text())
    assert "Seen from outside: 7." in json.dumps(told, ensure_ascii=False)


async def _downloaded(page: Page, link: str, folder: Path) -> Path:
    async with page.expect_download() as download:
        await page.get_by_role("link", name=link, exact=True).click()
    target = folder / f"report.{link.lower()}"
    await (await download.value).save_as(target)
    return target


async def _refused(page: Page, address: str) -> bool:
    """Whether this page is not there for somebody."""
    answer = await page.request.get(address)
    return answer.status == 404
