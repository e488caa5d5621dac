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


async def test_two_administrators_change_the_same_host_and_then_it_goes(new_context):
    ada, second = await watched(await new_context()), await watched(await new_context())
    page, other = ada.page, second.page
    await sign_in(page, "ada")
    await sign_in(other, "ada")
    await visit(ada, "/admin/terminal/host/add/")
    await page.get_by_label("Name").fill("no spaces here")
    await page.get_by_role("button", name="Add host").click()
    await expect(page.locator("[data-error-summary]")).to_be_focused()
    await expect_sound(page)
    for label, text in (("Name", "browsers-own"), ("Address", "192.0.2.1"), ("Port", "992")):
        await page.get_by_label(label, exact=True).fill(text)
    await page.keyboard.press("Enter")
    await expect(page.locator("#notices")).to_contain_text("is added")

    address = "/admin/terminal/host/browsers-own/change/"
    await page.goto(address)
    await other.goto(address)
    await other.get_by_label("Description").fill("Theirs")
    await other.get_by_role("button", name="Save", exact=True).click()
    await expect(other.locator("#notices")).to_contain_text("is saved")
    await page.get_by_label("Description").fill("Mine")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("section tbody tr")).to_contain_text("Theirs")
    await expect_sound(page)
    await page.get_by_role("button", name="Save mine").click()
    await expect(page.locator("#notices")).to_contain_text("is saved")

    await page.goto(address)
    await page.get_by_role("link", name="History").click()
    await expect(page.locator("tbody tr")).to_have_count(3)
    await expect(page.locator("tbody tr").first).to_contain_text("Theirs → Mine")
    await expect_sound(page)
    await page.go_back()
    await page.get_by_role("link", name="Delete").click()
    await expect_sound(page)
    await page.get_by_role("button", name="Delete").click()
    await expect(page.locator("#notices")).to_contain_text("is deleted")
    ada.expect_no_complaint("422", "409")
    second.expect_no_complaint()
