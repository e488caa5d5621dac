"""Teams: who works together, and who leads them."""

from django.apps import AppConfig


class TeamsConfig(AppConfig):
    """Registers the app with Django."""

    name = "apps.teams"
    label = "teams"
    verbose_name = "Teams"
