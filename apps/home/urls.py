"""Addresses below `/home/`: parts of the first page."""

from django.urls import path

from apps.home import views

app_name = "home"

urlpatterns = [
    path("organisation/", views.organisation_part, name="organisation"),
    path("runs/", views.runs_part, name="runs"),
]
