"""Addresses below `/reports/`."""

from django.urls import path

from apps.reports.views import files, lists, many, one

app_name = "reports"

urlpatterns = [
    path("", lists.report_list, name="list"),
    path("organisation/", many.organisation, name="organisation"),
    path("organisation/season.csv", files.season_file, name="organisation_csv"),
    path("member/<str:user_id>/", many.member, name="member"),
    path("plan/<str:plan_id>/", many.plan, name="plan"),
    path("plan/<str:plan_id>/reports.csv", files.plan_file, name="plan_csv"),
    path("<str:report_id>/", one.report, name="report"),
    path("<str:report_id>/notes/", one.notes, name="notes"),
    path("<str:report_id>/report.pdf", files.report_file, {"form": "pdf"}, name="pdf"),
    path("<str:report_id>/report.csv", files.report_file, {"form": "csv"}, name="csv"),
    path("<str:report_id>/report.json", files.report_file, {"form": "json"}, name="json"),
]
