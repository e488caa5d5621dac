"""Filling in an assessment: whatever happens to network, session, tab or browser, nothing typed is lost."""

import asyncio
import re

import pytest
from playwright.async_api import BrowserContext, Page, Route, expect

from tests.browser.test_pages_are_sound import expect_sound
from tests.browser.watched_pages import PASSWORD, sign_in

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

EVIDENCE, FOLLOWING = "#evidence-1", "#next-1"
# Answers everything and submits, as a script of the API would with the page's own session.
SUBMIT_ALL = """async () => {
  const form = document.querySelector("[data-fill-in]"), api = form.dataset.api;
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  const send = (method, address, body) => fetch(address, {method, body: JSON.stringify(body),
    headers: {"Content-Type": "application/json", "X-CSRFToken": token}});
  const stored = await (await fetch(api)).json();
  const answers = stored.answers.map(({category, competency, revision, evidence, nextLevelFeedback}) => (
    {category, competency, revision, evidence, nextLevelFeedback, level: 3}));
  const conclusion = {currentLevel: 3, wayForward: "On.", revision: stored.conclusion.revision};
  await send("PATCH", api, {answers, conclusion});
  return (await send("POST", `${api}/submit`, {})).status;
}"""
STORED = """async () => {
  const answer = await fetch(document.querySelector("[data-fill-in]").dataset.api);
  return (await answer.json()).answers;
}"""
# What another tab tells, which lets go of what it sent in the very moment in which more is typed here.
OTHER_LETS_GO = """(evidence) => {
  const name = Object.keys(localStorage).find((name) => name.startsWith("rungs:unsent:"));
  const [, , user, assessment, ...place] = name.split(":");
  const { value, base } = JSON.parse(localStorage.getItem(name));
  localStorage.removeItem(name);
  const message = { kind: "saved", place: place.join(":"), value: { ...value, evidence }, revision: base };
  new BroadcastChannel(`rungs:assessment:${user}:${assessment}`).postMessage(message);
}"""
STAY = "() => document.querySelector('[data-sign-out]').addEventListener('submit', (e) => e.preventDefault())"
KEPT = "() => Object.keys(localStorage).filter((name) => name.startsWith('rungs:unsent:')).length"


async def open_own(page: Page) -> str:
    """Open one's self-assessment from the list, at its first category; returns the address."""
    await page.goto("/assessments/")
    await page.get_by_role("link", name="My self-assessment").first.click()
    await expect(said(page)).to_contain_text("Saves as you type.")
    return page.url


def said(page: Page):
    return page.locator("[data-save-words]")


async def stored(page: Page, number: int = 0) -> dict:
    """What the server has of the answer with this number, from 0."""
    return (await page.evaluate(STORED))[number]


async def expect_saved(page: Page) -> None:
    await expect(said(page)).to_have_text(re.compile(r"^Saved \d\d:\d\d$"))
    assert await page.evaluate(KEPT) == 0


@pytest.fixture(scope="module")
def sessions() -> dict[str, list]:
    """The cookies of those who have signed in: they stay so, in every browser but where they sign out."""
    return {}


@pytest.fixture
def as_person(new_context, sessions):
    """A browser in which somebody is signed in, and a page of it."""

    async def new(person: str, **options) -> tuple[BrowserContext, Page]:
        context = await new_context(**options)
        page = await context.new_page()
        if person in sessions:
            await context.add_cookies(sessions[person])
        else:
            await sign_in(page, person)
            sessions[person] = await context.cookies()
        return context, page

    return new


