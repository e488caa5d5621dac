"""Pause, resume and cancel; and a page that loses its socket, its sign-in or its scripts."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.watched_pages import (
    A_RUN_SECONDS,
    PASSWORD,
    cancel,
    counts,
    fill_new_run,
    launch,
    shown,
    sign_in,
    sound_policies,
    status_of,
    watched,
)

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


async def test_a_run_is_paused_resumed_and_cancelled_by_its_buttons(olgas_page):
    olga = await olgas_page()
    page = olga.page
    await launch(page, sound_policies(150))
    pause, resume = page.get_by_role("button", name="Pause"), page.get_by_role("button", name="Resume")
    await expect(page.locator("[data-live-word]")).to_have_text("Live")
    await expect(shown(page, "percent")).not_to_have_text("0")

    await pause.click()
    await expect(status_of(page)).to_contain_text("Paused")
    await expect(pause).to_be_hidden()
    await expect(shown(page, "left")).to_have_text("–")  # noqa: RUF001  (the dash of an empty cell)
    done = (await counts(page))["success"]
    await page.wait_for_timeout(800)
    assert (await counts(page))["success"] == done, "a paused run starts no further policy"

    await resume.click()
    await expect(status_of(page)).to_contain_text("Running")
    await expect(shown(page, "current")).not_to_have_text(str(done))

    dialog = page.get_by_role("dialog")
    await page.get_by_role("button", name="Cancel run").click()
    await expect(dialog).to_contain_text("Cancel this run?")
    await dialog.get_by_role("button", name="Keep it running").click()
    await expect(dialog).to_be_hidden()
    await expect(status_of(page)).to_contain_text("Running")

    await cancel(page)
    ended = await counts(page)
    assert ended["pending"] == 0
    assert ended["skipped"] > 0
    assert sum(ended.values()) == 150
    await expect(page.get_by_role("button", name="Cancel run")).to_be_hidden()
    olga.expect_no_complaint()


async def test_without_a_socket_the_page_advances_by_polling(olgas_page):
    olga = await olgas_page()
    page = olga.page
    await page.route_web_socket(re.compile("/ws/"), lambda socket: socket.close(code=1011))
    await launch(page, sound_policies(30))
    await expect(page.locator("[data-live-word]")).to_have_text("Polling every 2 s")
    await expect(status_of(page)).to_contain_text("Completed", timeout=A_RUN_SECONDS)
    await expect(shown(page, "percent")).to_have_text("100")
    await expect(page.locator('#results tr[data-status="success"]')).to_have_count(30)
    assert len([asked for asked in olga.asked if "/state" in asked]) >= 2
    olga.expect_no_complaint()


async def test_a_page_that_was_offline_for_a_while_catches_up(olgas_page):
    olga = await olgas_page()
    page = olga.page
    sockets = []

    async def through(socket):
        sockets.append(socket)
        socket.connect_to_server()

    await page.route_web_socket(re.compile("/ws/"), through)
    await launch(page, sound_policies(40))
    await expect(page.locator("[data-live-word]")).to_have_text("Live")
    await sockets[0].close(code=1012)
    await expect(page.locator("[data-live-word]")).not_to_have_text("Live")
    await expect(page.locator("[data-live-word]")).to_have_text("Live")
    await expect(status_of(page)).to_contain_text("Completed", timeout=A_RUN_SECONDS)
    await expect(page.locator('#results tr[data-status="success"]')).to_have_count(40)
    assert len(sockets) == 2
    olga.expect_no_complaint()


async def test_a_run_page_says_that_its_reader_was_signed_out_elsewhere(new_context):
    here, elsewhere = await watched(await new_context()), await watched(await new_context())
    await sign_in(here.page, "oskar")
    await sign_in(elsewhere.page, "oskar", path="/account/sessions/")
    await launch(here.page, sound_policies(300))
    run = here.page.url
    await expect(here.page.locator("[data-live-word]")).to_have_text("Live")
    await expect(status_of(here.page)).to_contain_text("Running")

    await elsewhere.page.get_by_role("button", name="Sign out everywhere").click()
    dialog = elsewhere.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Sign out everywhere?")
    await dialog.get_by_role("button", name="Sign out everywhere").click()
    await expect(elsewhere.page.get_by_role("heading", name="Sign in")).to_be_visible()

    notice = here.page.locator("[data-run-notice]")
    await expect(notice).to_contain_text("You are signed out.")
    await expect(here.page.locator("[data-live-word]")).to_be_hidden()
    await notice.get_by_role("link", name="Sign in again").click()
    await here.page.get_by_label("E-mail").fill("oskar@example.org")
    await here.page.get_by_label("Password").fill(PASSWORD)
    await here.page.get_by_role("button", name="Sign in").click()
    await here.page.wait_for_url(run)
    await cancel(here.page)
    here.expect_no_complaint("401")
    elsewhere.expect_no_complaint()


async def test_everything_can_be_done_without_scripts(new_context):
    page = await (await new_context(java_script_enabled=False)).new_page()
    await sign_in(page, "olga")
    await launch(page, sound_policies(40))
    await expect(status_of(page)).to_contain_text(re.compile("Waiting|Running"))
    await expect(status_of(page)).to_contain_text("Completed", timeout=A_RUN_SECONDS)  # the page asks again by itself
    await expect(shown(page, "current")).to_have_text("40")
    await expect(page.locator("#results tr")).to_have_count(40)
    await page.get_by_role("link", name=sound_policies(1)[0]).click()
    await expect(page.locator(".screen")).to_have_count(3)
    for place in range(3):
        await expect(page.locator(".screen").nth(place)).to_be_visible()

    await fill_new_run(page, sound_policies(300))
    await page.get_by_role("button", name="Start run").click()
    await page.get_by_role("button", name="Cancel run").click()
    await page.locator("#cancel").get_by_role("button", name="Cancel run").click()
    await expect(status_of(page)).to_contain_text("Cancelled", timeout=A_RUN_SECONDS)
    await expect(page.get_by_role("button", name="Pause")).to_have_count(0)
