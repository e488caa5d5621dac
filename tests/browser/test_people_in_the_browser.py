"""People in the back office as an administrator meets them, and the way in by a link."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.test_pages_are_sound import expect_sound, visit
from tests.browser.watched_pages import PASSWORD, sign_in, watched

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

CHOSEN = "a fine battery staple"


async def add_somebody(page, name, *, role):
    """Add somebody by a link that is shown; the link."""
    await page.goto("/admin/accounts/user/add/")
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("E-mail", exact=True).fill(f"{name.split()[0].lower()}@example.org")
    await page.get_by_label(role, exact=True).check()
    await page.get_by_label("Show me a link").check()
    await page.get_by_role("button", name="Add user").click()
    return await page.locator("[data-copy-text]").inner_text()


async def test_somebody_is_found_given_another_role_and_shut_out(new_context):
    ada, bert = await watched(await new_context()), await watched(await new_context())
    page, other = ada.page, bert.page
    await sign_in(page, "ada")
    await visit(ada, "/admin/accounts/user/add/")
    link = await add_somebody(page, "Bert Browser", role="Viewer")
    await expect_sound(page)

    await other.goto(link)
    assert "link_" not in other.url
    await expect_sound(other)
    await other.get_by_label("New password", exact=True).fill(CHOSEN)
    await other.get_by_label("New password again").fill(CHOSEN)
    await other.keyboard.press("Enter")
    await expect(other.locator("#notices")).to_contain_text("Your password is set")

    await page.goto("/admin/accounts/user/")
    await page.get_by_role("searchbox").fill("bert b")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile(r"q=bert"))
    await page.locator("tbody a").click()
    address = page.url
    await expect(page.get_by_label("Viewer", exact=True)).to_be_checked()
    await page.get_by_label("Operator", exact=True).check()
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("#notices")).to_contain_text("is saved")
    await other.goto("/policy-runs/")
    await expect(other.get_by_role("heading", level=1)).to_contain_text("Policy runs")

    await page.goto(address)
    await expect(page.locator("section tbody tr")).to_have_count(1)
    await page.get_by_label("Active").uncheck()
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("#notices")).to_contain_text("is saved")
    await other.goto("/policy-runs/")
    await expect(other).to_have_url(re.compile("/account/sign-in/"))

    await page.goto(address)
    await expect(page.locator("main")).to_contain_text("is signed in nowhere")
    await page.get_by_role("link", name="History").click()
    await expect(page.locator("tbody tr").first).to_contain_text("user.deactivated")
    ada.expect_no_complaint()
    bert.expect_no_complaint()


async def test_one_signs_somebody_out_and_sets_their_password(new_context):
    ada, vera = await watched(await new_context()), await watched(await new_context())
    page = ada.page
    await sign_in(page, "ada")
    await sign_in(vera.page, "vera")
    await page.goto("/admin/accounts/user/?q=vera")
    await page.locator("tbody a").click()
    await expect_sound(page)
    address = page.url
    await page.get_by_role("button", name="Sign out everywhere").click()
    await page.get_by_role("dialog").get_by_role("button", name="Sign out everywhere").click()
    await expect(page.locator("#notices")).to_contain_text("is signed out everywhere")
    await vera.page.goto("/account/")
    await expect(vera.page).to_have_url(re.compile("/account/sign-in/"))
    await page.goto(address)
    await page.get_by_role("link", name="Set password").click()
    await page.get_by_label("New password").fill("password1234")
    await page.get_by_role("button", name="Set password").click()
    await expect(page.locator("[data-error-summary]")).to_be_focused()
    await expect_sound(page)
    await page.get_by_label("New password").fill(PASSWORD)  # the one that other tests know
    await page.get_by_role("button", name="Set password").click()
    await expect(page.locator("#notices")).to_contain_text("The password is set")
    ada.expect_no_complaint("422")


async def test_the_way_back_in_is_sound(new_context):
    stranger = await watched(await new_context())
    page = stranger.page
    await page.goto("/account/sign-in/")
    await page.get_by_role("link", name="Forgot password?").click()
    await expect_sound(page)
    await page.get_by_label("E-mail").fill("nobody@example.org")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Look into your mail")
    await expect_sound(page)
    await page.goto("/account/link/link_made-up/")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("does not work any more")
    await expect_sound(page)
    stranger.expect_no_complaint("410")
