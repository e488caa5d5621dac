"""The audit log in the browser: sound in every state, used by keyboard, downloaded, and the download found in it."""

import csv
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.test_pages_are_sound import expect_sound
from tests.browser.watched_pages import sign_in, watched

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

A_PAGE = 50  # of what the demo data did


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


async def test_an_administrator_follows_a_person_through_the_log_and_takes_it_away(new_context):
    ada = await watched(await new_context())
    page = ada.page
    await sign_in(page, "ada")
    await page.get_by_role("link", name="Audit log").click()
    await expect(page.get_by_role("heading", name="Audit log")).to_be_visible()
    await expect(page.locator(".trail tbody tr").first).to_be_visible()
    await expect_sound(page)

    await page.get_by_label("Action begins with").fill("user.created")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("action=user.created"))
    await page.locator(".trail").get_by_role("link", name="demo data").first.click()
    await page.wait_for_url(re.compile("actor=command%3Ademo"))
    await expect(page.locator(".trail tbody tr")).to_have_count(A_PAGE)
    await page.get_by_label("Action begins with").fill("user.created")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("action=user.created"))
    await page.locator(".trail td:nth-child(2) a").first.click()
    await page.wait_for_url(re.compile("object=Users%23"))
    await expect_sound(page)

    async with page.expect_download() as download:
        await page.get_by_role("link", name="Export as CSV").click()
    rows = read_csv(await (await download.value).path())
    assert "user.created" in {row["action"] for row in rows}
    assert len({row["object"] for row in rows}) == 1
    await page.goto("/audit/")
    await expect(page.locator(".trail tbody tr").first).to_contain_text("audit.exported")

    await page.get_by_label("Who").fill("nobody@example.org")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator("[data-error-summary]")).to_be_focused()
    await expect_sound(page)
    await page.goto("/audit/?object=Nothing%231")
    await expect(page.get_by_text("Nothing was recorded for this choice.")).to_be_visible()
    await expect_sound(page)
    ada.expect_no_complaint("422")
