"""Lists of the back office in the browser: filters as one chooses, rows to choose, and fields that find by name."""

import contextlib
import re

import pytest
from playwright.async_api import Error, expect

from tests.browser.test_pages_are_sound import expect_sound, visit
from tests.browser.watched_pages import sign_in, watched

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

USERS, HOSTS = "/admin/accounts/user/", "/admin/terminal/host/"

BOX = """([address]) => {
  const label = document.createElement("label");
  label.textContent = "Owner";
  label.htmlFor = "owner";
  const form = document.createElement("form");
  form.innerHTML = '<input type="text" id="owner" name="owner" autocomplete="off" data-noun="user">';
  form.querySelector("input").dataset.suggestions = address;
  document.querySelector("main").append(label, form);
  return import("/static/console/console.js?once-more");
}"""


async def rows(page):
    """The text of the first column."""
    return [one.strip() for one in await page.locator("tbody th").all_text_contents()]


async def test_users_are_filtered_sorted_and_found_and_the_address_says_so(new_context):
    ada = await watched(await new_context())
    page = ada.page
    await sign_in(page, "ada")
    await visit(ada, USERS)
    await page.get_by_label("Role", exact=True).select_option("Operator")
    await page.wait_for_url(re.compile(r"/user/\?roles=operator$"))
    assert await rows(page) == ["Olga Operator", "Oskar Operator"]
    await page.get_by_role("link", name=re.compile("^Name")).click()
    await page.wait_for_url(re.compile(r"o=-name"))
    assert await rows(page) == ["Oskar Operator", "Olga Operator"]
    await expect(page.get_by_role("columnheader", name=re.compile("^Name"))).to_have_attribute(
        "aria-sort", "descending"
    )
    await expect_sound(page)
    await page.get_by_role("link", name="Clear").click()
    await page.get_by_role("searchbox").fill("SAM@example.org")
    await page.keyboard.press("Enter")
    await expect(page.locator("tbody th")).to_have_count(1)
    assert await rows(page) == ["Sam Support"]
    await visit(ada, f"{USERS}?roles=analyst")
    await expect(page.locator(".empty")).to_contain_text("No users fit this choice.")
    ada.expect_no_complaint()
    await visit(ada, f"{USERS}?roles=king")
    await expect(page.locator("[data-error-summary]")).to_be_visible()
    ada.expect_no_complaint("422")


async def test_filters_are_chosen_by_keyboard_and_sent_when_one_says_so(new_context):
    page = (await watched(await new_context())).page
    await sign_in(page, "ada")
    await page.goto(USERS)
    role = page.get_by_label("Role", exact=True)
    await role.focus()
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    for _ in range(2):
        await role.press("ArrowDown")
        await page.wait_for_timeout(100)
    assert sent == []
    await expect(role).to_have_value("manager")
    await page.get_by_role("button", name="Search").press("Enter")
    await page.wait_for_url(re.compile(r"/user/\?roles=manager$"))


async def test_hosts_are_chosen_by_keyboard_switched_off_and_deleted_after_a_question(new_context):
    ada = await watched(await new_context())
    page = ada.page
    await sign_in(page, "ada")
    for name in ("chosen-1", "chosen-2"):
        await page.goto(f"{HOSTS}add/")
        for label, text in (("Name", name), ("Address", "192.0.2.1"), ("Port", "992")):
            await page.get_by_label(label, exact=True).fill(text)
        await page.keyboard.press("Enter")
        await expect(page.locator("#notices")).to_contain_text("is added")
    await visit(ada, HOSTS)
    count, delete = page.locator("[data-chosen]"), page.get_by_role("button", name="Delete")
    await expect(count).to_have_text("None chosen")
    await expect(delete).to_be_disabled()
    every = page.get_by_label("Choose all on this page")
    await every.focus()
    await page.keyboard.press("Space")
    await expect(count).to_have_text(f"{await page.locator('tbody tr').count()} chosen")
    await page.keyboard.press("Space")
    for name in ("chosen-1", "chosen-2"):
        await page.get_by_label(f"Choose {name}").focus()
        await page.keyboard.press("Space")
    await expect(count).to_have_text("2 chosen")
    await expect(every).to_have_js_property("indeterminate", value=True)
    await expect_sound(page)
    await page.get_by_role("button", name="Switch off").click()
    await expect(page.get_by_role("heading", name="Switch off 2 hosts?")).to_be_visible()
    await expect_sound(page)
    await page.get_by_role("button", name="Switch off").click()
    await expect(page.locator("#notices")).to_contain_text("2 hosts are switched off.")

    for name in ("chosen-1", "chosen-2"):
        await page.get_by_label(f"Choose {name}").check()
    await delete.click()
    await expect(page.get_by_role("heading", name="Delete 2 hosts?")).to_be_visible()
    second = await watched(page.context)
    await second.page.goto(f"{HOSTS}chosen-2/change/")
    await second.page.get_by_label("Description").fill("Needed after all")
    await second.page.get_by_role("button", name="Save", exact=True).click()
    await expect(second.page.locator("#notices")).to_contain_text("is saved")
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("heading", name="1 of 2 hosts deleted")).to_be_visible()
    await expect(page.get_by_role("row", name=re.compile("chosen-2"))).to_contain_text("changed it in the meantime")
    await expect_sound(page)
    await page.get_by_role("link", name="Back to the list").click()
    await page.get_by_label("Choose chosen-2").check()
    await delete.click()
    await page.get_by_role("button", name="Delete").click()
    await expect(page.locator("#notices")).to_contain_text("“chosen-2” is deleted.")
    ada.expect_no_complaint()


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no-scripts"])
async def test_enter_in_a_rows_box_does_nothing_to_it(new_context, has_scripts):
    page = (await watched(await new_context(java_script_enabled=has_scripts))).page
    await sign_in(page, "ada")
    await page.goto(USERS)
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    box = page.get_by_label("Choose Olga Operator")
    await box.check()
    await box.press("Enter")
    await page.wait_for_timeout(500)
    assert "POST" not in sent
    await expect(box).to_be_checked()


