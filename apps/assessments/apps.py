"""Plans, the assessments that they ask for, and the reports that follow from them."""

from django.apps import AppConfig


class AssessmentsConfig(AppConfig):
    """Registers the app with Django."""

    name = "apps.assessments"
    label = "assessments"
    verbose_name = "Assessments"
