"""Every address of Rungs."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from apps.home.views import home
from project.api import api
from project.health import healthz, readyz
from project.views import page_not_found, server_error

urlpatterns = [
    path("", home, name="home"),
    path("account/", include("apps.accounts.urls")),
    path("policy-runs/", include("apps.policy_runs.urls")),
    path("api/", api.urls),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that does not exist."""
    return page_not_found(request, exception)


def handler500(request: HttpRequest) -> HttpResponse:
    """A bug."""
    return server_error(request)
