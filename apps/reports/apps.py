"""How reports are read: one by one, by team, over the seasons, over the organisation; and handed out."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Registers the app with Django."""

    name = "apps.reports"
    label = "reports"
    verbose_name = "Reports"
