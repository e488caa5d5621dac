"""Teams as an administrator and a manager meet them: imported, filled by searching, emptied, put away."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.test_pages_are_sound import expect_sound, visit
from tests.browser.watched_pages import sign_in, watched

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

TEAM = re.compile(r"/teams/[0-9a-f-]{36}/$")


async def choose(page, path, text):
    await page.goto(path)
    file = {"name": "sheet.csv", "mimeType": "text/csv", "buffer": text.encode()}
    await page.set_input_files("input[type=file]", files=[file])
    await page.get_by_role("button", name="See what will be done").click()


async def import_people(page, *rows):
    await choose(page, "/people/import/", "\n".join(["name;email;roles", *rows]))
    await page.get_by_role("button", name="Import", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("People are imported")


async def make_team(page, name, manager):
    """Make a team whose manager is found by typing the name."""
    await page.goto("/teams/new/")
    await page.get_by_label("Name", exact=True).fill(name)
    box = page.get_by_label("Manager")
    await box.press_sequentially(manager.split()[0].lower())
    suggested = page.locator("#managers option", has_text=manager)
    await expect(suggested).to_be_attached()
    await box.fill(await suggested.get_attribute("value"))
    await page.get_by_role("button", name="Make team").click()
    await page.wait_for_url(TEAM)


async def test_members_are_found_by_typing_added_together_and_removed(new_context):
    ada = await watched(await new_context())
    page = ada.page
    await sign_in(page, "ada")
    await import_people(
        page,
        "Tess Leader;tess@example.org;manager",
        "Quentin Adder;quentin@example.org;team_member",
        "Quinn Adder;quinn@example.org;team_member",
        "Rosa Remover;rosa@example.org;team_member",
    )
    await expect_sound(page)
    await make_team(page, "Typists", "Tess Leader")
    team = page.url
    await expect_sound(page)

    search = page.get_by_label("Name begins with")
    await search.press_sequentially("qu")
    await expect(page.locator("#choices label")).to_have_count(2)
    await page.get_by_label("Quinn Adder").check()
    await search.fill("")
    await search.press_sequentially("rosa")
    await expect(page.get_by_label("Rosa Remover")).to_be_visible()
    await expect(page.get_by_label("Quinn Adder")).to_be_checked()
    await page.get_by_label("Rosa Remover").check()
    await expect_sound(page)
    await page.get_by_role("button", name="Add chosen").click()
    await expect(page.locator("#notices")).to_contain_text("2 people are added")
    await expect(page.locator(".members tbody tr")).to_have_count(2)
    await expect_sound(page)

    await page.get_by_label("Choose Rosa Remover").check()
    await page.get_by_role("button", name="Remove chosen").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Remove from Typists?")
    await expect_sound(page)
    await page.get_by_role("button", name="Remove from the team").click()
    await expect(page.locator(".members tbody tr")).to_have_count(1)

    await page.get_by_role("button", name="Deactivate").click()
    await expect_sound(page)
    await page.get_by_role("button", name="Deactivate team").click()
    await expect(page.locator("#notices")).to_contain_text("Typists is deactivated")
    await expect(page.get_by_role("heading", name="Add members")).to_be_hidden()
    await expect_sound(page)
    await page.get_by_role("button", name="Reactivate").click()
    await expect(page.locator("#notices")).to_contain_text("active again")
    assert page.url == team
    ada.expect_no_complaint()


async def test_without_a_script_people_are_searched_and_added_by_the_same_form(new_context):
    ada = await watched(await new_context())
    await sign_in(ada.page, "ada")
    await import_people(ada.page, "Theo Leader;theo@example.org;manager", "Ulla Adder;ulla@example.org;team_member")
    await make_team(ada.page, "Plain", "Theo Leader")
    plain = await new_context(java_script_enabled=False, storage_state=await ada.page.context.storage_state())
    page = await plain.new_page()
    await page.goto(ada.page.url)
    await page.get_by_label("Name begins with").fill("ulla")
    await page.keyboard.press("Enter")
    await page.get_by_label("Ulla Adder").check()
    await page.get_by_role("button", name="Add chosen").click()
    await expect(page.locator("#notices")).to_contain_text("One person is added")


async def test_the_pages_of_teams_are_sound(new_context):
    ada = await watched(await new_context())
    page = ada.page
    await sign_in(page, "ada")
    await import_people(page, "Tilda Leader;tilda@example.org;manager")
    await choose(page, "/teams/import/", "team,manager_email\nSound,tilda@example.org\nSilent,nobody@example.org\n")
    await expect(page.locator("[data-error-summary]")).to_be_focused()
    await expect(page.locator("[data-error-summary]")).to_contain_text("Line 3")
    await expect_sound(page)
    await choose(page, "/teams/import/", "team,manager_email\nSound,tilda@example.org\n")
    await expect_sound(page)
    await page.get_by_role("button", name="Import", exact=True).click()
    await expect_sound(page)
    for path in ("/teams/", "/teams/?q=nothing", "/teams/new/", "/teams/import/", "/people/import/"):
        await visit(ada, path)
    await page.goto("/teams/?q=sound")
    await page.get_by_role("link", name="Sound", exact=True).click()
    await page.get_by_role("link", name="Edit").click()
    await expect_sound(page)
    await page.get_by_label("Name", exact=True).fill("")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("[data-error-summary]")).to_be_focused()
    await expect_sound(page)
    await visit(ada, "/admin/teams/team/")
    await page.get_by_role("link", name="Sound", exact=True).click()
    await expect_sound(page)
    ada.expect_no_complaint("422")
