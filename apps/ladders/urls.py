"""Addresses below `/ladder/`."""

from django.urls import URLPattern

app_name = "ladders"

urlpatterns: list[URLPattern] = []
