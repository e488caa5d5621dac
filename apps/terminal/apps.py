"""Django's handle on this app."""

from django.apps import AppConfig


class TerminalConfig(AppConfig):
    """The terminal: client, screens, demo host."""

    name = "apps.terminal"
    label = "terminal"
    verbose_name = "Mainframe"
