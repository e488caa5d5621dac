"""The time zone that a request's pages are made in."""

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from apps.accounts.time_zones import zone_named

COOKIE = "time-zone"


class TimeZoneMiddleware:
    """Shows and reads times in the browser's zone, which rungs.js tells in a cookie; without one in UTC.

    As soon as it is known who asks, the zone that they chose takes its place: see `middleware.user_of`. Nothing is left
    of it for the request that the same thread, or task, answers next.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """`get_response` is the rest of the site, sync or async."""
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer the request in its zone."""
        if self.is_async:
            return self._answer_later(request)
        try:
            see_times_in(request.COOKIES.get(COOKIE, ""))
            return self.get_response(request)
        finally:
            timezone.deactivate()

    async def _answer_later(self, request: HttpRequest) -> HttpResponseBase:
        try:
            see_times_in(request.COOKIES.get(COOKIE, ""))
            return await cast("Awaitable[HttpResponseBase]", self.get_response(request))
        finally:
            timezone.deactivate()


def see_times_in(name: str) -> None:
    """Show and read times in this zone from now on; an unknown name, or none, changes nothing."""
    zone = zone_named(name)
    if zone is not None:
        timezone.activate(zone)
