"""What the back office's pages cost, and how long they take, with few and with many users in the table.

    .venv/bin/python -m benchmarks.back_office [USERS]

Both tables are filled on the same in-memory engine. Each page is asked for in turn of both, so that they share whatever
else the machine does; the last column compares the medians.
"""

import html
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
os.environ.setdefault("RUNGS_LOG_LEVEL", "ERROR")

import django

django.setup()

from django.conf import settings
from django.test import Client
from rich.console import Console
from rich.table import Table

from apps.accounts.entities import Role, User
from apps.accounts.middleware import AUTH_EPOCH
from apps.accounts.repository import Users
from apps.audit.repository import AuditLog
from apps.storage import connection
from apps.storage.connection import Store
from apps.storage.engine import memory_engine
from apps.storage.metering import metering
from apps.storage.registry import declared_tables
from apps.storage.schema.apply import set_up
from apps.storage.sessions import USER_ID, SessionStore
from apps.storage.transaction import Transaction

ROOT = Path(__file__).resolve().parent.parent
FEW = 1_000
TIMES = 40
PAGES_DEEP = 30
A_TRANSACTION = 30  # each user is three items: itself, its guard, its audit entry
FAMILY = ("Abel", "Baker", "Carter", "Dixon", "Evans", "Fisher", "Garcia", "Hughes", "Irving", "Jensen")


