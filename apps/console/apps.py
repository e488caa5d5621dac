"""Django's admin on repositories."""

from django.apps import AppConfig
from django.core import checks


class ConsoleConfig(AppConfig):
    """Registers the app with Django, and the checks of what the consoles declare."""

    name = "apps.console"
    label = "console"

    def ready(self) -> None:
        """Models can be imported only now."""
        from apps.console.checks import check_consoles  # noqa: PLC0415  (needs every app)

        checks.register(check_consoles, checks.Tags.admin)
