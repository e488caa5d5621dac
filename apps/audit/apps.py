"""Who changed what."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Registers the app with Django."""

    name = "apps.audit"
    label = "audit"
    verbose_name = "Audit log"
