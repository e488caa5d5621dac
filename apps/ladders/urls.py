"""Addresses below `/ladder/`."""

from django.urls import path

from apps.ladders import views

app_name = "ladders"

urlpatterns = [
    path("", views.active_ladder, name="list"),
    path("versions/", views.versions, name="versions"),
    path("new/", views.new_ladder, name="new"),
    path("check/", views.check, name="check"),
    path("<str:config_id>/", views.version_page, name="version"),
    path("<str:config_id>/activate/", views.activate, name="activate"),
    path("<str:config_id>/ladder.md", views.download, name="download"),
]