async def test_one_answers_by_keyboard_alone_and_goes_on_where_one_left(as_person):
    _, page = await as_person("esi")
    address = await open_own(page)
    await page.locator("#level-1-1").focus()
    for key in ("Space", "ArrowDown", "ArrowDown"):
        await page.keyboard.press(key)
    await page.keyboard.press("Tab")
    await page.keyboard.type("Drew **it**.")
    await page.keyboard.press("Tab")
    await page.keyboard.type("More of it.")
    await expect_saved(page)
    count = page.locator("[data-step-category][aria-current] [data-step-count]")
    await expect(count).to_have_text("1 of 3")
    await page.reload()
    await expect(page.locator("#level-1-3")).to_be_checked()
    await expect(page.locator(EVIDENCE)).to_have_value("Drew **it**.")
    await expect(page.locator(FOLLOWING)).to_have_value("More of it.")
    await page.locator(FOLLOWING).focus()
    await page.keyboard.type("Yes. ")
    following = page.get_by_role("button", name="Save, and on to")
    await following.focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("category="))
    await expect(page.locator(".category-title")).to_be_focused()
    second = await page.locator(".category-title").inner_text()
    await page.locator("#level-2-2").focus()
    await page.keyboard.press("Space")
    await expect(count).to_have_text("1 of 3")
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#level-2-1")).to_be_focused()
    await expect(count).to_have_text("0 of 3")
    await expect_saved(page)
    await page.goto(address)
    await expect(page.locator(".category-title")).to_have_text(second)


async def test_on_a_narrow_screen_what_explains_a_level_is_folded_until_it_is_chosen_or_asked_for(as_person):
    _, page = await as_person("hana", viewport={"width": 390, "height": 800})
    await open_own(page)
    shown = page.locator("#competency-1 .level-more:visible")
    await page.locator("#level-1-2").check()
    await expect(shown).to_have_count(1)
    await expect(page.locator("#level-1-5")).to_have_accessible_description(re.compile(r"\w+ \w+"))
    await page.get_by_role("button", name="Explain each level").first.focus()
    await page.keyboard.press("Enter")
    await expect(shown).to_have_count(7)
    await expect_sound(page)
    await page.set_viewport_size({"width": 390, "height": 800})
    await page.get_by_role("button", name="Hide the explanations").click()
    await expect(shown).to_have_count(1)


async def test_what_is_typed_while_offline_is_kept_and_sent_when_the_network_is_back(as_person):
    context, page = await as_person("ines")
    address = await open_own(page)
    await context.set_offline(True)
    await page.locator("#level-1-4").check()
    await page.locator(EVIDENCE).press_sequentially("Typed under ground.")
    await expect(said(page)).to_have_text("Not saved: offline, kept in this browser.")
    assert await page.evaluate(KEPT) == 1
    await page.get_by_role("button", name="Save, and on to").click()
    await expect(page.locator(EVIDENCE)).to_have_value("Typed under ground.")
    await context.set_offline(False)
    await expect_saved(page)
    await page.goto(address)
    await expect(page.locator("#level-1-4")).to_be_checked()
    await expect(page.locator(EVIDENCE)).to_have_value("Typed under ground.")


@pytest.mark.parametrize("keeps", [True, False], ids=["storage", "no-storage"])
async def test_whatever_the_server_answers_what_is_typed_meanwhile_arrives(as_person, keeps):
    _, page = await as_person("ines")
    if not keeps:
        await page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('No.'); }})")
    await open_own(page)
    troubles: list[str | None] = [None]

    async def trouble(route: Route) -> None:
        await asyncio.sleep(0.2)
        how = troubles[-1]
        if how is None or route.request.method != "PATCH":
            await route.fallback()
        elif how == "abort":
            await route.abort()
        elif how == "half":
            answer = await route.fetch()
            await route.fulfill(response=answer, body=(await answer.body())[:50])
        else:
            await route.fulfill(status=int(how), content_type="text/html", body="<p>No</p>")

    await page.route("**/api/assessments/*", trouble)
    for how in ("abort", "503", "413", "half", "500") if keeps else ("abort",):
        troubles.append(how)
        await page.locator(EVIDENCE).fill(how)
        async with page.expect_request(lambda request: request.method == "PATCH"):
            await page.get_by_role("button", name="Save", exact=True).click()
        await page.locator(EVIDENCE).press_sequentially(" more")
        await expect(said(page)).to_contain_text("Not saved")
        troubles.append(None)
        await page.evaluate("dispatchEvent(new Event('online'))")
        await expect(said(page)).to_contain_text("Saved")
        assert (await stored(page))["evidence"] == f"{how} more"


