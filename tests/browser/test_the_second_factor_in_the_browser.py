"""A second factor as its owner handles it: set up with a real code, asked for at sign-in, recovered from."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from playwright.async_api import Page, expect

from tests.browser.test_pages_are_sound import expect_sound
from tests.browser.watched_pages import PASSWORD, sign_in, watched

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


def code_of(key: str, *, steps: int = 0) -> str:
    """What an app with this key shows some steps of 30 seconds from now."""
    return pyotp.TOTP(key.replace(" ", "")).at(datetime.now(UTC) + timedelta(seconds=30 * steps))


async def show_password(page: Page) -> None:
    await page.goto("/account/sign-in/?next=/account/second-factor/")
    await page.get_by_label("E-mail").fill("sam@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Enter your code")).to_be_visible()


async def set_up(page: Page) -> tuple[str, list[str]]:
    """Set it up from the account's page; return the key and the recovery codes."""
    await page.get_by_role("link", name="Second factor").click()
    await expect_sound(page)
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.get_by_role("button", name="Set up").click()
    await expect(page.get_by_role("img", name="QR code")).to_be_visible()
    assert await page.locator(".qr").evaluate("image => image.complete && image.naturalWidth > 100")
    await expect_sound(page)
    key = await page.locator("#factor-key").inner_text()
    await page.get_by_label("Code", exact=True).fill("000000")
    await page.get_by_role("button", name="Switch on").click()
    await expect(page.locator("[data-error-summary]")).to_be_focused()
    await expect_sound(page)
    await page.get_by_label("Code", exact=True).fill(code_of(key, steps=-1))
    await page.get_by_role("button", name="Switch on").click()
    await expect(page.get_by_role("heading", name="Keep these recovery codes now")).to_be_visible()
    await expect_sound(page)
    return key, (await page.locator("#codes").inner_text()).split()


async def keep(page: Page, codes: list[str]) -> None:
    """Copy and download the recovery codes, and go on."""
    assert len(codes) == 10
    await page.get_by_role("button", name="Copy").click()
    await expect(page.locator("[data-copy-from]")).to_have_text("Copied")
    assert (await page.evaluate("() => navigator.clipboard.readText()")).split() == codes
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download").click()
    kept = await (await download.value).path()
    assert kept.read_text().split() == codes
    await page.get_by_role("link", name="I have kept them").click()
    await expect(page.get_by_text("10 left")).to_be_visible()
    await expect_sound(page)


async def recover(page: Page, code: str) -> None:
    """Sign in with a recovery code, after a wrong one."""
    await page.get_by_role("link", name="Use a recovery code").click()
    await expect_sound(page)
    await page.get_by_label("Recovery code").fill("wrong-wrong-wrong")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("[data-error-summary]")).to_be_focused()
    await expect_sound(page)
    await page.get_by_label("Recovery code").fill(code)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("9 codes are left")).to_be_visible()


async def test_it_is_set_up_asked_for_recovered_from_and_switched_off(new_context):
    context = await new_context()
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    sam = await watched(context)
    page = sam.page
    await sign_in(page, "sam", path="/account/")
    key, codes = await set_up(page)
    await keep(page, codes)

    await page.get_by_role("button", name="Sign out").click()
    await show_password(page)
    await expect_sound(page)
    await page.get_by_label("Code", exact=True).fill(code_of(key))
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await show_password(page)
    await recover(page, codes[0])

    await page.get_by_role("link", name="Make new recovery codes").click()
    await expect_sound(page)
    await page.goto("/account/second-factor/switch-off/")
    await expect_sound(page)
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.get_by_label("Code", exact=True).fill(codes[1])
    await page.get_by_role("button", name="Switch off").click()
    await expect(page.get_by_text("Your second factor is switched off.")).to_be_visible()
    sam.expect_no_complaint("422")
