"""Every address of Rungs."""

from django.urls import include, path

from apps.accounts.urls import people
from apps.home.views import home
from project.api import api
from project.console import console
from project.metrics import metrics

urlpatterns = [
    path("", home, name="home"),
    path("home/", include("apps.home.urls")),
    path("account/", include("apps.accounts.urls")),
    path("people/", include(people)),
    path("teams/", include("apps.teams.urls")),
    path("ladder/", include("apps.ladders.urls")),
    path("plans/", include("apps.assessments.urls.plans")),
    path("assessments/", include("apps.assessments.urls.assessments")),
    path("reports/", include("apps.reports.urls")),
    path("policy-runs/", include("apps.policy_runs.urls")),
    path("audit/", include("apps.trail.urls")),
    path("admin/", console.urls),
    path("metrics", metrics),
    path("", api.urls),  # /api/..., /healthz and /readyz
]

handler400 = "project.views.bad_request"
handler404 = "project.views.page_not_found"
handler500 = "project.views.server_error"
