"""The way everybody goes: paste, start, watch to the end, look at what failed."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.watched_pages import (
    A_RUN_SECONDS,
    DEMO_POLICIES,
    HOST_PASSWORD,
    PASSWORD,
    cancel,
    counts,
    demo_policies,
    fill_new_run,
    launch,
    shown,
    sound_policies,
    status_of,
)

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

FAILING = {"ABN000001", "DRP000001", "MAL000001", "TMO000001", "UNK000001"}


async def test_sixty_policies_are_watched_to_their_end_and_a_failed_one_is_read_by_keyboard(olgas_page):
    olga = await olgas_page()
    page = olga.page
    await launch(page, demo_policies())
    run = page.url
    await page.evaluate("() => { window.neverReloaded = true }")

    await expect(page.locator("[data-live-word]")).to_have_text("Live")
    percents = await _percents_until_the_end(page)
    assert percents == sorted(percents), repr(percents)
    assert len([percent for percent in percents if 0 < percent < 100]) >= 3, repr(percents)
    assert await page.evaluate("() => window.neverReloaded")
    assert not any("/state" in asked for asked in olga.asked), "a page with a socket needs no polling"
    await _expect_the_whole_result(page)

    await page.get_by_role("navigation", name="Filter the results").get_by_role("link", name="Failed").click()
    await expect(page.locator("#results tr")).to_have_count(len(FAILING))
    await _read_a_failed_policy_by_keyboard(page, back_to=run)

    everything = await olga.everything()
    assert len(olga.frames) > 10
    assert "ABN000001" in everything
    assert HOST_PASSWORD not in everything
    assert PASSWORD not in everything
    olga.expect_no_complaint()


async def _percents_until_the_end(page: Page) -> list[int]:
    """What the progress said, each value once, until the run was over."""
    percents: list[int] = []
    while not percents or percents[-1] < 100:
        await expect(shown(page, "percent")).not_to_have_text(
            str(percents[-1]) if percents else "-", timeout=A_RUN_SECONDS
        )
        percents.append(int(await shown(page, "percent").inner_text()))
    await expect(status_of(page)).to_contain_text("Completed")
    return percents


async def _expect_the_whole_result(page: Page) -> None:
    assert await counts(page) == {"success": 55, "failed": 5, "unknown": 0, "skipped": 0, "pending": 0}
    await expect(shown(page, "current")).to_have_text("60")
    await expect(shown(page, "taken")).to_have_text(re.compile(r"^\d+ s$"))
    await expect(page.locator("[data-bar] .part-success")).to_have_attribute("width", "55")
    await expect(page.locator("[data-bar] .part-failed")).to_have_attribute("width", "60")
    await expect(page.locator("#results tr")).to_have_count(60)
    await expect(page.get_by_role("button", name="Pause")).to_be_hidden()
    rows = await page.locator("#results tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
    )
    words = {number: (status, duration, error) for number, status, duration, _, error in rows}
    assert set(words) == set(demo_policies())
    for number, (status, duration, error) in words.items():
        assert status == ("Failed" if number in FAILING else "Succeeded"), (number, status)
        assert re.fullmatch(r"[\d,]+ ms", duration), (number, duration)
        assert bool(error) == (number in FAILING), (number, error)


async def _read_a_failed_policy_by_keyboard(page: Page, *, back_to: str) -> None:
    await page.get_by_role("link", name="ABN000001").focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("/ABN000001/"))
    screens, seen = page.locator(".screen"), page.locator(".screen[data-shown]")
    last = await screens.count()
    assert last >= 3
    await expect(seen).to_have_id(f"screen-{last}")  # what went wrong is what one came for
    await expect(seen).to_contain_text("ABEND")
    for key, place in (("ArrowLeft", last - 1), ("Home", 1), ("ArrowLeft", 1), ("ArrowRight", 2), ("End", last)):
        await page.keyboard.press(key)
        await expect(seen).to_have_id(f"screen-{place}")
        await expect(page.locator(".steps [aria-current=step]")).to_have_attribute("href", f"#screen-{place}")
    assert page.url.endswith(f"#screen-{last}")
    rows = (await seen.locator("pre").inner_text()).split("\n")
    assert [len(row) for row in rows] == [80] * 24
    await page.get_by_role("navigation", name="Where you are").get_by_role("link").last.click()
    await page.wait_for_url(back_to)


async def test_the_form_names_a_bad_line_while_one_types_and_keeps_what_was_typed(olgas_page):
    olga = await olgas_page()
    page = olga.page
    typed = ["HVA200001", "HVA20000", "HVA200001"]
    await fill_new_run(page, typed[:1])
    async with page.expect_request("**/policy-runs/check/") as asked:
        await page.get_by_label("Policy numbers").fill("\n".join(typed))
    posted = (await asked.value).post_data or ""
    assert "HVA20000" in posted
    assert HOST_PASSWORD not in posted, "the check needs no password and gets none"
    check = page.locator("#check")
    await expect(check).to_contain_text(re.compile(r"Line 2\s*HVA20000: "))
    await expect(check).to_contain_text(re.compile(r"Duplicates folded\s*1"))

    await page.get_by_role("button", name="Start run").click()
    summary = page.locator("[data-error-summary]")
    await expect(summary).to_be_focused()
    await expect(summary).to_contain_text("line 2")
    await expect(page.get_by_label("Policy numbers")).to_have_value("\n".join(typed))
    await expect(page.get_by_label("Host user id")).to_have_value("DEMO01")
    await expect(page.get_by_label("Host password")).to_have_value("")
    await expect(page.get_by_label("Policy numbers")).to_have_attribute("aria-invalid", "true")
    await summary.get_by_role("link").last.click()
    await expect(page.get_by_label("Policy numbers")).to_be_focused()
    assert HOST_PASSWORD not in await olga.everything()

    await page.get_by_role("button", name="Start run").click()
    await expect(summary.get_by_role("link")).to_have_count(2)  # the password is missing, too
    olga.expect_no_complaint("422")


async def test_a_csv_file_is_checked_and_run(olgas_page):
    olga = await olgas_page()
    page = olga.page
    await fill_new_run(page, [])
    await page.get_by_label("Or a CSV file").set_input_files(DEMO_POLICIES)
    await expect(page.locator("#check")).to_contain_text(re.compile(r"Policies\s*60"))
    await expect(page.locator("#check")).to_contain_text("Ready to start")
    await page.get_by_role("button", name="Start run").click()
    await expect(shown(page, "total")).to_have_text("60")
    await cancel(page)
    olga.expect_no_complaint()


async def test_a_double_click_starts_one_run(olgas_page):
    olga = await olgas_page()
    page = olga.page
    first_of_each = "() => [...document.querySelectorAll('.runs tbody th a')].map(a => a.href)"
    await page.goto("/policy-runs/")
    before = set(await page.evaluate(first_of_each))
    await fill_new_run(page, sound_policies(3))
    await page.get_by_role("button", name="Start run").dblclick()
    await expect(status_of(page)).to_contain_text("Completed", timeout=A_RUN_SECONDS)
    started = page.url
    await page.goto("/policy-runs/")
    assert set(await page.evaluate(first_of_each)) - before == {started}
    olga.expect_no_complaint()