async def test_what_was_typed_before_the_page_was_closed_is_sent_when_it_is_opened_again(as_person):
    context, page = await as_person("kamala")
    address = await open_own(page)
    await context.set_offline(True)
    await page.locator(EVIDENCE).press_sequentially("Closed too soon.")
    await page.close()
    await context.set_offline(False)
    page = await context.new_page()
    await page.goto("/assessments/")
    await expect(page.locator("[data-assessment-row]")).to_contain_text("Unsent text is kept in this browser")
    await page.goto(f"{address}review/")
    await expect(page.locator("main")).to_contain_text("Closed too soon.")
    assert await page.evaluate(KEPT) == 0
    await page.goto(address)
    await expect(page.locator(EVIDENCE)).to_have_value("Closed too soon.")


async def test_two_tabs_of_one_browser_follow_each_other(as_person):
    context, first = await as_person("mei")
    address = await open_own(first)
    second = await context.new_page()
    await second.goto(address)
    await first.locator(EVIDENCE).press_sequentially("From the first")
    await expect(second.locator(EVIDENCE)).to_have_value("From the first")
    await first.locator("#level-1-2").check()
    await expect(second.locator("#level-1-2")).to_be_checked()
    await second.locator(EVIDENCE).press_sequentially(", then the second")
    await expect(first.locator(EVIDENCE)).to_have_value("From the first, then the second")
    await expect_saved(second)
    await expect_saved(first)
    await first.locator(FOLLOWING).press_sequentially("And the first.")
    await expect_saved(first)
    await expect(first.locator("[data-conflict-place] .notice")).to_have_count(0)
    await second.reload()
    await expect(second.locator(EVIDENCE)).to_have_value("From the first, then the second")
    await expect(second.locator(FOLLOWING)).to_have_value("And the first.")
    await context.set_offline(True)
    await first.locator(EVIDENCE).fill("At once.")
    await expect(second.locator(EVIDENCE)).to_have_value("At once.")
    await second.evaluate(OTHER_LETS_GO, "At")
    await expect(second.locator(EVIDENCE)).to_have_value("At once.")
    await expect(first.locator(EVIDENCE)).to_have_value("At once.")
    assert await first.evaluate(KEPT) == 1
    await context.set_offline(False)
    await expect_saved(first)
    assert (await stored(first))["evidence"] == "At once."
    await context.set_offline(True)
    await first.locator(EVIDENCE).fill("Let go of.")
    await expect(said(first)).to_contain_text("offline")
    await second.evaluate("() => localStorage.clear()")
    await context.set_offline(False)
    await expect(said(first)).to_contain_text("it was erased in another tab")


async def test_of_two_browsers_neither_loses_its_version_and_one_chooses(as_person):
    _, here = await as_person("nadia")
    _, there = await as_person("nadia")
    address = await open_own(here)
    await there.goto(address)
    await here.locator(EVIDENCE).fill("Written here.")
    await expect_saved(here)
    await there.locator(EVIDENCE).fill("Written there.")
    notice = there.locator("#competency-1 [data-conflict-place]")
    await expect(notice).to_contain_text("Written here.")
    await expect(notice).to_contain_text("Written there.")
    await expect(said(there)).to_contain_text("Choose which version stays")
    await expect_sound(there)
    await there.get_by_role("link", name="Show both").click()
    await expect(notice).to_be_in_viewport()
    await there.reload()
    await expect(notice).to_contain_text("Written here.")
    await there.get_by_role("button", name="Keep mine").click()
    await expect_saved(there)
    await here.locator(EVIDENCE).fill("Here again.")
    await here.get_by_role("button", name="Take the other one").click()
    await expect(here.locator(EVIDENCE)).to_have_value("Written there.")
    await expect_saved(here)
    await here.get_by_role("button", name="Save, and on to").click()
    await here.wait_for_url(re.compile("category="))
    await there.locator(EVIDENCE).fill("Once more there.")
    await expect_saved(there)
    await here.go_back()
    await expect(said(here)).to_contain_text("Saves as you type.")
    await expect(here.locator(EVIDENCE)).to_have_value("Once more there.")