async def test_chosen_rows_come_as_csv(new_context):
    ada = await watched(await new_context())
    page = ada.page
    await sign_in(page, "ada")
    await page.goto(USERS)
    await page.get_by_label("Choose Olga Operator").check()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Export as CSV").click()
    file = await download.value
    assert file.suggested_filename == "Users.csv"
    ada.expect_no_complaint()


async def test_lists_work_without_scripts(new_context):
    ada = await watched(await new_context(java_script_enabled=False))
    page = ada.page
    await sign_in(page, "ada")
    await page.goto(USERS)
    await page.get_by_label("Role", exact=True).select_option("Support")
    await page.get_by_role("button", name="Search").click()
    assert await rows(page) == ["Sam Support"]
    await page.goto(HOSTS)
    await expect(page.get_by_label("Choose all on this page")).to_be_hidden()
    await page.get_by_label("Choose demo").check()
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("heading", name="Delete 1 host?")).to_be_visible()


async def test_a_field_of_a_key_finds_by_name_with_keyboard_and_pointer(new_context):
    ada = await watched(await new_context())
    page = ada.page
    await sign_in(page, "ada")
    await page.goto(HOSTS)
    await page.evaluate(BOX, [f"{USERS}suggestions/"])
    box, key = page.get_by_role("combobox", name="Owner"), page.locator("input[name=owner]")
    options = page.get_by_role("option")
    await box.press_sequentially("o")
    await expect(options).to_have_count(2)
    await expect(box).to_have_attribute("aria-expanded", "true")
    await expect(page.get_by_role("status").filter(has_text="2 found.")).to_be_attached()
    await box.press("ArrowDown")
    await box.press("ArrowDown")
    await expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    await expect(box).to_have_attribute("aria-activedescendant", await options.nth(1).get_attribute("id") or "")
    await expect_sound(page)
    await box.press("Enter")
    await expect(box).to_have_value("Oskar Operator")
    await expect(options).to_have_count(0)
    assert re.fullmatch(r"[0-9a-f-]{36}", await key.input_value())

    await box.fill("ada")
    await options.first.click()
    await expect(box).to_have_value("Ada Admin")
    await box.fill("nobody")
    await expect(page.get_by_text("No user begins so.")).to_be_visible()
    assert await key.input_value() == "nobody", "whoever knows a key may type it"
    await box.fill("o")
    await expect(options).to_have_count(2)
    await box.press("Escape")
    await expect(box).to_have_attribute("aria-expanded", "false")
    ada.expect_no_complaint()


async def test_a_slow_answer_comes_neither_over_a_newer_one_nor_after_escape(new_context):
    page = (await watched(await new_context())).page
    await sign_in(page, "ada")
    await page.goto(HOSTS)
    await page.evaluate(BOX, [f"{USERS}suggestions/"])
    asked = []

    async def answer(route):
        asked.append(route)
        if len(asked) == 1:
            return
        await route.fulfill(json={"rows": [{"key": "2", "name": "Newer", "note": ""}], "hasMore": False})

    await page.route("**/suggestions/**", answer)
    box, options = page.get_by_role("combobox", name="Owner"), page.get_by_role("option")
    async with page.expect_request("**/suggestions/**"):
        await box.press_sequentially("o")
    await box.press("ArrowDown")
    await expect(options).to_have_text(["Newer2"])  # the name, and the key below it
    with contextlib.suppress(Error):  # the browser gave it up
        await asked[0].fulfill(json={"rows": [{"key": "1", "name": "Older", "note": ""}] * 3, "hasMore": False})
    await page.wait_for_timeout(200)
    await expect(options).to_have_text(["Newer2"])  # the name, and the key below it
    await box.press("Escape")

    await box.press_sequentially("p")
    await box.press("Escape")
    await page.wait_for_timeout(400)
    await expect(box).to_have_attribute("aria-expanded", "false")
    assert len(asked) == 2, "what was not asked yet is not asked any more"


async def test_what_can_be_done_to_rows_covers_none_on_a_narrow_screen_until_one_is_chosen(new_context):
    ada = await watched(await new_context(viewport={"width": 390, "height": 760}))
    page = ada.page
    await sign_in(page, "ada")
    await visit(ada, USERS)
    bar, row = page.get_by_role("group", name="With the chosen rows"), page.locator("tbody tr").first
    await expect(bar).to_have_css("position", "static")
    await page.get_by_label("Choose Olga Operator").check()
    await expect(bar).to_have_css("position", "sticky")
    assert (await bar.bounding_box())["height"] < 60, "one line"
    label = await row.get_by_text("Admin", exact=True).bounding_box()
    cell = await row.locator("td[data-label=Roles]").bounding_box()
    assert cell["height"] < 2 * label["height"], "a role stands beside its label"
    await expect_sound(page)
