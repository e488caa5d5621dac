"""Long work: claimed by lease, controlled, followed live."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Registers the app with Django."""

    name = "apps.jobs"
    label = "jobs"
    verbose_name = "Jobs"
