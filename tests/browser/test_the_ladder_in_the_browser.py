"""A new version of the ladder, from what one types to its activation: checked, kept, compared; sound in both themes."""

import re

import pytest
from django.conf import settings
from playwright.async_api import Page, expect

from apps.ladders.demo import DEMO_LADDER
from tests.browser.served_site import served_site
from tests.browser.test_pages_are_sound import expect_sound
from tests.browser.watched_pages import PASSWORD, sign_in, watched

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

DOCUMENT = DEMO_LADDER.read_text(encoding="utf-8")
SELECTED = "area => area.value.slice(area.selectionStart, area.selectionEnd)"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of a server whose ladder nobody else changes."""
    with served_site(tmp_path_factory.mktemp("ladder")) as address:
        yield address


def content_of(page: Page):
    return page.get_by_label("The ladder, as Markdown")


async def test_a_version_is_written_corrected_stored_compared_and_activated(new_context):
    ada = await watched(await new_context())
    page = ada.page
    await sign_in(page, "ada", path="/ladder/new/")
    await expect_sound(page)
    await content_of(page).fill(DOCUMENT.replace("## Testing", "### Testing", 1))
    problem = page.locator("#check [data-line]").first
    await expect(problem).to_have_text("Line 45")
    await expect_sound(page)
    await problem.focus()
    await page.keyboard.press("Enter")
    await expect(content_of(page)).to_be_focused()
    assert await content_of(page).evaluate(SELECTED) == "### Testing"

    await page.get_by_role("button", name="Store this version").click()
    await expect(page.locator("[data-error-summary]")).to_be_focused()
    await expect(content_of(page)).to_have_value(re.compile("### Testing"))
    await expect_sound(page)

    changed = DOCUMENT.replace("Runs the existing tests", "Runs the tests").replace("## Deciding", "## Choosing")
    await content_of(page).fill(changed)
    await expect(page.locator("#check")).to_contain_text("Ready to store")
    await page.locator("#check").get_by_text("Choosing", exact=True).click()
    await expect_sound(page)
    await page.get_by_label("Note").fill("A word less.")
    await page.get_by_role("button", name="Store this version").click()
    await expect(page.locator("#notices")).to_contain_text("It is not active yet")
    await expect_sound(page)
    first = page.url

    await page.get_by_role("button", name="Activate …").click()
    await expect(page.get_by_role("dialog")).to_contain_text("keep the version they were made with")
    await expect_sound(page)
    await page.get_by_role("button", name="Activate", exact=True).click()
    await expect(page.locator("#notices")).to_contain_text("is active")
    await expect_sound(page)
    await page.get_by_role("link", name="3 Practitioner").click()
    await expect(page.locator(".level-card.chosen")).to_have_count(12)
    await expect_sound(page)

    await page.goto("/ladder/new/")
    await page.get_by_label("Or a file").set_input_files(DEMO_LADDER)
    await expect(page.locator("#check")).to_contain_text("Ready to store")
    await page.get_by_role("button", name="Store this version").click()
    await expect(page.get_by_role("heading", name="Compared with the active version")).to_be_visible()
    await expect(page.locator(".side-by-side")).to_contain_text("Runs the existing tests")
    await expect(page.locator(".difference-facts")).to_contain_text("Choosing in Judgement → Deciding in Judgement")
    await expect_sound(page)

    await page.goto("/ladder/versions/")
    await expect(page.locator("tbody tr", has_text="A word less.")).to_contain_text("Active")
    await expect_sound(page)
    await page.goto("/admin/ladders/ladderversion/")
    await expect_sound(page)
    await page.goto(first)
    ada.expect_no_complaint("422")


async def test_what_was_typed_survives_the_end_of_the_session(new_context):
    context = await new_context()
    ada = await watched(context)
    page = ada.page
    await sign_in(page, "ada", path="/ladder/new/")
    await content_of(page).fill("# Mine\n")
    await expect(page.locator("#check")).to_contain_text("has no competency")
    await context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    await content_of(page).press_sequentially("## And more\n")
    await expect(page.get_by_label("Password")).to_be_visible()
    await page.get_by_label("E-mail").fill("ada@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()

    await expect(content_of(page)).to_have_value(re.compile(r"# Mine"))
    await expect(content_of(page)).to_have_value(re.compile(r"## And more"))
    await expect(page.locator("[data-draft-notice]")).to_contain_text("is back")
    await expect(page.locator("#check")).to_contain_text("has no levels")
    await expect_sound(page)
    ada.expect_no_complaint("401")
