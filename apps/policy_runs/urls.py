"""Addresses below `/policy-runs/`."""

from django.urls import path

from apps.policy_runs import views

app_name = "policy_runs"

urlpatterns = [
    path("", views.run_list, name="list"),
    path("new/", views.new_run, name="new"),
    path("check/", views.check, name="check"),
    path("<str:execution_id>/", views.run_page, name="run"),
    path("<str:execution_id>/state/", views.state, name="state"),
    path("<str:execution_id>/results/", views.results, name="results"),
    path("<str:execution_id>/control/", views.control, name="control"),
    path("<str:execution_id>/results.csv", views.run_csv, name="csv"),
    path("<str:execution_id>/<str:policy_number>/", views.result, name="result"),
]
