"""What a response tells a developer of its cost, and nobody else."""

import asyncio
import re
from typing import Any

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from apps.accounts.entities import Role
from apps.storage.connection import default_store, off_loop
from apps.storage.metering import metering, observers
from apps.storage.sessions import WebSessions
from project import urls
from project.middleware import CostMiddleware
from tests.policy_runs.web import browser, member

FIND_COSTS = 'store;desc="3 requests, 3 RCU, 0 WCU"'


def find(_number: int = 0) -> None:
    WebSessions(default_store()).find("nobody", consistent=True)


def sync_view(_request: Any) -> HttpResponse:
    for number in range(3):
        find(number)
    return HttpResponse("found", headers={"Server-Timing": "render;dur=1"})


async def async_view(_request: Any) -> HttpResponse:
    await asyncio.gather(*(off_loop(find, number) for number in range(3)))
    return HttpResponse("found")


def streaming_view(_request: Any) -> StreamingHttpResponse:
    find()

    async def parts() -> Any:
        for _ in range(3):
            await off_loop(find)
            yield b"part "

    return StreamingHttpResponse(parts())


handler400, handler404, handler500 = urls.handler400, urls.handler404, urls.handler500
urlpatterns = [
    *urls.urlpatterns,
    path("cost/sync", sync_view),
    path("cost/async", async_view),
    path("cost/streaming", streaming_view),
]


@pytest.fixture
def site(store, settings):
    settings.ROOT_URLCONF = __name__


def told(response: Any) -> tuple[int, float, float, float]:
    """Requests, RCU, WCU and milliseconds of the header."""
    found = re.fullmatch(
        r'store;desc="(\d+) requests?, ([\d.]+) RCU, ([\d.]+) WCU";dur=([\d.]+)', response.headers["Server-Timing"]
    )
    assert found, response.headers["Server-Timing"]
    return int(found[1]), float(found[2]), float(found[3]), float(found[4])


def test_pages_fragments_api_and_errors_tell_what_they_cost(store):
    client = browser(member(store, Role.OPERATOR))
    asked = [
        client.get("/policy-runs/"),
        client.get("/policy-runs/", headers={"HX-Request": "true"}),
        client.get("/api/policy-runs"),
    ]
    for response in asked:
        with metering() as cost:
            again = client.get(response.wsgi_request.path, headers=response.wsgi_request.headers)
        requests, reads, writes, milliseconds = told(again)
        assert (requests, reads, writes) == (cost.total_requests, cost.read_units, cost.write_units)
        assert requests >= 3
        assert milliseconds > 0
    assert told(Client().get("/nowhere/")) == (0, 0, 0, 0)
    assert observers() == ()


async def test_sync_and_async_views_tell_the_work_of_their_threads(site):
    answer = await AsyncClient().get("/cost/async")
    assert answer.headers["Server-Timing"].startswith(FIND_COSTS)
    answer = await AsyncClient().get("/cost/sync")
    assert answer.headers["Server-Timing"].startswith(f"render;dur=1, {FIND_COSTS}")
    for address in ("/cost/sync", "/cost/async"):
        answer = await asyncio.to_thread(Client().get, address)
        assert FIND_COSTS in answer.headers["Server-Timing"]


async def test_requests_at_the_same_time_tell_only_their_own(site):
    answers = await asyncio.gather(*(AsyncClient().get("/cost/async") for _ in range(6)))
    assert all(answer.headers["Server-Timing"].startswith(FIND_COSTS) for answer in answers)


async def test_a_streaming_response_comes_whole_and_tells_what_was_asked_before_it_began(site):
    answer = await AsyncClient().get("/cost/streaming")
    assert told(answer)[:3] == (1, 1, 0)
    assert b"".join([part async for part in answer]) == b"part part part "


async def test_it_stays_asynchronous_on_a_site_that_is(store):
    middleware = CostMiddleware(async_view)
    answer = await middleware(None)
    assert answer.headers["Server-Timing"].startswith(FIND_COSTS)


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_outside_dev_nothing_is_measured_or_told(site, settings, environment):
    settings.STORAGE = {**settings.STORAGE, "ENVIRONMENT": environment}
    with pytest.raises(MiddlewareNotUsed):
        CostMiddleware(sync_view)
    answer = Client().get("/cost/async")
    assert (answer.status_code, answer.headers.get("Server-Timing")) == (200, None)
