"""The storage app: the only one that knows boto3."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, register


class StorageConfig(AppConfig):
    """Registers the repository layer with Django."""

    name = "apps.storage"
    label = "storage"
    verbose_name = "Storage"

    def ready(self) -> None:
        """Let `manage.py check` look at the declarations; they are loaded only then."""
        register(_check_repositories, "storage")


def _check_repositories(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    from apps.storage.checks import check_repositories  # noqa: PLC0415  (loads every repository)

    return check_repositories(app_configs=app_configs)
