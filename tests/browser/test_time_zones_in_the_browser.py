"""Times as a reader in another zone sees them, with a script and without one."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.test_pages_are_sound import expect_sound
from tests.browser.watched_pages import sign_in, watched

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

SHOWN = "time => [time.textContent, new Date(time.dateTime).getTime()]"
IN_ZONE = """([instant, zone]) => new Intl.DateTimeFormat(
    "en-GB", {timeZone: zone, hour: "2-digit", minute: "2-digit"}).format(new Date(instant))"""


async def shown_and_expected(page, zone: str) -> tuple[str, str]:
    """What the newest session's first time says, and what the clock said then in a zone."""
    await page.goto("/account/sessions/")
    text, instant = await page.locator("time").first.evaluate(SHOWN)
    return text, await page.evaluate(IN_ZONE, [instant, zone])


async def test_script_and_server_agree_on_the_readers_zone(new_context):
    context = await new_context(timezone_id="Asia/Tokyo")
    vera = await watched(context)
    page = vera.page
    await sign_in(page, "vera", path="/account/")
    text, expected = await shown_and_expected(page, "Asia/Tokyo")
    assert text == f"Today {expected}"
    assert {cookie["name"]: cookie["value"] for cookie in await context.cookies()}["time-zone"] == "Asia/Tokyo"
    sent = await (await context.request.get("/account/sessions/")).text()
    assert re.search(r">\d+ \w+ \d\d:\d\d JST</time>", sent)

    await page.goto("/account/")
    await page.get_by_label("Time zone").select_option("America/New_York")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("data-time-zone", "America/New_York")
    await expect_sound(page)
    text, expected = await shown_and_expected(page, "America/New_York")
    assert text.endswith(expected)
    sent = await (await context.request.get("/account/sessions/")).text()
    assert re.search(rf">\d+ \w+ {expected} E[SD]T</time>", sent)

    await page.goto("/account/")
    await page.get_by_label("Time zone").select_option("")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("html")).not_to_have_attribute("data-time-zone", re.compile(".*"))
    vera.expect_no_complaint()
