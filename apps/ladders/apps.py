"""Career ladders: what is expected at each level of each competency, version by version."""

from django.apps import AppConfig


class LaddersConfig(AppConfig):
    """Registers the app with Django."""

    name = "apps.ladders"
    label = "ladders"
    verbose_name = "Career ladders"