def main() -> None:
    """Fill both tables, measure every page of both, and print them beside each other."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with memory_engine(ROOT / ".rungs") as endpoint:
        sites = [Site.filled(endpoint, number=number) for number in (FEW, many)]
        measured: dict[str, list[list[Sample]]] = {}
        for _ in range(TIMES):
            for site in sites:
                with site:
                    for name, ask in PAGES.items():
                        samples = measured.setdefault(name, [[] for _ in sites])
                        samples[sites.index(site)].append(sample(ask, site))
    show(measured, sizes=[site.number for site in sites])


@dataclass(frozen=True, slots=True)
class Sample:
    """One page: how long it took, and what it asked of the store."""

    seconds: float
    requests: int
    rcu: float


@dataclass
class Site:
    """A store with so many users, and the browser of an administrator among them."""

    store: Store
    number: int
    browser: Client = field(default_factory=lambda: Client(headers={"host": "localhost"}))
    cursor: str = ""
    changes: int = 0

    @classmethod
    def filled(cls, endpoint: str, *, number: int) -> "Site":
        """The site, with everybody in it."""
        store = Store(environment="dev", prefix=f"bench{number}", endpoint=endpoint, region="us-east-1")
        set_up(store, declared_tables())
        site = cls(store=store, number=number)
        started = time.perf_counter()
        with site:
            fill(store, number=number)
            session = SessionStore()
            session[USER_ID], session[AUTH_EPOCH] = user_id(0), 0
            session.create()
            site.browser.cookies[settings.SESSION_COOKIE_NAME] = str(session.session_key)
            for _ in range(PAGES_DEEP):
                page = site.get("/admin/accounts/user/", **({"p": site.cursor} if site.cursor else {}))
                found = re.search(r'rel="next" href="\?p=([^"&]+)', page)
                site.cursor = found.group(1) if found else site.cursor
        Console(stderr=True).print(f"{number:,} users in {time.perf_counter() - started:.0f} s")
        return site

    def __enter__(self) -> Self:
        connection._default = self.store  # noqa: SLF001  (as the tests do: a process has one store)
        return self

    def __exit__(self, *_error: object) -> None:
        connection._default = None  # noqa: SLF001

    def get(self, address: str, **query: str) -> str:
        """The page. Raises `RuntimeError` where it is none."""
        answer = self.browser.get(address, query)
        if answer.status_code != 200:  # noqa: PLR2004
            raise RuntimeError(f"{address} answered {answer.status_code}")
        return answer.content.decode()


def fill(store: Store, *, number: int) -> None:
    """Make the users as the application does: each with the guard of its address and its audit entry."""
    users, audit, now = Users(store), AuditLog(store), datetime.now(UTC)
    for first in range(0, number, A_TRANSACTION):
        writes: list[Any] = []
        for position in range(first, min(first + A_TRANSACTION, number)):
            made = somebody(position, now=now)
            writes.append(users.adding(made))
            actor = made.acting()
            writes.append(audit.recording(f"Users#{made.user_id}", action="user.created", actor=actor, at=now))
        Transaction(store, *writes).commit()


def somebody(position: int, *, now: datetime) -> User:
    """One of the users; the first is an administrator."""
    name = f"{FAMILY[position % len(FAMILY)]} {position:06}"
    return User(
        user_id=user_id(position),
        email=f"person{position}@example.org",
        name=name,
        roles=frozenset({Role.ADMIN if position == 0 else Role.OPERATOR}),
        created_at=now,
        updated_at=now,
        created_by="benchmark",
    )


def user_id(position: int) -> str:
    """The key of one of them."""
    return f"00000000-0000-4000-8000-{position:012}"


def change(site: Site) -> None:
    """Open a user's form, and save it with another name."""
    key = user_id(site.number // 2)
    address = f"/admin/accounts/user/{key}/change/"
    form = dict(inputs(site.get(address)))
    site.changes += 1
    answer = site.browser.post(address, form | {"name": f"Fisher changed {site.changes}"})
    if answer.status_code != 302:  # noqa: PLR2004
        raise RuntimeError(f"saving answered {answer.status_code}")


def inputs(page: str) -> Iterator[tuple[str, str]]:
    """Names and values of a form's fields, as far as the users' form needs them."""
    form = page[page.index('<form class="edit"') :]
    for tag in re.findall(r"<input[^>]*>", form[: form.index("</form>")]):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in attributes and (attributes.get("type") != "checkbox" or " checked" in tag):
            yield attributes["name"], html.unescape(attributes.get("value", "on"))


PAGES: dict[str, Callable[[Site], object]] = {
    "list, first page": lambda site: site.get("/admin/accounts/user/"),
    f"list, page {PAGES_DEEP}": lambda site: site.get("/admin/accounts/user/", p=site.cursor),
    "search by beginning": lambda site: site.get("/admin/accounts/user/", q="Garcia 0009"),
    "search by whole e-mail": lambda site: site.get("/admin/accounts/user/", q=f"person{site.number // 2}@example.org"),
    "administrators only": lambda site: site.get("/admin/accounts/user/", roles="admin"),
    "people, by beginning": lambda site: site.get("/people/", q="Garcia 0009"),
    "one user": lambda site: site.get(f"/admin/accounts/user/{user_id(site.number // 2)}/change/"),
    "open and save a change": change,
    "history": lambda site: site.get(f"/admin/accounts/user/{user_id(site.number // 2)}/history/"),
}


def sample(ask: "Callable[[Site], object]", site: "Site") -> Sample:
    """Ask once."""
    started = time.perf_counter()
    with metering() as cost:
        ask(site)
    return Sample(time.perf_counter() - started, cost.total_requests, cost.read_units)


def show(measured: dict[str, list[list[Sample]]], *, sizes: list[int]) -> None:
    """Print a row for each page."""
    table = Table(title="The back office, " + " and ".join(f"{size:,}" for size in sizes) + " users")
    for heading in ("page", *(f"{what}, {size:,}" for size in sizes for what in ("requests", "RCU", "ms", "95 %"))):
        table.add_column(heading, justify="left" if heading == "page" else "right")
    table.add_column("ratio", justify="right")
    for name, ways in measured.items():
        medians = [statistics.median(one.seconds for one in samples) for samples in ways]
        cells = []
        for samples, median in zip(ways, medians, strict=True):
            late = statistics.quantiles((one.seconds for one in samples), n=20)[-1]
            units = statistics.median(one.rcu for one in samples)
            requests = max(one.requests for one in samples)
            cells += [str(requests), f"{units:g}", f"{median * 1000:.1f}", f"{late * 1000:.1f}"]
        table.add_row(name, *cells, f"{medians[-1] / medians[0]:.2f}")
    Console(width=180).print(table)


if __name__ == "__main__":
    main()
