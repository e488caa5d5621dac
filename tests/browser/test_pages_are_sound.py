"""Every page, in both themes and on wide and narrow screens: accessible, quiet in the console, never wider than it."""

import re
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.async_api import Page, expect

from tests.browser.watched_pages import (
    PASSWORD,
    Watched,
    cancel,
    fill_new_run,
    launch,
    sign_in,
    sound_policies,
    status_of,
    watched,
)

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
VIOLATIONS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
    violation => [violation.id, ...violation.nodes.map(node => node.html.slice(0, 160))].join(" | "))"""
WIDER = "() => document.documentElement.scrollWidth - window.innerWidth"


async def expect_sound(page: Page) -> None:
    """Raise where the page that is open breaks a rule in either theme or is wider than its window."""
    await page.evaluate(AXE)
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        assert await page.evaluate(VIOLATIONS) == [], f"{page.url} in {theme}"
    for width in (390, 1280):
        await page.set_viewport_size({"width": width, "height": 900})
        assert await page.evaluate(WIDER) <= 0, f"{page.url} at {width}"


async def visit(watcher: Watched, path: str) -> None:
    """Open a page and expect it to be sound."""
    await watcher.page.goto(path)
    await expect_sound(watcher.page)


async def test_the_pages_before_one_signs_in(new_context):
    visitor = await watched(await new_context())
    page = visitor.page
    await visit(visitor, "/")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.get_by_label("E-mail").fill("nobody@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("[data-error-summary]")).to_be_focused()
    await expect_sound(page)
    await visit(visitor, "/no-such-page/")
    await expect(page.locator("main")).to_contain_text("Reference to quote")
    visitor.expect_no_complaint("422", "404")


async def test_the_pages_of_somebody_who_has_no_runs(new_context):
    sam = await watched(await new_context())
    await sign_in(sam.page, "sam")
    await expect_sound(sam.page)
    for path in (
        "/policy-runs/?mine=1",
        "/policy-runs/?status=timeout",
        "/account/",
        "/account/sessions/",
        "/account/password/",
        "/people/",
        "/people/?q=nobody",
    ):
        await visit(sam, path)
    await sam.page.goto("/people/?q=ada")
    await sam.page.get_by_role("link", name="Ada Admin").click()
    await expect(sam.page.get_by_role("heading", name="Ada Admin")).to_be_visible()
    await expect_sound(sam.page)
    await sam.page.goto("/account/password/")
    await sam.page.get_by_role("button", name="Change password").click()
    await expect(sam.page.locator("[data-error-summary]")).to_be_focused()
    await expect_sound(sam.page)
    sam.expect_no_complaint("422")


async def test_the_form_of_a_new_run(olgas_page):
    olga = await olgas_page()
    page = olga.page
    await visit(olga, "/policy-runs/new/")
    await fill_new_run(page, [*sound_policies(2), "BAD"])
    await expect(page.locator("#check")).to_contain_text("Line 3")
    await expect_sound(page)
    await page.get_by_role("button", name="Start run").click()
    await expect(page.locator("[data-error-summary]")).to_be_focused()
    await expect_sound(page)
    olga.expect_no_complaint("422")


async def test_the_pages_of_a_run_from_its_start_to_its_end(olgas_page):
    olga = await olgas_page()
    page = olga.page
    await launch(page, ["MAL000001", *sound_policies(300)])
    run = page.url
    await expect(status_of(page)).to_contain_text("Running")
    await expect(page.locator("[data-count=success]").first).not_to_have_text("0")
    await expect_sound(page)
    await page.get_by_role("button", name="Cancel run").click()
    await expect_sound(page)
    await page.get_by_role("button", name="Keep it running").click()
    await page.get_by_role("button", name="Pause").click()
    await expect(status_of(page)).to_contain_text("Paused")
    await expect_sound(page)
    await visit(olga, "/")
    await expect(page.locator(".runs")).not_to_have_count(0)

    await page.goto(run)
    await cancel(page)
    await expect_sound(page)
    await page.goto(f"{run}?status=success")
    await page.locator("#results th a").first.click()
    await page.wait_for_url(re.compile(r"/HV[A-Z]\d{6}/"))
    await expect_sound(page)
    await visit(olga, "/policy-runs/")
    olga.expect_no_complaint()


async def test_the_menu_of_a_narrow_screen_and_the_theme_that_one_chose(olgas_page):
    olga = await olgas_page(viewport={"width": 390, "height": 844})
    page = olga.page
    await page.goto("/policy-runs/")
    menu = page.get_by_role("navigation", name="Rungs", exact=True)
    await expect(menu).to_be_hidden()
    await page.get_by_role("button", name="Menu").click()
    await expect(menu).to_be_visible()
    switch = menu.get_by_role("button", name="Theme")
    for theme in ("light", "dark"):
        await switch.click()
        await expect(switch).to_have_text(f"Theme: {theme}")
    await menu.get_by_role("link", name="Home").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert await page.evaluate("() => getComputedStyle(document.body).colorScheme") == "dark"
    olga.expect_no_complaint()


async def test_the_pages_of_plans_from_a_draft_to_its_activation(new_context):
    mara = await watched(await new_context())
    page = mara.page
    await sign_in(page, "mara")
    await visit(mara, "/plans/")
    await expect(page.locator("table.plans")).to_be_visible()
    await page.get_by_role("link", name="Policy Services").first.click()
    await expect(page.locator("table.plans-matrix")).to_be_visible()
    await expect_sound(page)
    await page.get_by_role("button", name="Complete").click()
    await expect(page.get_by_role("heading", name="Complete this plan?")).to_be_visible()
    await expect_sound(page)
    await page.get_by_role("button", name="Keep it active").click()
    await visit(mara, "/plans/?season=1999")
    await visit(mara, "/plans/new/")
    await page.locator("table.tokens tbody a").first.click()
    await page.get_by_label("Season").fill("2031-Q1")
    await page.get_by_label("Start").fill("2031-01-01")
    await page.get_by_label("Due").fill("2030-12-31")
    await page.get_by_role("button", name="Prepare the plan").click()
    await expect(page.locator("[data-error-summary]")).to_be_focused()
    await expect_sound(page)
    await page.get_by_label("Due").fill("2031-03-31")
    await page.get_by_role("button", name="Prepare the plan").click()
    await expect(page.get_by_role("heading", name="Who will be asked")).to_be_visible()
    await expect_sound(page)
    await visit(mara, page.url + "edit/")
    await page.go_back()
    await page.get_by_role("button", name="Activate").click()
    await expect(page.get_by_text("It creates")).to_be_visible()
    await page.locator("dialog[open]").get_by_role("button", name="Activate").click()
    await expect(page.get_by_text("The plan is active:")).to_be_visible()
    await expect_sound(page)
    mara.expect_no_complaint("422")
