"""One server and one browser for all tests of this folder (in each worker of a parallel session).

Playwright's asynchronous side is used: its loop is the session's own, so that other tests keep theirs.
"""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from tests.browser.served_site import served_site
from tests.browser.watched_pages import Watched, sign_in, watched

FLAGS = ("--no-sandbox", "--disable-background-networking", "--disable-quic")

PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)

NewPage = Callable[..., Awaitable[Watched]]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server."""
    with served_site(tmp_path_factory.mktemp("site")) as address:
        yield address


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The system's Chromium."""
    program = shutil.which("chromium")
    assert program is not None, "chromium was not found"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def new_context(browser: Browser, site: str) -> AsyncIterator[Callable[..., Awaitable[BrowserContext]]]:
    """A browser without a past, as often as asked for; closed after the test."""
    contexts: list[BrowserContext] = []

    async def new(**options: Any) -> BrowserContext:
        options.setdefault("viewport", {"width": 1280, "height": 900})
        context = await browser.new_context(base_url=site, **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        return context

    yield new
    for context in contexts:
        await context.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def olgas_cookies(browser: Browser, site: str) -> Any:
    """What a browser keeps once Olga, who may launch runs, has signed in."""
    context = await browser.new_context(base_url=site)
    await sign_in(await context.new_page(), "olga")
    state = await context.storage_state()
    await context.close()
    return state


@pytest.fixture
def olgas_page(new_context: Callable[..., Awaitable[BrowserContext]], olgas_cookies: Any) -> NewPage:
    """A page on which Olga is signed in, as often as asked for."""

    async def new(**options: Any) -> Watched:
        return await watched(await new_context(storage_state=olgas_cookies, **options))

    return new
