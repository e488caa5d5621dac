"""The audit log, for administrators to read."""

from django.apps import AppConfig


class TrailConfig(AppConfig):
    """Registers the app with Django."""

    name = "apps.trail"
    label = "trail"
