"""The first page of each kind of person, with the demo's seasons on it."""

import pytest
from playwright.async_api import expect

from tests.browser.test_pages_are_sound import expect_sound
from tests.browser.watched_pages import sign_in, watched

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(
    ("who", "heading"),
    [
        ("ada", "Plans under way"),
        ("mara", "People I have to assess"),
        ("timo", "My trend"),
        ("tomasz", "My teams"),
    ],
)
async def test_it_is_sound_and_leads_on(new_context, who, heading):
    watcher = await watched(await new_context())
    page = watcher.page
    await sign_in(page, who)
    await expect(page.get_by_role("heading", name=heading)).to_be_visible()
    await expect_sound(page)
    addresses = await page.locator("main section a[href^='/']").evaluate_all(
        "links => links.map(link => link.pathname)"
    )
    for address in sorted(set(addresses))[:12]:
        answer = await page.request.get(address)
        assert answer.status == 200, f"{address} for {who}"
