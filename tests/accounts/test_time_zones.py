"""Times are shown and read in the zone that somebody chose, else in their browser's, else in UTC."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.test import AsyncClient, Client
from django.urls import path
from django.utils import timezone

from apps.accounts import services, wiring
from apps.accounts.decorators import sign_in_required
from apps.accounts.entities import User
from apps.accounts.time_zones import known_zones, zone_named, zones_by_region
from apps.errors import Invalid
from tests.accounts import site
from tests.accounts.people import ADMIN

NOON = datetime(2026, 7, 1, 12, 0, 5, tzinfo=UTC)
EVERY_KIND = ["/time/", "/time-async/"]


class When(forms.Form):
    at = forms.DateTimeField()


def _shown(request: HttpRequest) -> HttpResponse:
    entered = When({"at": "2026-07-01 12:00"})
    assert entered.is_valid()
    read = entered.cleaned_data["at"].astimezone(UTC).isoformat()
    return HttpResponse(render_to_string("rungs/_time.html", {"at": NOON}) + read)


@sign_in_required
async def shown_async(request: HttpRequest) -> HttpResponse:
    return _shown(request)


urlpatterns = [
    *site.urlpatterns,
    path("time/", sign_in_required(_shown)),
    path("time-async/", shown_async),
    path("open-time/", _shown),
]


@pytest.fixture(autouse=True)
def site_with_times(small_site: None, settings: Any) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.fixture
def client(ada: User, sign_in: Callable[..., HttpResponse]) -> Client:
    client = Client()
    assert sign_in(client).status_code == 302
    return client


def choose(client: Client, zone: str) -> None:
    assert client.post("/account/", {"name": "Ada", "time_zone": zone}).status_code == 302


async def ask(client: Client, address: str) -> str:
    """The answer of the server as it runs, to a browser with the same cookies."""
    asked = AsyncClient()
    asked.cookies = client.cookies
    return (await asked.get(address)).content.decode()


@pytest.mark.parametrize("address", EVERY_KIND)
async def test_a_chosen_zone_holds_for_what_is_shown_and_what_is_read(client: Client, address: str) -> None:
    client.cookies["time-zone"] = "Asia/Tokyo"
    await sync_to_async(choose)(client, "America/New_York")
    page = await ask(client, address)
    assert ">1 Jul 08:00 EDT</time>" in page
    assert 'title="2026-07-01 12:00:05 UTC"' in page
    assert 'datetime="2026-07-01T12:00:05.000000Z"' in page
    assert page.endswith("2026-07-01T16:00:00+00:00")


@pytest.mark.parametrize("address", EVERY_KIND)
async def test_without_a_choice_it_is_the_browsers_zone(client: Client, address: str) -> None:
    client.cookies["time-zone"] = "Asia/Tokyo"
    page = await ask(client, address)
    assert ">1 Jul 21:00 JST</time>" in page
    assert page.endswith("2026-07-01T03:00:00+00:00")


@pytest.mark.parametrize("told", [None, "", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "x" * 5000])
def test_a_zone_that_nobody_knows_is_utc(client: Client, told: str | None) -> None:
    if told is not None:
        client.cookies["time-zone"] = told
    assert ">1 Jul 12:00 UTC</time>" in client.get("/time/").content.decode()


def test_a_visitor_sees_times_as_their_browser_says_and_costs_nothing(store: Any, costs: Any) -> None:
    visitor = Client()
    visitor.cookies["time-zone"] = "Europe/Berlin"
    with costs(requests=0):
        assert ">1 Jul 14:00 CEST</time>" in visitor.get("/open-time/").content.decode()


@pytest.mark.parametrize("address", [*EVERY_KIND, "/open-time/"])
def test_nothing_of_a_zone_is_left_for_the_next_request(client: Client, address: str) -> None:
    choose(client, "America/New_York")
    client.cookies["time-zone"] = "Asia/Tokyo"
    client.get(address)
    assert timezone.get_current_timezone_name() == "UTC"
    assert ">1 Jul 12:00 UTC</time>" in Client().get("/open-time/").content.decode()


def test_nothing_is_left_after_a_page_that_breaks(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(client, "America/New_York")
    client.raise_request_exception = False
    monkeypatch.setattr("tests.accounts.test_time_zones.NOON", None)
    monkeypatch.setattr(When, "is_valid", lambda _: False)
    assert client.get("/time/").status_code == 500
    assert timezone.get_current_timezone_name() == "UTC"


def test_the_profile_offers_places_and_keeps_what_was_chosen(client: Client, ada: User) -> None:
    page = client.get("/account/").content.decode()
    assert '<optgroup label="Europe">' in page
    assert '<option value="" selected>As the browser says</option>' in page
    choose(client, "America/Argentina/Buenos_Aires")
    page = client.get("/account/").content.decode()
    assert re.search(r'value="America/Argentina/Buenos_Aires" selected>Argentina, Buenos Aires<', page)
    assert wiring.users().get(ada.user_id).time_zone == "America/Argentina/Buenos_Aires"
    choose(client, "")
    assert wiring.users().get(ada.user_id).time_zone == ""


def test_a_zone_that_is_none_is_refused_by_form_and_service(client: Client, ada: User) -> None:
    answer = client.post("/account/", {"name": "Ada", "time_zone": "Mars/Olympus"})
    assert answer.status_code == 422
    assert "Choose one of these time zones." in answer.content.decode()
    with pytest.raises(Invalid) as refused:
        services.change_profile(
            wiring.users(),
            user=ada,
            name="Ada",
            time_zone="Mars/Olympus",
            actor=ADMIN,
            now=NOON,
            audit=wiring.audit_log(),
        )
    assert refused.value.field == "time_zone"


def test_somebody_whose_zone_is_known_no_more_still_signs_in(client: Client, ada: User) -> None:
    wiring.users().save(ada.evolve(time_zone="Gone/Away"))
    assert ">1 Jul 12:00 UTC</time>" in client.get("/time/").content.decode()


def test_every_zone_on_offer_is_known() -> None:
    offered = [name for _, zones in zones_by_region() for name, _ in zones]
    assert len(offered) > 300
    assert set(offered) <= known_zones()
    assert zone_named("Europe/Berlin") is not None
