"""The first page: what is going on."""

from django.apps import AppConfig


class HomeConfig(AppConfig):
    """Registers the app with Django."""

    name = "apps.home"
    label = "home"
