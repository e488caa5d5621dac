"""API tokens as their owner handles them: copied, used by a program, and revoked."""

import pytest
from playwright.async_api import expect

from tests.browser.test_pages_are_sound import expect_sound
from tests.browser.watched_pages import PASSWORD, sign_in, watched

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


async def test_a_token_is_made_copied_used_and_revoked(new_context, site):
    context = await new_context()
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    vera = await watched(context)
    page = vera.page
    await sign_in(page, "vera", path="/account/")
    await page.get_by_role("link", name="API tokens").click()
    await expect_sound(page)
    await expect(page.get_by_text("You have no API token")).to_be_visible()
    await page.get_by_role("button", name="Create token").click()
    await expect(page.locator("[data-error-summary]")).to_be_focused()
    await expect_sound(page)

    await page.get_by_label("Name").fill("nightly export")
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.get_by_role("button", name="Create token").click()
    await expect(page.get_by_role("heading", name="Copy “nightly export” now")).to_be_visible()
    await expect_sound(page)
    shown = await page.locator("#made-text").inner_text()
    copy = page.locator("[data-copy-from]")
    await copy.click()
    await expect(copy).to_have_text("Copied")
    assert await page.evaluate("() => navigator.clipboard.readText()") == shown
    await expect(copy).to_have_text("Copy")

    program = await new_context(extra_http_headers={"Authorization": f"Bearer {shown}"})
    answer = await program.request.get("/api/policy-runs/01JZZZZZZZZZZZZZZZZZZZZZZZ")
    assert answer.status == 404, "it is known who asks; a viewer may see no run"
    await page.goto("/account/tokens/")
    assert shown not in await page.content()
    await page.get_by_role("button", name="Revoke nightly export").click()
    await expect(page.get_by_role("dialog")).to_contain_text(shown[-4:])
    await expect_sound(page)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await page.get_by_role("button", name="Revoke nightly export").press("Enter")
    await page.get_by_role("button", name="Revoke token").click()
    await expect(page.get_by_text("“nightly export” is revoked")).to_be_visible()
    refused = await program.request.get("/api/policy-runs/01JZZZZZZZZZZZZZZZZZZZZZZZ")
    assert refused.status == 401
    vera.expect_no_complaint("422")
