"""A day in the back office, by keyboard: find somebody, give a role, meet another editor, shut three people out."""

import re

import pytest
from playwright.async_api import Locator, Page, WebSocket, expect

from tests.browser.test_pages_are_sound import expect_sound
from tests.browser.watched_pages import PASSWORD, cancel, launch, sign_in, sound_policies, watched

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

USERS = "/admin/accounts/user/"
MOST_TABS = 60
AN_OPEN_PAGE_LASTS = 5_000  # milliseconds, once its reader is shut out


async def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until this has the focus: what cannot be reached so, cannot be used by keyboard."""
    for _ in range(MOST_TABS):
        if await target.evaluate("element => element === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{target} was not reached from {page.url}")


async def press(page: Page, target: Locator, key: str = "Enter") -> None:
    """Go there and press a key."""
    await tab_to(page, target)
    await page.keyboard.press(key)


async def add(page: Page, name: str, *roles: str, password: str = "") -> None:
    """Add somebody, with this password or an invitation."""
    await page.goto(f"{USERS}add/")
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("E-mail", exact=True).fill(f"{name.lower().replace(' ', '.')}@example.org")
    for role in roles:
        await page.get_by_label(role, exact=True).check()
    if password:
        await page.get_by_label("I set a password").check()
        await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Add user").click()
    await expect(page.locator("#notices")).to_contain_text("is added")


async def find(page: Page, beginning: str) -> None:
    """Search the list of users by keyboard."""
    await page.goto(USERS)
    await tab_to(page, page.get_by_role("searchbox"))
    await page.keyboard.type(beginning)
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile(r"[?&]q="))


def save(page: Page) -> Locator:
    return page.get_by_role("button", name="Save", exact=True)


async def promote(page: Page, theirs: Page) -> str:
    """Find Dusk One by the beginning of the name, and let them run policies; the address of their page."""
    await theirs.goto("/policy-runs/")
    await expect(theirs.locator("main")).to_contain_text("There is no such page")
    await find(page, "dusk o")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await press(page, page.get_by_role("link", name="Dusk One"))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Dusk One")
    address = page.url.partition("?")[0]
    await press(page, page.get_by_label("Operator", exact=True), "Space")
    await press(page, save(page))
    await expect(page.locator("#notices")).to_contain_text("is saved")
    await theirs.reload()
    await expect(theirs.get_by_role("heading", level=1)).to_have_text("Policy runs")
    return address


async def edit_beside(page: Page, second: Page, address: str) -> None:
    """Change what another changed since it was read: see both versions, and save what is made of them."""
    await page.goto(address)
    await second.goto(address)
    await second.get_by_label("Name", exact=True).fill("Dusk Uno")
    await second.get_by_label("Analyst", exact=True).check()
    await save(second).click()
    await expect(second.locator("#notices")).to_contain_text("is saved")
    await page.get_by_label("Name", exact=True).fill("Dusk Eins")
    await press(page, save(page))
    name = page.get_by_role("row", name=re.compile("^Name"))
    for version in ("Dusk One", "Dusk Uno", "Dusk Eins", "changed by both"):
        await expect(name).to_contain_text(version)
    theirs = page.get_by_role("row", name=re.compile("^Roles"))
    for version in ("Analyst", "it stays as it is stored"):
        await expect(theirs).to_contain_text(version)
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Dusk Eins")
    await expect(page.get_by_label("Analyst", exact=True)).to_be_checked()
    await page.get_by_label("Name", exact=True).fill("Dusk Uno Eins")
    await press(page, page.get_by_role("button", name="Save mine"))
    await expect(page.locator("#notices")).to_contain_text("“Dusk Uno Eins” is saved")


async def look_back(page: Page, address: str) -> None:
    """See who did what, and go to the person's page on the site and back."""
    await page.goto(address)
    await press(page, page.get_by_role("link", name="History"))
    await expect(page.get_by_role("heading", level=1)).to_have_text("History of Dusk Uno Eins")
    told = page.locator("tbody tr")
    await expect(told.nth(0)).to_contain_text(re.compile("Ada Admin.*Dusk Uno → Dusk Uno Eins", re.DOTALL))
    await expect(told.nth(1)).to_contain_text(re.compile("Day Boss.*Dusk One → Dusk Uno", re.DOTALL))
    await expect(told.nth(1)).to_contain_text(re.compile(r"added\s+analyst"))
    await expect_sound(page)
    await press(page, page.get_by_role("link", name="Dusk Uno Eins"))
    await press(page, page.get_by_role("link", name="Profile"))
    await expect(page.get_by_text("Analyst, Operator, Viewer")).to_be_visible()
    await expect_sound(page)
    await press(page, page.get_by_role("link", name="In the back office"))
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Dusk Uno Eins")


async def shut_out(page: Page) -> None:
    """Deactivate three people at once."""
    await find(page, "dusk")
    await expect(page.locator("tbody tr")).to_have_count(3)
    for name in ("Dusk Three", "Dusk Two", "Dusk Uno Eins"):
        await tab_to(page, page.get_by_label(f"Choose {name}"))
        await page.keyboard.press("Space")
    await press(page, page.get_by_role("button", name="Deactivate"))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Deactivate 3 users?")
    await expect(page.locator("tbody tr")).to_have_count(3)
    await expect_sound(page)
    await press(page, page.get_by_role("button", name="Deactivate"))
    await expect(page.locator("#notices")).to_contain_text("3 users are deactivated")


async def test_somebody_is_found_promoted_edited_by_two_and_shut_out_with_two_others(new_context):
    ada, boss, dusk = [await watched(await new_context()) for _ in range(3)]
    sockets: list[WebSocket] = []

    def opened(socket: WebSocket) -> None:
        sockets.append(socket)

    dusk.page.on("websocket", opened)
    await sign_in(ada.page, "ada", path="/")
    await add(ada.page, "Day Boss", "Admin", password=PASSWORD)
    await add(ada.page, "Dusk One", "Viewer", password=PASSWORD)
    for name in ("Dusk Two", "Dusk Three"):
        await add(ada.page, name, "Viewer")
    await sign_in(boss.page, "day.boss")
    await sign_in(dusk.page, "dusk.one")

    address = await promote(ada.page, dusk.page)
    await edit_beside(ada.page, boss.page, address)
    await look_back(ada.page, address)

    run = await launch(dusk.page, sound_policies(300))
    await expect(dusk.page.locator("[data-live-word]")).to_have_text("Live")
    await shut_out(ada.page)
    notice = dusk.page.locator("[data-run-notice]")
    await expect(notice).to_contain_text("You are signed out.", timeout=AN_OPEN_PAGE_LASTS)
    assert [socket.is_closed() for socket in sockets] == [True]
    await dusk.page.goto("/account/")
    await expect(dusk.page).to_have_url(re.compile("/account/sign-in/"))
    await ada.page.goto(run)
    await cancel(ada.page)
    ada.expect_no_complaint("409")
    boss.expect_no_complaint()
    dusk.expect_no_complaint("404", "401")
