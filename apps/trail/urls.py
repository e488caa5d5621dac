"""Addresses below `/audit/`."""

from django.urls import path

from apps.trail import views

app_name = "trail"

urlpatterns = [
    path("", views.entries, name="entries"),
    path("export.csv", views.export, name="export"),
]