async def test_what_is_typed_after_the_session_ended_is_sent_once_one_has_signed_in_again(as_person):
    context, page = await as_person("priya")
    address = await open_own(page)
    await context.clear_cookies()
    await page.locator(EVIDENCE).press_sequentially("Typed while signed out.")
    await expect(said(page)).to_contain_text("you are signed out")
    await page.locator(EVIDENCE).press_sequentially(" And more.")
    async with context.expect_page() as opened:
        await page.get_by_role("link", name="Sign in again").click()
    other = await opened.value
    await other.get_by_label("E-mail").fill("priya@example.org")
    await other.get_by_label("Password").fill(PASSWORD)
    await other.get_by_role("button", name="Sign in").click()
    await expect(other.locator(EVIDENCE)).to_have_value("Typed while signed out. And more.")
    await other.close()
    await page.bring_to_front()
    await page.locator(FOLLOWING).focus()
    await expect_saved(page)
    await page.goto(address)
    await expect(page.locator(EVIDENCE)).to_have_value("Typed while signed out. And more.")


async def test_nobody_else_in_this_browser_is_shown_or_sends_it_and_signing_out_erases_it(as_person):
    context, page = await as_person("quentin")
    address = await open_own(page)
    await context.clear_cookies()
    await page.locator(EVIDENCE).press_sequentially("Only Quentin's.")
    await expect(said(page)).to_contain_text("you are signed out")
    other = await context.new_page()
    await sign_in(other, "rosa")
    await open_own(other)
    await expect(other.locator(EVIDENCE)).to_have_value("")
    await page.bring_to_front()
    await page.locator(EVIDENCE).press_sequentially(" Still.")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(said(page)).to_contain_text("somebody else is signed in")
    assert await page.evaluate(KEPT) == 1
    await other.get_by_role("button", name="Sign out").click()
    await expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    assert await other.evaluate(KEPT) == 1
    await sign_in(other, "quentin", path=address)
    await expect(other.locator(EVIDENCE)).to_have_value("Only Quentin's. Still.")
    await expect_saved(other)
    await context.set_offline(True)
    await other.locator(EVIDENCE).press_sequentially(" More.")
    await expect(said(other)).to_contain_text("offline")
    asked = []

    async def answer(dialog):
        asked.append(dialog.message)
        await (dialog.dismiss() if len(asked) == 1 else dialog.accept())

    other.on("dialog", answer)
    await other.get_by_role("button", name="Sign out").click()
    assert await other.evaluate(KEPT) == 1
    await other.evaluate(STAY)
    await other.get_by_role("button", name="Sign out").click()
    assert await other.evaluate(KEPT) == 0
    assert "Signing out erases it" in asked[0]


async def test_what_was_typed_into_what_was_submitted_meanwhile_stays_to_be_copied(as_person):
    context, page = await as_person("hana")
    address = await open_own(page)
    await context.set_offline(True)
    await page.locator(EVIDENCE).fill("Too late.")
    await expect(said(page)).to_contain_text("offline")
    _, elsewhere = await as_person("hana")
    await elsewhere.goto(address)
    assert await elsewhere.evaluate(SUBMIT_ALL) == 200
    await context.set_offline(False)
    await expect(said(page)).to_contain_text("was submitted")
    await expect(page.locator(".kept-text")).to_contain_text("Too late.")
    await expect(page.locator(EVIDENCE)).not_to_be_editable()
    await page.goto(address)
    await expect(page.locator("main")).to_contain_text("Submitted and locked")
    await expect(page.locator(".kept-text")).to_contain_text("Too late.")
    await expect_sound(page)
    await page.get_by_role("button", name="Discard it").click()
    assert await page.evaluate(KEPT) == 0


