"""The storage app: the only one that knows boto3."""

from django.apps import AppConfig


class StorageConfig(AppConfig):
    """Registers the repository layer with Django."""

    name = "apps.storage"
    label = "storage"
