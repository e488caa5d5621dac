"""A page of the browser with an eye on it: what its console says, what it was sent, and the steps people take on it."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, ConsoleMessage, Error, Locator, Page, Response, WebSocket, expect

from apps.terminal.demohost import book

PASSWORD = "rungs-demo-2026"
HOST_USER = "DEMO01"
HOST_PASSWORD = "DEMOPASS"
DEMO_POLICIES = Path(__file__).resolve().parent.parent.parent / "docs" / "demo-policies.csv"
RUN_ADDRESS = re.compile(r"/policy-runs/[0-9A-Z]{26}/$")
A_RUN_SECONDS = 60_000  # playwright counts in milliseconds
TEXTS = {"document", "xhr", "fetch"}


def sound_policies(number: int) -> list[str]:
    """Policy numbers that the demo host finds at the first inquiry, three hundred at most."""
    return [policy.policy_number for policy in book.demo_policies()[:number]]


def demo_policies() -> list[str]:
    """The sixty of the demo list: five of them fail, whatever is tried."""
    return DEMO_POLICIES.read_text().split("\n", 1)[1].split()


@dataclass
class Watched:
    """A page, the complaints in its console and everything it was sent."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    _reading: "set[asyncio.Task[None]]" = field(default_factory=set)

    def __post_init__(self) -> None:
        """Listen before anything is loaded."""
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._answered)
        self.page.on("websocket", self._opened)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def _answered(self, response: Response) -> None:
        self.asked.append(f"{response.request.method} {response.url}")
        if response.request.resource_type in TEXTS:
            task = asyncio.ensure_future(self._read(response))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

    async def _read(self, response: Response) -> None:
        try:
            self.received.append(await response.text())
        except Error:  # a redirect has no body, and a page that was left takes its own along
            return

    def _opened(self, socket: WebSocket) -> None:
        for direction in ("framereceived", "framesent"):
            socket.on(direction, lambda payload: self.frames.append(str(payload)))

    async def everything(self) -> str:
        """All it was sent and shows now, over HTTP and over sockets."""
        await asyncio.gather(*self._reading)
        return "\n".join([*self.received, *self.frames, await self.page.content()])

    def expect_no_complaint(self, *allowed: str) -> None:
        """Raise unless the console was quiet, but for texts that hold one of `allowed`."""
        left = [text for text in self.complaints if not any(word in text for word in allowed)]
        assert not left, left


async def watched(context: BrowserContext) -> Watched:
    """A new page of a context."""
    return Watched(await context.new_page())


async def sign_in(page: Page, person: str, *, path: str = "/") -> None:
    """Sign in as a demo person and arrive at `path`."""
    await page.goto(path)
    await page.get_by_label("E-mail").fill(f"{person}@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator(".person")).to_contain_text(f"{person}@example.org")
    await page.wait_for_load_state()  # what is typed before the scripts listen is not searched or checked


async def fill_new_run(page: Page, policies: Sequence[str]) -> None:
    """Fill the form of a new run."""
    await page.goto("/policy-runs/new/")
    await page.get_by_label("Policy numbers").fill("\n".join(policies))
    await page.get_by_label("Host user id").fill(HOST_USER)
    await page.get_by_label("Host password").fill(HOST_PASSWORD)


async def launch(page: Page, policies: Sequence[str]) -> str:
    """Launch a run from the form; return the run page's path."""
    await fill_new_run(page, policies)
    await page.get_by_role("button", name="Start run").click()
    await page.wait_for_url(RUN_ADDRESS)
    return page.url


def status_of(page: Page) -> Locator:
    """The run's status as its page shows it."""
    return page.locator("[data-run-status]")


def shown(page: Page, name: str) -> Locator:
    """A field of the progress panel."""
    return page.locator(f"[data-field={name}]")


async def counts(page: Page) -> dict[str, int]:
    """The counts of the progress panel by status."""
    panel: dict[str, Any] = await page.locator(".legend [data-count]").evaluate_all(
        "elements => Object.fromEntries(elements.map(e => [e.dataset.count, Number(e.textContent.replace(/,/g, ''))]))"
    )
    return panel


async def cancel(page: Page) -> None:
    """Cancel the run of this page, so that it takes no more of the host."""
    await page.get_by_role("button", name="Cancel run").click()
    await page.get_by_role("dialog").get_by_role("button", name="Cancel run").click()
    await expect(status_of(page)).to_contain_text("Cancelled")
