"""The back office as an administrator meets it: sound in both themes, narrow and wide, and quiet under the policy."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.test_pages_are_sound import expect_sound, visit
from tests.browser.watched_pages import sign_in, watched

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


async def test_an_administrator_finds_a_user_and_a_host(new_context):
    ada = await watched(await new_context())
    page = ada.page
    await sign_in(page, "ada")
    await page.get_by_role("link", name="Back office").click()
    await expect_sound(page)
    await page.get_by_role("link", name="Users").click()
    await expect_sound(page)
    await page.get_by_role("searchbox").fill("ol")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile(r"q=ol"))
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.locator("tbody a").click()
    await expect(page.locator("main")).to_contain_text("Operator")
    await expect_sound(page)
    await visit(ada, "/admin/accounts/user/?q=nobody")
    await visit(ada, "/admin/terminal/host/")
    await page.get_by_role("link", name="demo").click()
    await expect_sound(page)
    ada.expect_no_complaint()
