"""System checks of what the consoles declare: what cannot work is refused, with a hint that says what can."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.admin.checks import ModelAdminChecks
from django.contrib.admin.sites import all_sites
from django.core.checks import CheckMessage


def check_consoles(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """Check every console that the addresses lead to."""
    del kwargs
    from apps.console.site import Console  # noqa: PLC0415  (a console's admins are checked by what is here)

    import_module(settings.ROOT_URLCONF)
    return [found for site in all_sites if isinstance(site, Console) for found in site.check(app_configs)]


class EntityAdminChecks(ModelAdminChecks):
    """Django's checks of an admin."""
