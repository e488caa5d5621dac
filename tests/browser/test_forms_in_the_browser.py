"""Forms with rows in them, rows of children, history and deletion: by keyboard, narrow and wide, in both themes."""

import os
import subprocess
import sys

import pytest
from playwright.async_api import expect

from tests.browser.served_site import ROOT, served_site
from tests.browser.test_pages_are_sound import expect_sound
from tests.browser.watched_pages import sign_in, watched

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

SHIP = "/admin/console/ship/s-1/"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of a server whose back office has ships."""
    data = tmp_path_factory.mktemp("ships")
    settings = {"DJANGO_SETTINGS_MODULE": "tests.browser.ship_settings"}
    with served_site(data, **settings) as address:
        known = {**os.environ, **settings, "RUNGS_DATA_DIR": str(data)}
        subprocess.run([sys.executable, "-m", "tests.browser.ship_data"], cwd=ROOT, env=known, check=True)
        yield address


async def test_rows_inside_a_form_are_added_and_removed_by_keyboard(new_context):
    ada = await watched(await new_context())
    page = ada.page
    await sign_in(page, "ada")
    await page.goto(f"{SHIP}change/")
    cargo = page.locator("#id_cargo")
    add = cargo.get_by_role("button", name="Add another row")
    await add.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("[name=cargo-3-mark]")).to_be_focused()
    await expect_sound(page)
    await page.keyboard.type("C")
    await cargo.get_by_label("Remove this row").first.focus()
    await page.keyboard.press("Space")
    await page.get_by_role("button", name="Save and continue editing").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#notices")).to_contain_text("is saved")
    await expect(page.locator("[name=cargo-0-mark]")).to_have_value("B")
    await expect(page.locator("[name=cargo-1-mark]")).to_have_value("C")
    await page.goto(f"{SHIP}history/")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await expect_sound(page)
    ada.expect_no_complaint()


async def test_a_form_that_is_too_large_is_not_sent_and_keeps_what_was_typed(new_context):
    ada = await watched(await new_context())
    page = ada.page
    await sign_in(page, "ada")
    await page.goto(f"{SHIP}change/")
    notes = page.get_by_label("Notes")
    await notes.evaluate("area => { area.value = JSON.stringify('x'.repeat(1_100_000)); }")
    ada.asked.clear()
    await page.get_by_role("button", name="Save", exact=True).click()
    told = page.get_by_role("alert")
    await expect(told).to_be_focused()
    await expect(told).to_contain_text("1024 KB can be sent at once")
    assert not [one for one in ada.asked if one.startswith("POST")]
    assert await notes.evaluate("area => area.value.length") == 1_100_002
    await notes.fill("{}")
    await expect_sound(page)
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("#notices")).to_contain_text("is saved")
    ada.expect_no_complaint()


async def test_children_are_changed_as_rows_and_what_is_refused_is_told(new_context):
    ada = await watched(await new_context())
    page = ada.page
    await sign_in(page, "ada")
    await page.goto(f"{SHIP}change/")
    await page.get_by_role("link", name="Change these").click()
    await expect_sound(page)
    await page.locator("[name=row-0-tons]").fill("5000")
    await page.locator("[name=row-2-port]").fill("Riga")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-error-summary]")).to_be_focused()
    await page.get_by_role("link", name="Enter 1000 or less.").click()
    await expect(page.locator("[name=row-0-tons]")).to_be_focused()
    await expect_sound(page)
    await page.locator("[name=row-0-tons]").fill("50")
    await page.get_by_role("button", name="Save rows").click()
    await expect(page.locator("#notices")).to_contain_text("One row is saved.")
    await page.get_by_role("link", name="Delete").click()
    await expect(page.get_by_role("heading", name="Delete Swan?")).to_be_visible()
    await expect_sound(page)
    ada.expect_no_complaint("422")
