"""Single sign-on clicked through: a provider on another origin, our strict policy for content, both ways back."""

import re

import pytest
from playwright.async_api import expect

from tests.accounts.oidc_provider import CLIENT_ID, CLIENT_SECRET, served
from tests.browser.served_site import served_site
from tests.browser.test_pages_are_sound import expect_sound
from tests.browser.watched_pages import PASSWORD, sign_in, watched

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture(scope="module")
def with_provider(tmp_path_factory):
    """A site that is set to a provider, and the provider."""
    with served() as provider:
        provider.shows_a_page = True
        variables = {
            "RUNGS_OIDC_ISSUER": provider.issuer,
            "RUNGS_OIDC_CLIENT_ID": CLIENT_ID,
            "RUNGS_OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "RUNGS_OIDC_LABEL": "Example ID",
        }
        with served_site(tmp_path_factory.mktemp("single-sign-on"), **variables) as site:
            provider.redirect_uris = frozenset({f"{site}/account/single-sign-on/callback/"})
            yield site, provider


async def go_on(page):
    """Click through at the provider."""
    await expect(page.get_by_role("heading", name="Example ID")).to_be_visible()
    await page.get_by_role("link", name="Go on as").click()


async def test_an_account_is_connected_used_and_disconnected(browser, with_provider):
    site, provider = with_provider
    context = await browser.new_context(base_url=site, viewport={"width": 1280, "height": 900})
    ada = await watched(context)
    page = ada.page
    await page.goto("/policy-runs/")
    button = page.get_by_role("link", name="Sign in with Example ID")
    await expect(button).to_be_visible()
    await expect_sound(page)

    await button.focus()
    await page.keyboard.press("Enter")
    await go_on(page)
    await expect(page.get_by_role("heading", name="No account for you yet")).to_be_visible()
    await expect_sound(page)

    await page.get_by_role("link", name="Sign in with a password").click()
    await sign_in(page, "ada", path="/account/")
    await page.get_by_role("link", name="Single sign-on", exact=True).click()
    await expect_sound(page)
    await page.get_by_role("button", name="Connect with Example ID").click()
    await expect(page.locator("[data-error-summary]")).to_be_focused()
    await page.get_by_label("Current password").fill(PASSWORD)
    await page.get_by_role("button", name="Connect with Example ID").click()
    await go_on(page)
    await expect(page.get_by_text("From now on you can sign in with Example ID")).to_be_visible()
    await expect_sound(page)

    await page.get_by_role("button", name="Sign out").click()
    await page.goto("/policy-runs/")
    await page.get_by_role("link", name="Sign in with Example ID").click()
    await go_on(page)
    await page.wait_for_url(re.compile("/policy-runs/$"))
    await expect(page.locator(".person")).to_contain_text("ada@example.org")

    await page.goto("/account/single-sign-on/")
    await page.get_by_label("Current password").fill(PASSWORD)
    await page.get_by_role("button", name="Disconnect").click()
    await expect(page.get_by_text("does not sign you in here any more")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()

    provider.error = "access_denied"
    await page.get_by_role("link", name="Sign in with Example ID").click()
    await go_on(page)
    await expect(page.get_by_role("heading", name="You were not let in")).to_be_visible()
    provider.error = ""
    await page.go_back()
    await page.goto("/account/single-sign-on/callback/?state=x&code=y")
    await expect(page.get_by_role("heading", name="This sign-in is over")).to_be_visible()
    await expect_sound(page)
    assert CLIENT_SECRET not in await ada.everything()
    ada.expect_no_complaint("403", "422", "400", "favicon")
    await context.close()