async def test_what_is_too_long_or_fails_is_kept_and_does_not_hold_back_the_rest(as_person):
    _, page = await as_person("rosa")

    async def slow_script(route: Route) -> None:
        await asyncio.sleep(0.5)
        await route.continue_()

    async def failing(route: Route) -> None:
        is_bad = "Fails." in (route.request.post_data or "")
        await (route.fulfill(status=500, body="No") if is_bad else route.fallback())

    await page.route("**/fill_in*.js", slow_script)
    await page.goto("/assessments/")
    await page.get_by_role("link", name="My self-assessment").first.click()
    await page.locator(EVIDENCE).fill("Before the script was here.")
    await expect_saved(page)
    await page.unroute("**/fill_in*.js")
    await page.route("**/api/assessments/*", failing)
    await page.locator(EVIDENCE).fill("Fails.")
    await page.locator("#evidence-2").fill("Does not.")
    await expect(said(page)).to_contain_text("failed at one answer")
    assert (await stored(page))["evidence"] == "Before the script was here."
    assert (await stored(page, 1))["evidence"] == "Does not."
    assert await page.evaluate(KEPT) == 1
    await page.locator(EVIDENCE).fill("x" * 4600)
    await expect(page.locator("#evidence-1-count")).to_have_text("400 characters left.")
    await page.locator(EVIDENCE).fill("x" * 5003)
    await expect(page.locator("#evidence-1-count")).to_have_text("3 characters too many: this is not saved.")
    await page.locator("#level-2-1").check()
    await expect(said(page)).to_contain_text("is too long. It is kept")
    assert await page.evaluate(KEPT) == 1
    await page.get_by_role("button", name="Save, and on to").click()
    await page.wait_for_url(re.compile("category="))
    await page.locator("#level-1-2").check()
    await expect(said(page)).to_contain_text("Shorten it by 3 to 5,000. It is kept")
    assert (await stored(page, 3))["level"] == 2
    await page.get_by_role("link", name="Show it").click()
    await expect(said(page)).to_contain_text("is too long")
    await page.locator(EVIDENCE).fill("Short.")
    await expect_saved(page)


async def test_from_the_list_to_the_locked_assessment_every_page_is_sound(as_person):
    _, page = await as_person("walid")
    await page.goto("/assessments/")
    await expect_sound(page)
    address = await open_own(page)
    await expect_sound(page)
    await page.goto(f"{address}review/")
    await expect_sound(page)
    await page.get_by_role("button", name="Submit …").click()
    await page.get_by_role("dialog").get_by_role("button", name="Submit").click()
    await expect(page.locator("[data-error-summary]")).to_be_focused()
    await expect_sound(page)
    await page.goto(address)
    await page.locator("[data-step-category]").first.click()
    while await page.locator("[data-fill-in]:not([data-review])").count():
        for number in range(1, await page.locator(".competency").count() + 1):
            await page.locator(f"#level-{number}-3").check()
        here = page.url
        await page.locator("button.main[data-go]").click()
        await page.wait_for_url(lambda url, here=here: url != here)
    await page.get_by_label("Overall level").select_option("3")
    await page.get_by_label("Way forward").fill("On and up.")
    await page.get_by_role("button", name="Submit …").click()
    await expect(page.get_by_role("dialog")).to_contain_text("It is locked then")
    await page.get_by_role("dialog").get_by_role("button", name="Submit").click()
    await expect(page.locator("main")).to_contain_text("Submitted and locked")
    await expect(page.locator("main")).to_contain_text("On and up.")
    await expect_sound(page)


async def test_without_a_script_there_is_a_button(as_person):
    _, page = await as_person("luca", java_script_enabled=False)
    await page.goto("/assessments/")
    await page.get_by_role("link", name="My self-assessment").first.click()
    await page.locator("#level-1-2").check()
    await page.locator(EVIDENCE).fill("By hand.")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("main")).to_contain_text("Your answers are saved.")
    await expect(page.locator(EVIDENCE)).to_have_value("By hand.")
