"""The project as an app, for the commands that need all of it (`serve`)."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Registers the project's own commands with Django."""

    name = "project"
    label = "project"
