"""Reports of the demo organisation in the browser: every page sound in both themes, notes from one to the other."""

import re

import pypdfium2
import pytest
from playwright.async_api import expect

from tests.browser.test_pages_are_sound import expect_sound, visit
from tests.browser.watched_pages import sign_in, watched

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

REPORT = re.compile(r"/reports/[0-9a-f-]{36}/(\?.*)?(#.*)?$")
PLAN = re.compile(r"/reports/plan/[0-9a-f-]{36}/")


async def reader(new_context, name):
    watcher = await watched(await new_context())
    await sign_in(watcher.page, name, path="/reports/")
    return watcher


async def test_every_page_of_reports_is_sound_for_an_administrator(new_context):
    ada = await reader(new_context, "ada")
    page = ada.page
    await visit(ada, "/reports/")
    await visit(ada, "/reports/organisation/")
    await expect(page.locator("svg.distribution")).to_be_visible()
    await page.goto("/reports/")
    await page.get_by_label("Season", exact=True).select_option(index=1)
    await page.get_by_role("button", name="Show", exact=True).click()
    await page.locator("main tbody th a").first.click()
    await page.wait_for_url(PLAN)
    await expect(page.locator("svg.heat")).to_be_visible()
    await expect_sound(page)
    await page.get_by_role("link", name="By competency").click()
    await expect_sound(page)
    await page.get_by_role("region", name="Members").locator("tbody th a").first.click()
    await page.wait_for_url(REPORT)
    await expect(page.locator("svg.radar")).to_be_visible()
    await expect_sound(page)
    await page.get_by_role("link", name="By competency").click()
    await expect(page.locator("svg.radar")).to_contain_text("Planning")
    await page.get_by_role("link", name="All seasons by category").click()
    await expect(page.locator("svg.trend")).to_be_visible()
    await expect_sound(page)
    await visit(ada, "/admin/assessments/report/")
    ada.expect_no_complaint()


@pytest.mark.needs_pango
async def test_what_the_manager_notes_after_the_meeting_the_member_reads(new_context):
    mara = await reader(new_context, "mara")
    page = mara.page
    await expect_sound(page)
    await page.locator("main tbody th a").first.click()
    await page.wait_for_url(PLAN)
    members = page.get_by_role("region", name="Members").locator("tbody th a")
    name = await members.first.inner_text()
    await members.first.click()
    await page.wait_for_url(REPORT)
    address = page.url.split("#")[0]
    await page.get_by_label("Discussed on").fill("2099-01-01")
    await page.get_by_label("Agreed next steps").fill("- **Pair** with Aino on releases")
    await page.get_by_role("button", name="Save the notes").click()
    await expect(page.locator("[data-error-summary]")).to_contain_text("cannot lie in the future")
    await expect(page.get_by_label("Agreed next steps")).to_have_value("- **Pair** with Aino on releases")
    await expect_sound(page)
    await page.get_by_label("Discussed on").fill("2026-01-15")
    await page.get_by_role("button", name="Save the notes").click()
    await expect(page.locator("#notices")).to_contain_text("The notes are saved.")
    await expect_sound(page)
    async with page.expect_download() as download:
        await page.get_by_role("link", name="PDF").click()
    document = pypdfium2.PdfDocument(await (await download.value).path())
    told = "".join(sheet.get_textpage().get_text_range() for sheet in document)
    assert name in told and "Pair with Aino on releases" in told
    document.close()

    member = await reader(new_context, name.split()[0].casefold())
    await member.page.locator(f"main a[href='{address[address.index('/reports/') :]}']").first.click()
    await expect(member.page.locator("#meeting li strong")).to_have_text("Pair")
    await expect(member.page.get_by_role("link", name="PDF")).to_have_count(0)
    await expect_sound(member.page)
    await member.page.goto("/reports/")
    await expect_sound(member.page)
    mara.expect_no_complaint("422")
    member.expect_no_complaint()
